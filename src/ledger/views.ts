/** What queries answer with: records as people and roles ask for them, with all that follows from them by now. */
import type { Units } from '../base/money.ts'
import { totalLeaves } from './leaf-tree.ts'
import {
  isAbandoned,
  missesOfDeal,
  missesOfProvider,
  type ProviderState,
  providerStateOf,
  spansOf
} from './machine/misses.ts'
import type { Params } from './params.ts'
import { closableFrom } from './rules/ending.ts'
import { finalTo, tallyDeal } from './rules/settlement.ts'
import type { Overlay } from './state/overlay.ts'
import type { ChannelRecord } from './types/channel.ts'
import {
  type DealRecord,
  type MaintenanceSpan,
  NOTICE_BY,
  type ProviderRecord
} from './types/records.ts'

export interface AccountView {
  /** Next nonce. */
  nonce: bigint
  availableUnits: Units
  /** Locked as client. */
  escrowUnits: Units
  /** Locked as provider. */
  collateralUnits: Units
}

export interface ProviderView {
  account: Uint8Array
  peerKey: Uint8Array
  registeredHeight: bigint
  provenPeriods: bigint
  /** Absent before the first proof. */
  lastProvenPeriod?: bigint
  /** Leaves in the current period. */
  leaves: bigint
  state: ProviderState
  /** Missed periods in a row that count towards abandonment. */
  missedInARow: bigint
  /** Deals that failed because of it. */
  failedDeals: number
  /** Declared maintenance that is not over, ascending. */
  maintenance: MaintenanceSpan[]
}

export type DealState = 'open' | 'ended' | 'failed' | 'closed'

export interface DealView {
  id: Uint8Array
  client: Uint8Array
  provider: Uint8Array
  priceUnitsPerGiBPeriod: Units
  /** Still locked. */
  escrowUnits: Units
  /** Still locked. */
  collateralUnits: Units
  openedPeriod: bigint
  /** First period with leaves; absent before any. */
  startPeriod?: bigint
  endPeriod: bigint
  /** Newest revision on the ledger, and its contents; they hold from the period after its block. */
  revision: bigint
  root: Uint8Array
  leaves: bigint
  bytes: bigint
  /** Periods with leaves that were proven, the current one included. */
  provenPeriods: bigint
  /** Periods with leaves whose time to prove is over, without a proof. */
  missedPeriods: bigint
  /** Paid so far. */
  paidUnits: Units
  /** Proven and not yet settled. */
  owedUnits: Units
  /** Periods below this one are settled. */
  settledTo: bigint
  /** open until the end of endPeriod, ended until somebody closes it; failed from dealFail until dealClose. */
  state: DealState
  /** Missed periods in a row that count towards abandonment, up to the deal's end. */
  missedInARow: bigint
  /** dealFail is accepted now. */
  canFail: boolean
  /** dealClose is accepted from this period on, unless the deal can fail. */
  closableFrom: bigint
  /** Who gave the notice that brought endPeriod forward. */
  noticeBy?: 'client' | 'provider'
  /** The period in which it failed; its root, leaves and bytes are what it held then. */
  failedPeriod?: bigint
  /** Kept from its opening. */
  abandonPeriods: number
  bountyPeriods: number
  noticePeriods: number
  compensationPerMille: number
}

export interface ChannelView {
  id: Uint8Array
  payer: Uint8Array
  payee: Uint8Array
  /** All that was ever put in: no voucher above it is backed. */
  depositUnits: Units
  redeemedUnits: Units
  expiryHeight: bigint
  /** Above it the payer may close. */
  settledHeight: bigint
}

/** The moment at which a view is taken. */
export interface ViewContext {
  state: Overlay
  params: Params
  period: bigint
}

export function providerView(
  { state, params, period }: ViewContext,
  account: Uint8Array,
  record: ProviderRecord
): ProviderView {
  return {
    account,
    peerKey: record.peerKey,
    registeredHeight: record.registeredHeight,
    provenPeriods: record.provenCount,
    ...(record.provenNext === 0n ? {} : { lastProvenPeriod: record.provenNext - 1n }),
    leaves: totalLeaves(state, account, record.slotCount, period),
    state: providerStateOf(state, params, { account, record, period }),
    missedInARow: missesOfProvider(state, account, record, period),
    failedDeals: record.failedDeals,
    maintenance: spansOf(state, account).filter(({ to }) => to > period)
  }
}

export function dealView(ctx: ViewContext, id: Uint8Array, deal: DealRecord): DealView {
  const { state, params, period } = ctx
  const { contents, startPeriod, closed, slot: _, heldFrom: __, noticeBy, ...kept } = deal
  const { failedPeriod, ...facts } = kept
  const isOver = closed === 1 || failedPeriod > 0n
  const { owed, proven, missed } = unsettled(ctx, deal, isOver)
  return {
    ...facts,
    id,
    ...(startPeriod === 0n ? {} : { startPeriod }),
    ...contents.v2,
    provenPeriods: deal.provenPeriods + proven,
    missedPeriods: deal.missedPeriods + missed,
    owedUnits: owed,
    state: stateOf(deal, period),
    missedInARow: isOver ? 0n : missesOfDeal(state, params, deal, period),
    canFail: !isOver && isAbandoned(state, params, deal, period),
    closableFrom: closableFrom(deal),
    ...(noticeBy === NOTICE_BY.client ? { noticeBy: 'client' as const } : {}),
    ...(noticeBy === NOTICE_BY.provider ? { noticeBy: 'provider' as const } : {}),
    ...(failedPeriod > 0n ? { failedPeriod } : {})
  }
}

/** What the proofs known now add to a deal that goes on. */
function unsettled(
  { state, params, period }: ViewContext,
  deal: DealRecord,
  isOver: boolean
): { owed: Units; proven: bigint; missed: bigint } {
  if (isOver) return { owed: 0n, proven: 0n, missed: 0n }
  const from = deal.settledTo
  const known = tallyDeal(state, params, deal, { from, to: period + 1n })
  const final = tallyDeal(state, params, deal, { from, to: finalTo(state, deal.provider, period) })
  return { owed: known.units, proven: known.proven, missed: final.missed }
}

function stateOf({ closed, failedPeriod, endPeriod }: DealRecord, period: bigint): DealState {
  if (closed === 1) return 'closed'
  if (failedPeriod > 0n) return 'failed'
  return period <= endPeriod ? 'open' : 'ended'
}

export function channelView(id: Uint8Array, { index: _, ...channel }: ChannelRecord): ChannelView {
  return { id, ...channel }
}
