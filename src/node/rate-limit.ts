/** How much a stranger may ask for: a bucket per peer that fills with time. Peers forgotten start with a full one. */
import type { Clock } from '../base/ports.ts'

export interface RateLimitInit {
  clock: Clock
  /** What a peer may use at once. */
  burst: number
  perSecond: number
}

interface Bucket {
  left: number
  atMs: number
}

const PEERS_MAX = 4_096

export class RateLimit {
  readonly #init: RateLimitInit
  /** In the order of last use. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(init: RateLimitInit) {
    this.#init = init
  }

  /** Uses so much of the peer's share; false, and nothing used, when it is not there. */
  take(peerId: string, amount: number): boolean {
    const { clock, burst, perSecond } = this.#init
    const atMs = clock.nowMs()
    const before = this.#buckets.get(peerId) ?? { left: burst, atMs }
    const gained = (Math.max(0, atMs - before.atMs) / 1000) * perSecond
    const full = Math.min(burst, before.left + gained)
    const isEnough = full >= amount
    this.#buckets.delete(peerId)
    this.#buckets.set(peerId, { left: isEnough ? full - amount : full, atMs })
    if (this.#buckets.size > PEERS_MAX) this.#buckets.delete(this.#buckets.keys().next().value!)
    return isEnough
  }
}
