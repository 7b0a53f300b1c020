/** dealExtend: a later end for a running deal, agreed by both sides off-ledger. The price stays. */
import type { TxContext } from '../machine/context.ts'
import { lockEscrow } from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import { deals } from '../state/tables.ts'
import { verifyExtension } from '../types/deal.ts'
import { type DealRecord, NOTICE_BY } from '../types/records.ts'
import type { DealExtend } from '../types/tx.ts'
import { escrowNeeded } from './revision.ts'
import { openDeal, settle } from './settlement.ts'

/**
 * Anybody may post it: both signatures are inside. The end only moves forward and a deal under notice takes no
 * extension, so none is accepted twice. Like a revision, it is refused unless the escrow then covers every period left.
 *
 * Money flows: those of `settle`; escrowUnits from the client's balance to its escrow.
 */
export function applyDealExtend(ctx: TxContext, payload: DealExtend): void {
  const { state, params, period } = ctx
  const { dealId, endPeriod, escrowUnits } = payload.extension
  const deal = openDeal(ctx, dealId)
  checkExtension(ctx, deal, payload)
  requireThat(
    endPeriod - period <= BigInt(params.dealPeriodsMax),
    'TermsTooLong',
    `a deal runs at most ${params.dealPeriodsMax} periods from now`
  )
  lockEscrow(state, deal.client, deal.client, escrowUnits)
  const settled = settle(ctx, deal)
  const extended = { ...settled, endPeriod, escrowUnits: settled.escrowUnits + escrowUnits }
  const neededUnits = escrowNeeded(extended, period, extended.contents.v2.bytes)
  requireThat(
    neededUnits <= extended.escrowUnits,
    'InsufficientEscrow',
    `the deal needs ${neededUnits} units in escrow, it has ${extended.escrowUnits}`
  )
  state.put(deals, dealId, extended)
}

function checkExtension(ctx: TxContext, deal: DealRecord, payload: DealExtend): void {
  const { extension, clientSignature, providerSignature } = payload
  requireThat(
    extension.chainId === ctx.network.chainId,
    'WrongNetwork',
    'the extension is for another network'
  )
  requireThat(
    ctx.height <= extension.acceptHeightMax,
    'TermsExpired',
    `the extension had to be posted by height ${extension.acceptHeightMax}`
  )
  requireThat(deal.noticeBy === NOTICE_BY.nobody, 'DealEnding', 'the deal is under notice')
  requireThat(
    ctx.period < deal.endPeriod && extension.endPeriod > deal.endPeriod,
    'DealOver',
    `the deal ends in period ${deal.endPeriod}`
  )
  requireThat(
    verifyExtension(deal.client, extension, clientSignature) &&
      verifyExtension(deal.provider, extension, providerSignature),
    'SignatureInvalid',
    'the extension is not signed by both sides'
  )
}
