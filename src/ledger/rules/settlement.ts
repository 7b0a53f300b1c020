/**
 * Settlement: pays what is final. In period w proofs for w - 1 and later may still come, so periods up to w - 2 are
 * final; and proofs only move forward, so everything up to a provider's last proven period is. Work is O(1) whatever
 * the number of periods: contents have at most three segments.
 */
import { assert } from '../../base/assert.ts'
import { ZERO_HASH } from '../../base/hash.ts'
import { min, type Units } from '../../base/money.ts'
import type { TxContext } from '../machine/context.ts'
import { graceFrom } from '../machine/misses.ts'
import { payFromEscrow, periodPriceUnits } from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import { provenBetween } from '../machine/proven.ts'
import type { Params } from '../params.ts'
import type { Overlay } from '../state/overlay.ts'
import { deals, providers } from '../state/tables.ts'
import type { Contents, DealRecord } from '../types/records.ts'
import type { DealRef } from '../types/tx.ts'
import { setContents } from './slots.ts'

export interface Tally {
  /** Periods with leaves and a proof. */
  proven: bigint
  /** Periods with leaves and no proof. */
  missed: bigint
  units: Units
}

/** What the periods [from, to) of a deal come to, with the proofs known now. */
export function tallyDeal(
  state: Overlay,
  params: Params,
  deal: DealRecord,
  range: { from: bigint; to: bigint }
): Tally {
  const to = min(range.to, deal.endPeriod + 1n)
  const { period, v0, v1, v2 } = deal.contents
  const sum: Tally = { proven: 0n, missed: 0n, units: 0n }
  const segment = (from: bigint, end: bigint, contents: Contents): void => {
    if (end <= from || contents.leaves === 0n) return
    const proven = provenBetween(state, params, deal.provider, { from, to: end })
    sum.proven += proven
    sum.missed += end - from - proven
    sum.units += proven * periodPriceUnits(deal.priceUnitsPerGiBPeriod, contents.bytes)
  }
  segment(range.from, min(to, period - 1n), v0)
  segment(max(range.from, period - 1n), min(to, period), v1)
  segment(max(range.from, period), to, v2)
  return sum
}

/** First period that is not final for a provider. */
export function finalTo(state: Overlay, provider: Uint8Array, period: bigint): bigint {
  return max(graceFrom(period), state.get(providers, provider)?.provenNext ?? 0n)
}

/**
 * Pays all final periods and returns the deal as it is then; the caller stores it.
 *
 * Money flows: the price of every proven period, from the client's escrow to the provider's balance.
 */
export function settle(ctx: TxContext, deal: DealRecord): DealRecord {
  const final = finalTo(ctx.state, deal.provider, ctx.period)
  const to = min(final, deal.endPeriod + 1n)
  if (to <= deal.settledTo) return deal
  const { proven, missed, units } = tallyDeal(ctx.state, ctx.params, deal, {
    from: deal.settledTo,
    to
  })
  assert(units <= deal.escrowUnits, 'escrow covers every period')
  payFromEscrow(ctx.state, deal.client, deal.provider, units)
  return {
    ...deal,
    escrowUnits: deal.escrowUnits - units,
    settledTo: to,
    provenPeriods: deal.provenPeriods + proven,
    missedPeriods: deal.missedPeriods + missed,
    paidUnits: deal.paidUnits + units
  }
}

/**
 * dealSettle: anybody may ask. From the deal's last period on, its leaves leave the next challenges.
 *
 * Money flows: those of `settle`.
 */
export function applyDealSettle(ctx: TxContext, payload: DealRef): void {
  const deal = openDeal(ctx, payload.dealId)
  const settled = settle(ctx, deal)
  ctx.state.put(
    deals,
    payload.dealId,
    ctx.period >= deal.endPeriod ? retire(ctx, settled) : settled
  )
}

/** A deal that is not closed. @throws TxFailure DealUnknown, DealClosed */
export function unclosedDeal(ctx: TxContext, dealId: Uint8Array): DealRecord {
  const deal = ctx.state.get(deals, dealId)
  requireThat(deal !== undefined, 'DealUnknown', 'no such deal')
  requireThat(deal.closed === 0, 'DealClosed', 'the deal is closed')
  return deal
}

/** A deal that is neither closed nor failed. @throws TxFailure DealUnknown, DealClosed, DealFailed */
export function openDeal(ctx: TxContext, dealId: Uint8Array): DealRecord {
  const deal = unclosedDeal(ctx, dealId)
  requireThat(deal.failedPeriod === 0n, 'DealFailed', 'the deal has failed')
  return deal
}

/** No leaves from the next period on. */
export function retire(ctx: TxContext, deal: DealRecord): DealRecord {
  const { revision, leaves } = deal.contents.v2
  if (leaves === 0n) return deal
  return setContents(ctx, deal, { revision, root: ZERO_HASH, leaves: 0n, bytes: 0n })
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
