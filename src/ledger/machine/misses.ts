/**
 * Missed periods in a row: what a deal can fail for. A miss costs the pay of its period and nothing else; misses in
 * declared maintenance do not count, and a proof ends the run.
 */
import { min } from '../../base/money.ts'
import type { Params } from '../params.ts'
import type { Overlay } from '../state/overlay.ts'
import { maintenances } from '../state/tables.ts'
import type { DealRecord, MaintenanceSpan, ProviderRecord } from '../types/records.ts'
import { nextAfterProven } from './proven.ts'

/** Periods after the last one in which its proof is still accepted. */
export const GRACE_PERIODS = 1n
/** So many proven periods in a row after a gap make a provider reliable again. */
export const RECOVERY_PERIODS = 3n

/** First period whose proof may still come by the clock alone. */
export function graceFrom(period: bigint): bigint {
  return period - GRACE_PERIODS
}

/** Periods of [from, to) outside declared maintenance. */
function outsideMaintenance(
  state: Overlay,
  provider: Uint8Array,
  from: bigint,
  to: bigint
): bigint {
  if (from >= to) return 0n
  return to - from - coveredBy(spansOf(state, provider), from, to)
}

export function spansOf(state: Overlay, provider: Uint8Array): MaintenanceSpan[] {
  return state.get(maintenances, provider) ?? []
}

/** Periods of [from, to) inside the spans. */
export function coveredBy(spans: readonly MaintenanceSpan[], from: bigint, to: bigint): bigint {
  let sum = 0n
  for (const span of spans) {
    const first = span.from > from ? span.from : from
    const end = min(span.to, to)
    if (end > first) sum += end - first
  }
  return sum
}

/**
 * Counted misses of a deal up to the newest final period, or to its end. Work is O(1): at most one ring of bitmaps for
 * a deal that has ended, two reads for one that runs.
 */
export function missesOfDeal(
  state: Overlay,
  params: Params,
  deal: DealRecord,
  period: bigint
): bigint {
  const { provider, heldFrom } = deal
  if (heldFrom === 0n) return 0n
  const end = deal.endPeriod + 1n
  const to = min(graceFrom(period), end)
  const next = nextAfterProven(state, params, provider, { from: heldFrom, before: end })
  return outsideMaintenance(state, provider, next > heldFrom ? next : heldFrom, to)
}

/** Whether anybody may fail the deal. */
export function isAbandoned(
  state: Overlay,
  params: Params,
  deal: DealRecord,
  period: bigint
): boolean {
  return missesOfDeal(state, params, deal, period) >= BigInt(deal.abandonPeriods)
}

/**
 * - ok: every period that is over was proven, or nothing was due
 * - late: the period before the current one is not proven yet, and still can be
 * - missed: a due period went by without a proof; it is not paid, and nothing else happens
 * - maintenance: behind with its proofs, and it said so
 * - recovering: proving again, for fewer than RECOVERY_PERIODS in a row
 * - abandoned: so many misses in a row that its deals can fail; a proof in time for any of them still ends that
 */
export type ProviderState = 'ok' | 'late' | 'missed' | 'maintenance' | 'recovering' | 'abandoned'

/** Counted misses of a provider over all its deals. */
export function missesOfProvider(
  state: Overlay,
  account: Uint8Array,
  record: ProviderRecord,
  period: bigint
): bigint {
  if (record.dueFrom === 0n) return 0n
  return outsideMaintenance(state, account, nextDue(record), graceFrom(period))
}

export function providerStateOf(
  state: Overlay,
  params: Params,
  init: { account: Uint8Array; record: ProviderRecord; period: bigint }
): ProviderState {
  const { account, record, period } = init
  const misses = missesOfProvider(state, account, record, period)
  if (misses >= BigInt(params.abandonPeriods)) return 'abandoned'
  const isBehind = record.dueFrom !== 0n && nextDue(record) < period
  if (isBehind) {
    const declared = coveredBy(spansOf(state, account), graceFrom(period), period + 1n) > 0n
    if (declared) return 'maintenance'
    return misses > 0n ? 'missed' : 'late'
  }
  const { resumedFrom, provenNext } = record
  return resumedFrom > 0n && provenNext - resumedFrom < RECOVERY_PERIODS ? 'recovering' : 'ok'
}

/** The first period that was due and is not proven. */
function nextDue({ provenNext, dueFrom }: ProviderRecord): bigint {
  return provenNext > dueFrom ? provenNext : dueFrom
}
