/**
 * Votes and proposals of view 1 that come before their height has begun here: of the open height while it waits for its
 * interval, and of the one after. Bounded per peer and in all; what is dropped is asked for later.
 */
import { VALIDATORS_MAX } from '../../base/limits.ts'
import { MESSAGE_BYTES_MAX } from './limits.ts'
import type { Message, Sender } from './types.ts'

/** A proposal, notarize, nullify and finalize of one view, and room for one that came twice. */
export const EARLY_MESSAGES_PER_PEER_MAX = 8
export const EARLY_PROPOSALS_BYTES_MAX: number = MESSAGE_BYTES_MAX
/** The open height and the next one. */
const HEIGHTS_MAX = 2n

export interface EarlyMessage {
  from: Sender
  message: Message
}

export class EarlyMessages {
  readonly #byHeight = new Map<bigint, Map<Sender, Message[]>>()
  #proposalBytes = 0

  /** Keeps it, or drops it for lack of room. @param open the lowest height that still matters */
  put(open: bigint, from: Sender, message: Message): void {
    const at = placeOf(message)
    if (at === undefined || at.view !== 1n) return
    if (at.height < open || at.height >= open + HEIGHTS_MAX) return
    if (this.#proposalBytes + at.bytes > EARLY_PROPOSALS_BYTES_MAX) return
    const senders = this.#byHeight.get(at.height) ?? new Map<Sender, Message[]>()
    const kept = senders.get(from) ?? []
    if (kept.length === 0 && senders.size >= VALIDATORS_MAX) return
    if (kept.length >= EARLY_MESSAGES_PER_PEER_MAX) return
    if (at.bytes > 0 && kept.some(({ type }) => type === 'proposal')) return
    kept.push(message)
    senders.set(from, kept)
    this.#byHeight.set(at.height, senders)
    this.#proposalBytes += at.bytes
  }

  /** Takes out what there is for a height, and forgets what is below. */
  take(height: bigint): EarlyMessage[] {
    const out: EarlyMessage[] = []
    for (const [at, senders] of this.#byHeight) {
      if (at > height) continue
      this.#byHeight.delete(at)
      for (const [from, messages] of senders) {
        for (const message of messages) {
          this.#proposalBytes -= placeOf(message)!.bytes
          if (at === height) out.push({ from, message })
        }
      }
    }
    return out
  }

  /** Messages kept. */
  get size(): number {
    let count = 0
    for (const senders of this.#byHeight.values()) {
      for (const messages of senders.values()) count += messages.length
    }
    return count
  }
}

function placeOf(message: Message): { height: bigint; view: bigint; bytes: number } | undefined {
  if (message.type === 'vote') {
    const { height, view } = message.vote
    return { height, view, bytes: 0 }
  }
  if (message.type !== 'proposal') return undefined
  const { height, view, block } = message.proposal
  return { height, view, bytes: block.length }
}
