/**
 * Own measurements of peers: what this node saw, never hearsay. Throughput is a moving average; a failure costs quality
 * for a while and is forgotten as new successes come.
 */
import type { Clock } from '../../base/ports.ts'

export interface FailureRecord {
  atMs: number
  reason: string
}

interface Measure {
  /** Bytes per second, moving average; 0 before the first transfer. */
  bytesPerSecond: number
  failures: FailureRecord[]
}

const FAILURES_KEPT_MAX = 16
/** A failure weighs on the score for this long. */
const FAILURE_MEMORY_MS = 10 * 60_000
const FAILURE_PENALTY = 150
/** Unknown providers start in the middle: better than a failing one, worse than a proven one. */
const UNKNOWN_QUALITY = 500
const AVERAGE_WEIGHT = 0.3
const PEERS_MAX = 10_000

export class QualityBook {
  readonly #clock: Clock
  readonly #measures = new Map<string, Measure>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  recordTransfer(peerId: string, bytes: number, durationMs: number): void {
    const measure = this.#measure(peerId)
    const rate = (bytes * 1000) / Math.max(1, durationMs)
    measure.bytesPerSecond =
      measure.bytesPerSecond === 0
        ? rate
        : measure.bytesPerSecond * (1 - AVERAGE_WEIGHT) + rate * AVERAGE_WEIGHT
  }

  recordFailure(peerId: string, reason: string): void {
    const { failures } = this.#measure(peerId)
    failures.push({ atMs: this.#clock.nowMs(), reason })
    if (failures.length > FAILURES_KEPT_MAX) failures.shift()
  }

  failures(peerId: string): readonly FailureRecord[] {
    return this.#measures.get(peerId)?.failures ?? []
  }

  /** 1 (worst) to 1000: speed relative to the fastest peer seen, less recent failures. */
  score(peerId: string): number {
    const measure = this.#measures.get(peerId)
    if (measure === undefined) return UNKNOWN_QUALITY
    const since = this.#clock.nowMs() - FAILURE_MEMORY_MS
    const recent = measure.failures.filter(({ atMs }) => atMs > since).length
    const speed = measure.bytesPerSecond === 0 ? UNKNOWN_QUALITY : this.#relativeSpeed(measure)
    return Math.max(1, Math.round(speed - recent * FAILURE_PENALTY))
  }

  #relativeSpeed({ bytesPerSecond }: Measure): number {
    let fastest = bytesPerSecond
    for (const other of this.#measures.values()) fastest = Math.max(fastest, other.bytesPerSecond)
    return 500 + (500 * bytesPerSecond) / fastest
  }

  #measure(peerId: string): Measure {
    let measure = this.#measures.get(peerId)
    if (measure === undefined) {
      if (this.#measures.size >= PEERS_MAX) {
        this.#measures.delete(this.#measures.keys().next().value!)
      }
      measure = { bytesPerSecond: 0, failures: [] }
      this.#measures.set(peerId, measure)
    }
    return measure
  }
}
