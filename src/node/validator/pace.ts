/** How fast one peer is read: a second's worth of both budgets may be ahead, then reading waits. */

export interface PaceInit {
  bytesPerSecond: number
  messagesPerSecond: number
  nowMs: () => number
}

const SECOND_MS = 1_000

export class Pace {
  readonly #init: PaceInit
  /** Until when what was read would have taken at full pace. */
  #spentToMs: number

  constructor(init: PaceInit) {
    this.#init = init
    this.#spentToMs = init.nowMs()
  }

  /** Counts a message of so many bytes. Returns how long to wait before the next one is read, in milliseconds. */
  took(bytes: number): number {
    const { bytesPerSecond, messagesPerSecond, nowMs } = this.#init
    const now = nowMs()
    const costMs = SECOND_MS * Math.max(bytes / bytesPerSecond, 1 / messagesPerSecond)
    this.#spentToMs = Math.max(this.#spentToMs, now) + costMs
    return Math.max(0, this.#spentToMs - now - SECOND_MS)
  }
}
