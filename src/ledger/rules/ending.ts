/**
 * How a deal ends: dealTerminate shortens it, dealFail gives an abandoned one up, dealClose takes the money out of one
 * that is over. Every way leads to dealClose, by transactions that anybody can send.
 */
import { equal } from '../../base/bytes.ts'
import type { TxContext } from '../machine/context.ts'
import { GRACE_PERIODS, graceFrom, isAbandoned } from '../machine/misses.ts'
import {
  burnCollateral,
  payFromCollateral,
  payFromEscrow,
  releaseCollateral
} from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import { deals, providers } from '../state/tables.ts'
import { type DealRecord, NOTICE_BY } from '../types/records.ts'
import type { DealRef } from '../types/tx.ts'
import { openDeal, retire, settle, unclosedDeal } from './settlement.ts'
import { freeSlot, providerOf, withdrawLeaves } from './slots.ts'

const PER_MILLE = 1000n

/**
 * dealTerminate, by client or provider: the deal ends after the notice. A provider's notice is so long that misses all
 * through it make the deal fail, whatever maintenance it declares: who deletes the data cannot leave with the
 * collateral. A shorter notice may follow a longer one.
 *
 * Money flows: those of `settle`. The notice is paid like all time, if proven; the rest of escrow and the collateral
 * wait for dealClose, because a revision that is signed and not posted yet may still need them.
 */
export function applyDealTerminate(ctx: TxContext, { dealId }: DealRef): void {
  const deal = openDeal(ctx, dealId)
  const isClient = equal(ctx.sender, deal.client)
  requireThat(
    isClient || equal(ctx.sender, deal.provider),
    'NotAParty',
    'only the client and the provider give notice'
  )
  const endPeriod = ctx.period + noticeOf(ctx, deal, isClient)
  requireThat(endPeriod < deal.endPeriod, 'DealEnding', `the deal ends in period ${deal.endPeriod}`)
  const noticeBy = isClient ? NOTICE_BY.client : NOTICE_BY.provider
  ctx.state.put(deals, dealId, { ...settle(ctx, deal), endPeriod, noticeBy })
}

function noticeOf({ params }: TxContext, deal: DealRecord, isClient: boolean): bigint {
  if (isClient) return BigInt(deal.noticePeriods)
  const noEscape = deal.abandonPeriods + params.maintenancePeriodsMax
  return BigInt(Math.max(deal.noticePeriods, noEscape))
}

/**
 * dealFail, by anybody: the provider missed abandonPeriods due periods in a row, outside of maintenance and without any
 * proof since. The collateral stays for the repair; what the deal held stays on record.
 *
 * Money flows: those of `settle`; then all escrow that is left, from escrow to the client's balance.
 */
export function applyDealFail(ctx: TxContext, { dealId }: DealRef): void {
  const deal = openDeal(ctx, dealId)
  requireThat(
    isAbandoned(ctx.state, ctx.params, deal, ctx.period),
    'DealNotAbandoned',
    `a deal fails after ${deal.abandonPeriods} missed periods in a row`
  )
  const settled = settle(ctx, deal)
  payFromEscrow(ctx.state, deal.client, deal.client, settled.escrowUnits)
  withdrawLeaves(ctx, settled)
  freeSlot(ctx, settled)
  const record = providerOf(ctx, deal.provider)
  ctx.state.put(providers, deal.provider, { ...record, failedDeals: record.failedDeals + 1 })
  ctx.state.put(deals, dealId, { ...settled, escrowUnits: 0n, failedPeriod: ctx.period })
}

/** dealClose, by anybody: takes what is left out of a deal that is over. Money flows: those of the two ways below. */
export function applyDealClose(ctx: TxContext, { dealId }: DealRef): void {
  const deal = unclosedDeal(ctx, dealId)
  const closed = deal.failedPeriod === 0n ? closeCompleted(ctx, deal) : closeFailed(ctx, deal)
  ctx.state.put(deals, dealId, { ...closed, escrowUnits: 0n, collateralUnits: 0n, closed: 1 })
}

/** First period in which dealClose is accepted, unless the deal is abandoned. */
export function closableFrom({ failedPeriod, bountyPeriods, endPeriod }: DealRecord): bigint {
  if (failedPeriod > 0n) return failedPeriod + BigInt(bountyPeriods) + 1n
  return endPeriod + GRACE_PERIODS + 1n
}

/**
 * Once the last period is final.
 *
 * Money flows: those of `settle`; the rest of escrow to the client's balance; the collateral to the provider's balance.
 */
function closeCompleted(ctx: TxContext, deal: DealRecord): DealRecord {
  requireThat(
    graceFrom(ctx.period) > deal.endPeriod,
    'DealNotOver',
    `the deal can be closed from period ${closableFrom(deal)} on`
  )
  requireThat(
    !isAbandoned(ctx.state, ctx.params, deal, ctx.period),
    'DealAbandoned',
    'the provider was silent to the end: dealFail comes first'
  )
  const settled = retire(ctx, settle(ctx, deal))
  payFromEscrow(ctx.state, deal.client, deal.client, settled.escrowUnits)
  releaseCollateral(ctx.state, deal.provider, settled.collateralUnits)
  freeSlot(ctx, settled)
  return settled
}

/**
 * Once the time for repairs is over.
 *
 * Money flows: compensationPerMille of the collateral that is left (rounded down) to the client's balance; the rest of
 * it is burnt.
 */
function closeFailed(ctx: TxContext, deal: DealRecord): DealRecord {
  requireThat(
    ctx.period >= closableFrom(deal),
    'BountyNotOver',
    `the deal can be closed from period ${closableFrom(deal)} on`
  )
  const compensation = (deal.collateralUnits * BigInt(deal.compensationPerMille)) / PER_MILLE
  payFromCollateral(ctx.state, deal.provider, deal.client, compensation)
  burnCollateral(ctx.state, deal.provider, deal.collateralUnits - compensation)
  return deal
}
