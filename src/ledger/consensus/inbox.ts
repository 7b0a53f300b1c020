/**
 * Messages that wait for their turn: bounded per peer, taken from everybody in turn, so that one who floods fills its
 * own queue and delays nobody. What does not fit is dropped; the protocol asks again.
 */
import { MIB } from '../../base/limits.ts'
import type { Sender } from './types.ts'

export const INBOX_PEERS_MAX = 256
export const INBOX_MESSAGES_PER_PEER_MAX = 512
/** Above the longest message. */
export const INBOX_BYTES_PER_PEER_MAX: number = 8 * MIB

export interface Incoming {
  from: Sender
  bytes: Uint8Array
}

interface PeerQueue {
  messages: Uint8Array[]
  bytes: number
}

export class Inbox {
  /** Only peers with waiting messages; the order is the order of turns. */
  readonly #queues = new Map<Sender, PeerQueue>()

  get isEmpty(): boolean {
    return this.#queues.size === 0
  }

  /** False when it was dropped. */
  put(from: Sender, bytes: Uint8Array): boolean {
    const queue = this.#queues.get(from) ?? { messages: [], bytes: 0 }
    if (queue.messages.length === 0 && this.#queues.size >= INBOX_PEERS_MAX) return false
    if (queue.messages.length >= INBOX_MESSAGES_PER_PEER_MAX) return false
    if (queue.bytes + bytes.length > INBOX_BYTES_PER_PEER_MAX) return false
    queue.messages.push(bytes)
    queue.bytes += bytes.length
    this.#queues.set(from, queue)
    return true
  }

  /** The next message of the peer whose turn it is. */
  take(): Incoming | undefined {
    for (const [from, queue] of this.#queues) {
      this.#queues.delete(from)
      const bytes = queue.messages.shift()!
      queue.bytes -= bytes.length
      if (queue.messages.length > 0) this.#queues.set(from, queue)
      return { from, bytes }
    }
    return undefined
  }

  /** Messages and bytes that wait. */
  size(): { messages: number; bytes: number } {
    let [messages, bytes] = [0, 0]
    for (const queue of this.#queues.values()) {
      messages += queue.messages.length
      bytes += queue.bytes
    }
    return { messages, bytes }
  }
}
