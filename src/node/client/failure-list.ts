/**
 * Who failed during one read, each reason once, and a note of it in the quality book. Who only lagged is nobody's
 * failure, but is doubted like one for the rest of the read.
 */
import type { FailedProvider } from '../control/types.ts'
import type { QualityBook } from './quality.ts'

const FAILURES_MAX = 1024

export class FailureList {
  readonly #quality: QualityBook
  readonly #seen = new Map<string, FailedProvider>()
  readonly #doubts = new Map<string, number>()

  constructor(quality: QualityBook) {
    this.#quality = quality
  }

  add(provider: string, reason: string): void {
    const key = `${provider} ${reason}`
    if (this.#seen.has(key) || this.#seen.size >= FAILURES_MAX) return
    this.#seen.set(key, { provider, reason })
    this.#quality.recordFailure(provider, reason)
    this.lag(provider)
  }

  lag(provider: string): void {
    this.#doubts.set(provider, this.doubts(provider) + 1)
  }

  /** Failures and lags so far. */
  doubts(provider: string): number {
    return this.#doubts.get(provider) ?? 0
  }

  list(): FailedProvider[] {
    return [...this.#seen.values()]
  }
}
