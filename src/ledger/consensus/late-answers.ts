/**
 * R9: who speaks of a height that is final here gets its finalization and its block, so that it can move on. Bounded
 * per peer: an answer is far bigger than a question.
 */
import { encodeBlock } from '../block.ts'
import type { Block, Certificate } from '../types/block.ts'
import { heightOf } from './message-height.ts'
import type { Message, Sender } from './types.ts'

/** Answers to one peer within LATE_WINDOW_MS; no kind of answer twice for one height. */
export const LATE_ANSWERS_MAX = 16
export const LATE_WINDOW_MS = 1_000
const PEERS_MAX = 512

export interface FinalBlocks {
  block(height: bigint): Block | undefined
  certificate(height: bigint): Certificate | undefined
}

interface Window {
  endMs: number
  /** `height/type` of what was answered. */
  answered: Set<string>
}

export class LateAnswers {
  readonly #chain: FinalBlocks
  readonly #windows = new Map<Sender, Window>()

  constructor(chain: FinalBlocks) {
    this.#chain = chain
  }

  /** What to send to the peer, if anything. */
  answer(from: Sender, message: Message, nowMs: number): Message | undefined {
    // what a peer tells on its own is no question: answering it could go back and forth for ever
    if (message.type === 'have') return undefined
    const height = heightOf(message)
    if (!this.#isAllowed(from, `${height}/${message.type}`, nowMs)) return undefined
    const block = message.type === 'need' ? this.#chain.block(height) : undefined
    const cert = this.#chain.certificate(height)
    if (cert === undefined) return undefined
    const blocks = block === undefined ? [] : [encodeBlock(block)]
    return { type: 'have', have: { height, certs: [cert], votes: [], proposals: [], blocks } }
  }

  #isAllowed(from: Sender, id: string, nowMs: number): boolean {
    let window = this.#windows.get(from)
    // a window that ends too far ahead is from before the clock was set back
    if (
      window === undefined ||
      Math.abs(window.endMs - nowMs) > LATE_WINDOW_MS ||
      window.endMs <= nowMs
    ) {
      this.#windows.delete(from)
      if (this.#windows.size >= PEERS_MAX) this.#windows.delete(this.#windows.keys().next().value!)
      window = { endMs: nowMs + LATE_WINDOW_MS, answered: new Set() }
      this.#windows.set(from, window)
    }
    if (window.answered.size >= LATE_ANSWERS_MAX || window.answered.has(id)) return false
    window.answered.add(id)
    return true
  }
}
