/**
 * Own measurements of peers: what this node saw, never hearsay. They fade, so that a failure is forgotten in time; they
 * are kept on disk, so that it is not forgotten by a restart. With what the ledger says they make a peer's reputation.
 */
import type { Level } from 'level'
import { decodeDocument, encodeDocument } from '../../base/codec.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { KIB } from '../../base/limits.ts'
import type { Clock, Logger } from '../../base/ports.ts'
import {
  type LedgerFacts,
  type Measurements,
  NO_MEASUREMENTS,
  reputationOf
} from '../../market/index.ts'
import { peerKeyOf } from '../net/peer-id.ts'
import type { LedgerFactsBook } from './ledger-facts.ts'

export interface FailureRecord {
  atMs: number
  reason: string
}

interface Measure extends Measurements {
  /** When the counts were last faded. */
  fadedAtMs: number
  failures: FailureRecord[]
}

const FAILURES_KEPT_MAX = 16
const REASON_CHARACTERS_MAX = 200
/** After so long, what was seen counts half. */
const SERVED_HALF_LIFE_MS: number = 7 * 24 * 3_600_000
const FAILED_HALF_LIFE_MS: number = 30 * 60_000
const AVERAGE_WEIGHT = 0.3
/** Smaller transfers say more about the latency than about the rate. */
const RATE_BYTES_MIN: number = 64 * KIB
const PEERS_MAX = 10_000
const RECORD_BYTES_MAX: number = 16 * KIB
const FLUSH_AFTER_MS = 5_000

export interface QualityBookInit {
  /** What the ledger says. @default nothing: every peer is a newcomer */
  ledger?: LedgerFactsBook
  /** Where measurements are kept, by peer id. @default only in memory */
  db?: Level<string, Uint8Array>
  logger?: Logger
}

const NEWCOMER: LedgerFacts = {
  agePeriods: 0,
  provenPeriods: 0,
  missedPeriods: 0,
  abandonedDeals: 0
}

export class QualityBook {
  readonly #clock: Clock
  readonly #init: QualityBookInit
  readonly #measures = new Map<string, Measure>()
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #closed = false
  #flushing: Promise<void> = Promise.resolve()

  constructor(clock: Clock, init: QualityBookInit = {}) {
    this.#clock = clock
    this.#init = init
  }

  /** Reads what is on disk. A record that cannot be read is dropped: it is a measurement, not a promise. */
  async open(): Promise<void> {
    const { db, logger } = this.#init
    if (db === undefined) return
    for await (const [peerId, bytes] of db.iterator({ limit: PEERS_MAX })) {
      try {
        this.#measures.set(peerId, measureOf(decodeDocument(bytes, RECORD_BYTES_MAX)))
      } catch (error) {
        logger?.warn('quality.dropped', { peer: peerId, reason: messageOf(error) })
        await db.del(peerId)
      }
    }
  }

  /** Writes what is not on disk yet. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#flush()
  }

  /** An upload or a read that went well. */
  recordTransfer(peerId: string, bytes: number, durationMs: number): void {
    const measure = this.#measure(peerId)
    measure.served++
    if (bytes < RATE_BYTES_MIN) return
    const rate = (bytes * 1000) / Math.max(1, durationMs)
    measure.bytesPerSecond = averaged(measure.bytesPerSecond, rate)
  }

  /** How long a small request took. */
  recordLatency(peerId: string, durationMs: number): void {
    const measure = this.#measure(peerId)
    measure.latencyMs = averaged(measure.latencyMs, Math.max(1, durationMs))
  }

  recordFailure(peerId: string, reason: string): void {
    const measure = this.#measure(peerId)
    measure.failed++
    measure.failures.push({
      atMs: this.#clock.nowMs(),
      reason: reason.slice(0, REASON_CHARACTERS_MAX)
    })
    if (measure.failures.length > FAILURES_KEPT_MAX) measure.failures.shift()
  }

  failures(peerId: string): readonly FailureRecord[] {
    return this.#measures.get(peerId)?.failures ?? []
  }

  /** As they are worth now. */
  measurements(peerId: string): Measurements {
    const measure = this.#measures.get(peerId)
    if (measure === undefined) return NO_MEASUREMENTS
    fade(measure, this.#clock.nowMs())
    const { served, failed, bytesPerSecond, latencyMs } = measure
    return { served, failed, bytesPerSecond, latencyMs }
  }

  /** What the ledger says of a peer; undefined when it is not a registered provider. */
  facts(peerId: string): LedgerFacts | undefined {
    return this.#init.ledger?.ofPeer(peerKeyOf(peerId))
  }

  /** Reputation, 1 (worst) to 1000. */
  score(peerId: string): number {
    return reputationOf(this.facts(peerId) ?? NEWCOMER, this.measurements(peerId))
  }

  /** The measure of a peer that is about to change. */
  #measure(peerId: string): Measure {
    const now = this.#clock.nowMs()
    let measure = this.#measures.get(peerId)
    if (measure === undefined) {
      if (this.#measures.size >= PEERS_MAX) this.#forget(this.#measures.keys().next().value!)
      measure = { ...NO_MEASUREMENTS, fadedAtMs: now, failures: [] }
      this.#measures.set(peerId, measure)
    }
    fade(measure, now)
    this.#changed.add(peerId)
    if (this.#init.db !== undefined && !this.#closed) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        void this.#flush()
      }, FLUSH_AFTER_MS).unref()
    }
    return measure
  }

  #forget(peerId: string): void {
    this.#measures.delete(peerId)
    this.#changed.add(peerId)
  }

  #flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write())
    return this.#flushing
  }

  async #write(): Promise<void> {
    const { db, logger } = this.#init
    const peers = [...this.#changed]
    this.#changed.clear()
    if (db === undefined || peers.length === 0) return
    try {
      await db.batch(
        peers.map(key => {
          const measure = this.#measures.get(key)
          if (measure === undefined) return { type: 'del' as const, key }
          return { type: 'put' as const, key, value: encodeDocument(measure) }
        })
      )
    } catch (error) {
      logger?.warn('quality.unsaved', { reason: messageOf(error) })
    }
  }
}

function averaged(before: number, now: number): number {
  return before === 0 ? now : before * (1 - AVERAGE_WEIGHT) + now * AVERAGE_WEIGHT
}

function fade(measure: Measure, nowMs: number): void {
  // a clock that was set back fades nothing
  const elapsed = Math.max(0, nowMs - measure.fadedAtMs)
  measure.served *= 0.5 ** (elapsed / SERVED_HALF_LIFE_MS)
  measure.failed *= 0.5 ** (elapsed / FAILED_HALF_LIFE_MS)
  measure.fadedAtMs = nowMs
}

const NUMBERS = ['served', 'failed', 'bytesPerSecond', 'latencyMs', 'fadedAtMs'] as const

function measureOf(document: unknown): Measure {
  const fields = document as Partial<Record<string, unknown>>
  const [served, failed, bytesPerSecond, latencyMs, fadedAtMs] = NUMBERS.map(name => {
    const value = fields[name]
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
    throw new HoldfastError('INVALID_ARGUMENT', `the measurement ${name} is not a number`)
  }) as [number, number, number, number, number]
  const list = Array.isArray(fields['failures']) ? (fields['failures'] as FailureRecord[]) : []
  const failures = list
    .filter(({ atMs, reason }) => typeof atMs === 'number' && typeof reason === 'string')
    .slice(-FAILURES_KEPT_MAX)
  return { served, failed, bytesPerSecond, latencyMs, fadedAtMs, failures }
}
