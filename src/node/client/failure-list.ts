/** Who failed during one read, each reason once, and a note of it in the quality book. */
import type { FailedProvider } from '../control/types.ts'
import type { QualityBook } from './quality.ts'

const FAILURES_MAX = 1024

export class FailureList {
  readonly #quality: QualityBook
  readonly #seen = new Map<string, FailedProvider>()

  constructor(quality: QualityBook) {
    this.#quality = quality
  }

  add(provider: string, reason: string): void {
    const key = `${provider} ${reason}`
    if (this.#seen.has(key) || this.#seen.size >= FAILURES_MAX) return
    this.#seen.set(key, { provider, reason })
    this.#quality.recordFailure(provider, reason)
  }

  list(): FailedProvider[] {
    return [...this.#seen.values()]
  }
}
