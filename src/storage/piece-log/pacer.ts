/** Keeps background reading within a budget. Time is handed in. */
import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/ports.ts'

export interface Pacer {
  /** Resolves when so many bytes may be read. */
  take(bytes: number, signal?: AbortSignal): Promise<void>
}

export const unpaced: Pacer = { take: async () => {} }

export interface PacerInit {
  readonly bytesPerSecond: number
  readonly clock: Clock
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Takes are answered in order; what is not taken is not saved up. */
export function createPacer({ bytesPerSecond, clock, sleep }: PacerInit): Pacer {
  assert(bytesPerSecond > 0, 'a budget in bytes per second')
  /** When everything taken so far is paid for. */
  let paidUntilMs = 0
  let lastMs = 0
  return {
    take: async (bytes, signal) => {
      const nowMs = clock.nowMs()
      // A clock that was set back must not stop the work until it has caught up.
      if (nowMs < lastMs) paidUntilMs = nowMs
      lastMs = nowMs
      const owedMs = Math.max(0, paidUntilMs - nowMs)
      paidUntilMs = nowMs + owedMs + (bytes * 1000) / bytesPerSecond
      if (owedMs > 0) await sleep(owedMs, signal)
    }
  }
}
