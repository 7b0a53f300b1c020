/** dealRevise: new contents of a deal, agreed by both sides off-ledger. Only the newest ever needs to be posted. */
import { equal } from '../../base/bytes.ts'
import { DEAL_PIECES_MAX, LEAF_BYTES, PIECE_BYTES_MAX } from '../../base/limits.ts'
import type { Units } from '../../base/money.ts'
import type { TxContext } from '../machine/context.ts'
import { periodPriceUnits } from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import { versionAt } from '../machine/versions.ts'
import { deals } from '../state/tables.ts'
import { type Revision, verifyRevision } from '../types/deal.ts'
import type { DealRecord } from '../types/records.ts'
import type { DealRevise } from '../types/tx.ts'
import { openDeal, settle } from './settlement.ts'
import { setContents } from './slots.ts'

/** What the sum tree of a full deal of longest pieces holds. */
export const DEAL_LEAVES_MAX: bigint =
  BigInt(DEAL_PIECES_MAX) * BigInt(Math.ceil(PIECE_BYTES_MAX / LEAF_BYTES))

/** Money flows: those of `settle`. */
export function applyDealRevise(ctx: TxContext, payload: DealRevise): void {
  const { revision } = payload
  const deal = openDeal(ctx, revision.dealId)
  checkParties(ctx, deal, payload)
  checkContents(deal, revision)
  requireThat(ctx.period < deal.endPeriod, 'DealOver', 'the deal has no period left to change')
  const settled = settle(ctx, deal)
  const neededUnits = escrowNeeded(settled, ctx.period, revision.bytes)
  requireThat(
    neededUnits <= settled.escrowUnits,
    'InsufficientEscrow',
    `the deal needs ${neededUnits} units in escrow, it has ${settled.escrowUnits}`
  )
  const { root, leaves, bytes } = revision
  const revised = setContents(ctx, settled, { revision: revision.revision, root, leaves, bytes })
  ctx.state.put(deals, revision.dealId, {
    ...revised,
    startPeriod: startPeriodOf(deal, ctx.period, leaves),
    heldFrom: heldFromOf(deal, ctx.period, leaves)
  })
}

function checkParties(ctx: TxContext, deal: DealRecord, payload: DealRevise): void {
  const { revision, clientSignature, providerSignature } = payload
  requireThat(
    equal(ctx.sender, deal.client) || equal(ctx.sender, deal.provider),
    'NotAParty',
    'only the client and the provider post revisions'
  )
  requireThat(
    revision.chainId === ctx.network.chainId,
    'WrongNetwork',
    'the revision is for another network'
  )
  requireThat(
    verifyRevision(deal.client, revision, clientSignature) &&
      verifyRevision(deal.provider, revision, providerSignature),
    'SignatureInvalid',
    'the revision is not signed by both sides'
  )
}

/** Bounds that keep every accepted revision provable: leaves and bytes fit each other and the sum tree. */
function checkContents(deal: DealRecord, { revision, leaves, bytes }: Revision): void {
  const newest = deal.contents.v2.revision
  requireThat(revision > newest, 'RevisionStale', `the ledger has revision ${newest}`)
  requireThat(
    leaves <= DEAL_LEAVES_MAX && leaves <= bytes && bytes <= leaves * BigInt(LEAF_BYTES),
    'RevisionInvalid',
    'leaves and bytes do not fit each other'
  )
}

/**
 * Escrow that pays every period from the first unsettled one to the end if all are proven. The deal is settled, so at
 * most two periods have old contents.
 */
export function escrowNeeded(deal: DealRecord, period: bigint, bytes: bigint): Units {
  const priceOf = (of: bigint): Units => periodPriceUnits(deal.priceUnitsPerGiBPeriod, of)
  let sum = (deal.endPeriod - period) * priceOf(bytes)
  for (let q = deal.settledTo; q <= period; q++) sum += priceOf(versionAt(deal.contents, q).bytes)
  return sum
}

/** 0 until leaves hold; a start that has not come yet follows the newest revision. */
function startPeriodOf(deal: DealRecord, period: bigint, leaves: bigint): bigint {
  if (deal.startPeriod !== 0n && deal.startPeriod <= period) return deal.startPeriod
  return leaves > 0n ? period + 1n : 0n
}

/** 0 without leaves: what is not held cannot be missed. */
function heldFromOf({ heldFrom }: DealRecord, period: bigint, leaves: bigint): bigint {
  if (leaves === 0n) return 0n
  return heldFrom > 0n ? heldFrom : period + 1n
}
