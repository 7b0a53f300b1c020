/** Typed questions to the state at the newest height. All answers are synchronous and of one height. */
import type { Hash } from '../base/hash.ts'
import type { Units } from '../base/money.ts'
import { totalLeaves } from './fenwick.ts'
import { mixOf } from './machine/begin-block.ts'
import { accountOf } from './machine/money.ts'
import { provenBetween } from './machine/proven.ts'
import { setAt } from './machine/validator-sets.ts'
import { versionAt } from './machine/versions.ts'
import { type Params, periodAt } from './params.ts'
import { type Challenge, challengeFor } from './rules/proof.ts'
import { escrowNeeded } from './rules/revision.ts'
import { finalTo, tallyDeal } from './rules/settlement.ts'
import { Overlay } from './state/overlay.ts'
import type { StateStore } from './state/store.ts'
import {
  clientDealCounts,
  clientDeals,
  deals,
  lastValidators,
  nextValidators,
  numbered,
  ONLY,
  paramsTable,
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
import type { DealRecord, Validator } from './types/records.ts'
import type { ProposalRecord, Scheduled, ValidatorRecord } from './types/validator.ts'

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
}

export type DealState = 'open' | 'ended' | 'closed'

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
  /** open until the end of endPeriod, ended until somebody closes it. */
  state: DealState
}

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
    const state = this.#state()
    const record = state.get(providers, account)
    if (record === undefined) return undefined
    return {
      account,
      peerKey: record.peerKey,
      registeredHeight: record.registeredHeight,
      provenPeriods: record.provenCount,
      ...(record.provenNext === 0n ? {} : { lastProvenPeriod: record.provenNext - 1n }),
      leaves: totalLeaves(state, account, record.slotCount, this.period())
    }
  }

  /** @param peerKey 32-byte Ed25519 libp2p identity */
  providerByPeerKey(peerKey: Uint8Array): ProviderView | undefined {
    const account = this.#state().get(peerKeys, peerKey)
    return account === undefined ? undefined : this.provider(account)
  }

  deal(id: Uint8Array): DealView | undefined {
    const state = this.#state()
    const record = state.get(deals, id)
    return record === undefined ? undefined : this.#dealView(state, id, record)
  }

  /**
   * What is missing in a deal's escrow before a revision to `bytes` is accepted, if every period not yet settled turns
   * out proven; 0 when nothing is. Undefined for an unknown deal.
   */
  escrowShortfall(id: Uint8Array, bytes: bigint): Units | undefined {
    const record = this.#state().get(deals, id)
    if (record === undefined) return undefined
    const needed = escrowNeeded(record, this.period(), bytes)
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
    const state = this.#state()
    const count = state.get(counts, account) ?? 0
    const views: DealView[] = []
    for (let i = 0; i < count; i++) {
      const id = state.get(list, numbered(account, i))!
      views.push(this.#dealView(state, id, state.get(deals, id)!))
    }
    return views
  }

  #dealView(state: Overlay, id: Uint8Array, deal: DealRecord): DealView {
    const now = this.period()
    const tally = (to: bigint) => tallyDeal(state, this.params, deal, { from: deal.settledTo, to })
    const open = deal.closed === 0
    const { contents, settledTo, startPeriod, closed, slot: _, ...kept } = deal
    const unsettled = tally(now + 1n)
    return {
      ...kept,
      id,
      ...(startPeriod === 0n ? {} : { startPeriod }),
      ...contents.v2,
      provenPeriods: deal.provenPeriods + unsettled.proven,
      missedPeriods: deal.missedPeriods + tally(finalTo(state, deal.provider, now)).missed,
      owedUnits: unsettled.units,
      settledTo,
      state: !open ? 'closed' : now <= deal.endPeriod ? 'open' : 'ended'
    }
  }
}
