/** dealOpen and dealTopUp. */
import { assert } from '../../base/assert.ts'
import { ZERO_HASH } from '../../base/hash.ts'
import { UNITS_MAX } from '../../base/money.ts'
import type { TxContext } from '../machine/context.ts'
import { lockCollateral, lockEscrow } from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import { constantVersions } from '../machine/versions.ts'
import type { Overlay } from '../state/overlay.ts'
import {
  clientDealCounts,
  clientDeals,
  deals,
  numbered,
  providerDealCounts,
  providerDeals,
  providers,
  type Table
} from '../state/tables.ts'
import { type DealTerms, dealIdOf, verifyTerms } from '../types/deal.ts'
import { type Contents, NOTICE_BY } from '../types/records.ts'
import type { DealOpen, DealTopUp } from '../types/tx.ts'
import { openDeal } from './settlement.ts'
import { takeSlot } from './slots.ts'

const EMPTY: Contents = { revision: 0n, root: ZERO_HASH, leaves: 0n, bytes: 0n }

/**
 * Anybody may post it: both signatures are inside.
 *
 * Money flows: escrowUnits from the client's balance to its escrow; collateralUnits from the provider's balance to its
 * collateral.
 */
export function applyDealOpen(ctx: TxContext, payload: DealOpen): void {
  const { state, params, period } = ctx
  const { terms } = payload
  checkTerms(ctx, terms)
  requireThat(
    verifyTerms(terms.client, terms, payload.clientSignature) &&
      verifyTerms(terms.provider, terms, payload.providerSignature),
    'SignatureInvalid',
    'the terms are not signed by both sides'
  )
  const id = dealIdOf(terms)
  requireThat(state.get(deals, id) === undefined, 'DealExists', 'these terms were opened before')
  lockEscrow(state, terms.client, terms.client, terms.escrowUnits)
  lockCollateral(state, terms.provider, terms.collateralUnits)
  state.put(deals, id, {
    client: terms.client,
    provider: terms.provider,
    priceUnitsPerGiBPeriod: terms.priceUnitsPerGiBPeriod,
    escrowUnits: terms.escrowUnits,
    collateralUnits: terms.collateralUnits,
    openedPeriod: period,
    startPeriod: 0n,
    endPeriod: terms.endPeriod,
    slot: takeSlot(ctx, terms.provider, id),
    closed: 0,
    heldFrom: 0n,
    noticeBy: NOTICE_BY.nobody,
    failedPeriod: 0n,
    abandonPeriods: params.abandonPeriods,
    bountyPeriods: params.bountyPeriods,
    noticePeriods: params.noticePeriods,
    compensationPerMille: params.compensationPerMille,
    contents: constantVersions(EMPTY),
    settledTo: period + 1n,
    provenPeriods: 0n,
    missedPeriods: 0n,
    paidUnits: 0n
  })
  appendTo(state, clientDeals, clientDealCounts, terms.client, id)
  appendTo(state, providerDeals, providerDealCounts, terms.provider, id)
}

function checkTerms(ctx: TxContext, terms: DealTerms): void {
  const { state, params, period } = ctx
  requireThat(
    terms.chainId === ctx.network.chainId,
    'WrongNetwork',
    'the terms are for another network'
  )
  requireThat(
    ctx.height <= terms.startHeightMax,
    'TermsExpired',
    `the terms had to be opened by height ${terms.startHeightMax}`
  )
  requireThat(terms.endPeriod > period, 'DealOver', 'the deal would end before it starts')
  requireThat(
    terms.endPeriod - period <= BigInt(params.dealPeriodsMax),
    'TermsTooLong',
    `a deal runs at most ${params.dealPeriodsMax} periods`
  )
  requireThat(
    terms.priceUnitsPerGiBPeriod <= UNITS_MAX &&
      terms.escrowUnits <= UNITS_MAX &&
      terms.collateralUnits <= UNITS_MAX,
    'AmountInvalid',
    'an amount is above the supply cap'
  )
  requireThat(
    state.get(providers, terms.provider) !== undefined,
    'ProviderUnknown',
    'the provider is not registered'
  )
}

/**
 * More escrow for a running deal, from anybody; what is left goes to the client at the end.
 *
 * Money flows: amountUnits from the sender's balance to the client's escrow.
 */
export function applyDealTopUp(ctx: TxContext, payload: DealTopUp): void {
  requireThat(payload.amountUnits > 0n, 'AmountInvalid', 'nothing to add')
  const deal = openDeal(ctx, payload.dealId)
  requireThat(ctx.period <= deal.endPeriod, 'DealOver', 'the deal has ended')
  lockEscrow(ctx.state, ctx.sender, deal.client, payload.amountUnits)
  ctx.state.put(deals, payload.dealId, {
    ...deal,
    escrowUnits: deal.escrowUnits + payload.amountUnits
  })
}

function appendTo(
  state: Overlay,
  list: Table<Uint8Array>,
  counts: Table<number>,
  account: Uint8Array,
  dealId: Uint8Array
): void {
  const count = state.get(counts, account) ?? 0
  assert(count < 2 ** 32 - 1, 'deal indexes fit u32')
  state.put(list, numbered(account, count), dealId)
  state.put(counts, account, count + 1)
}
