/** Typed questions to the state at the newest height. All answers are synchronous and of one height. */
import type { Hash } from '../base/hash.ts'
import type { Units } from '../base/money.ts'
import { mixOf } from './machine/begin-block.ts'
import { accountOf } from './machine/money.ts'
import { provenBetween } from './machine/proven.ts'
import { setAt } from './machine/validator-sets.ts'
import { versionAt } from './machine/versions.ts'
import { type Params, periodAt } from './params.ts'
import { type Challenge, challengeFor } from './rules/proof.ts'
import { escrowNeeded } from './rules/revision.ts'
import { Overlay } from './state/overlay.ts'
import type { StateStore } from './state/store.ts'
import {
  channels,
  clientDealCounts,
  clientDeals,
  deals,
  lastValidators,
  nextValidators,
  numbered,
  ONLY,
  paramsTable,
  payerChannelCounts,
  payerChannels,
  peerKeys,
  proposals,
  providerDealCounts,
  providerDeals,
  providers,
  scheduled,
  type Table,
  validatorRecords,
  validators
} from './state/tables.ts'
import type { Validator } from './types/records.ts'
import type { ProposalRecord, Scheduled, ValidatorRecord } from './types/validator.ts'
import {
  type AccountView,
  type ChannelView,
  channelView,
  type DealView,
  dealView,
  type ProviderView,
  providerView,
  type ViewContext
} from './views.ts'

export class StateQueries {
  readonly #store: StateStore
  readonly #height: () => bigint
  readonly #genesisParams: Params

  constructor(store: StateStore, genesisParams: Params, height: () => bigint) {
    this.#store = store
    this.#genesisParams = genesisParams
    this.#height = height
  }

  /** Those that hold at the next height. */
  get params(): Params {
    return this.#state().get(paramsTable, ONLY) ?? this.#genesisParams
  }

  /** The proving period of the newest height. */
  period(): bigint {
    return periodAt(this.params, this.#height())
  }

  /** An account that was never used has zeros. */
  account(key: Uint8Array): AccountView {
    const { nonce, balanceUnits, escrowUnits, collateralUnits } = accountOf(this.#state(), key)
    return { nonce, availableUnits: balanceUnits, escrowUnits, collateralUnits }
  }

  provider(account: Uint8Array): ProviderView | undefined {
    const now = this.#now()
    const record = now.state.get(providers, account)
    return record && providerView(now, account, record)
  }

  /** @param peerKey 32-byte Ed25519 libp2p identity */
  providerByPeerKey(peerKey: Uint8Array): ProviderView | undefined {
    const account = this.#state().get(peerKeys, peerKey)
    return account === undefined ? undefined : this.provider(account)
  }

  deal(id: Uint8Array): DealView | undefined {
    const now = this.#now()
    const record = now.state.get(deals, id)
    return record && dealView(now, id, record)
  }

  /**
   * What is missing in a deal's escrow before a revision to `bytes` is accepted, if every period not yet settled turns
   * out proven; 0 when nothing is. Undefined for an unknown deal.
   * @param endPeriod of an extension. @default the deal's
   */
  escrowShortfall(id: Uint8Array, bytes: bigint, endPeriod?: bigint): Units | undefined {
    const record = this.#state().get(deals, id)
    if (record === undefined) return undefined
    const extended = endPeriod === undefined ? record : { ...record, endPeriod }
    const needed = escrowNeeded(extended, this.period(), bytes)
    return needed > record.escrowUnits ? needed - record.escrowUnits : 0n
  }

  /** The oldest revision of a deal that a challenge which can still be answered may draw from. */
  oldestProvableRevision(id: Uint8Array): bigint | undefined {
    const record = this.#state().get(deals, id)
    return record && versionAt(record.contents, this.period() - 1n).revision
  }

  /** Whether a provider's proof of a period is in the ledger. */
  isProven(provider: Uint8Array, period: bigint): boolean {
    const range = { from: period, to: period + 1n }
    return provenBetween(this.#state(), this.params, provider, range) > 0n
  }

  /** In the order of opening, closed ones included. */
  dealsOfClient(client: Uint8Array): DealView[] {
    return this.#dealsIn(clientDeals, clientDealCounts, client)
  }

  /** In the order of opening, closed ones included. */
  dealsOfProvider(provider: Uint8Array): DealView[] {
    return this.#dealsIn(providerDeals, providerDealCounts, provider)
  }

  channel(id: Uint8Array): ChannelView | undefined {
    const record = this.#state().get(channels, id)
    return record && channelView(id, record)
  }

  /** Channels that the account pays for and that are open, in no order. */
  channelsOfPayer(payer: Uint8Array): ChannelView[] {
    const state = this.#state()
    const ids = listed(state, payerChannels, payerChannelCounts, payer)
    return ids.map(id => channelView(id, state.get(channels, id)!))
  }

  /**
   * What a provider has to open for the current period or the one before. Undefined before the seed exists, for any
   * other period, and when it holds no leaves.
   */
  challenge(provider: Uint8Array, period: bigint): Challenge | undefined {
    const now = this.period()
    if (period > now || period < now - 1n) return undefined
    return challengeFor(this.#state(), this.params, provider, period)
  }

  /** The set that decides the next height, in the order of certificates. */
  validators(): Validator[] {
    return this.#state().get(validators, ONLY) ?? []
  }

  /** The set that decides the height after the next. */
  nextValidators(): Validator[] {
    return this.#state().get(nextValidators, ONLY) ?? []
  }

  /** The set that decided the newest height; that of height 1 before it. */
  lastValidators(): Validator[] {
    return this.#state().get(lastValidators, ONLY) ?? []
  }

  /** The set of a height: as far back as evidence reaches, and two heights ahead. */
  validatorsAt(height: bigint): Validator[] | undefined {
    return setAt(this.#state(), this.#height(), height)
  }

  /** The validator of an account, in the set or not. */
  validator(account: Uint8Array): ValidatorRecord | undefined {
    return this.#state().get(validatorRecords, account)
  }

  /** The open proposal of a validator. */
  proposal(account: Uint8Array): ProposalRecord | undefined {
    return this.#state().get(proposals, account)
  }

  /** Accepted changes of parameters that wait for their epoch. */
  scheduledChanges(): Scheduled[] {
    return this.#state().get(scheduled, ONLY) ?? []
  }

  /** The beacon's mix after the newest block. */
  mix(): Hash {
    return mixOf(this.#state())
  }

  #state(): Overlay {
    return new Overlay(this.#store)
  }

  #dealsIn(list: Table<Uint8Array>, counts: Table<number>, account: Uint8Array): DealView[] {
    const now = this.#now()
    const ids = listed(now.state, list, counts, account)
    return ids.map(id => dealView(now, id, now.state.get(deals, id)!))
  }

  #now(): ViewContext {
    return { state: this.#state(), params: this.params, period: this.period() }
  }
}

function listed(
  state: Overlay,
  list: Table<Uint8Array>,
  counts: Table<number>,
  account: Uint8Array
): Uint8Array[] {
  const count = state.get(counts, account) ?? 0
  return Array.from({ length: count }, (_, i) => state.get(list, numbered(account, i))!)
}
