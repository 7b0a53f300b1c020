/**
 * The records of validators and the roster: the accounts that are bonded and neither jailed nor convicted, at most
 * ROSTER_MAX. The end of an epoch looks at nobody else.
 */
import { assert } from '../../base/assert.ts'
import { compare, equal } from '../../base/bytes.ts'
import { VALIDATORS_MAX } from '../../base/limits.ts'
import type { Units } from '../../base/money.ts'
import type { Params } from '../params.ts'
import type { Overlay } from '../state/overlay.ts'
import { ONLY, roster, validatorRecords } from '../state/tables.ts'
import type { Validator } from '../types/records.ts'
import { ROSTER_MAX, UNITS_PER_POWER, type ValidatorRecord } from '../types/validator.ts'
import { fail } from './outcomes.ts'
import { bySeat } from './validator-sets.ts'

/** @throws TxFailure ValidatorUnknown */
export function requireValidator(state: Overlay, account: Uint8Array): ValidatorRecord {
  const record = state.get(validatorRecords, account)
  if (record === undefined) fail('ValidatorUnknown', 'the account has no validator')
  return record
}

export function powerOf(bondUnits: Units): bigint {
  return bondUnits / UNITS_PER_POWER
}

export function unbondingUnitsOf({ unbonding }: ValidatorRecord): Units {
  return unbonding.reduce((sum, { units }) => sum + units, 0n)
}

export function isBarred({ jailedUntil, tombstonedHeight }: ValidatorRecord): boolean {
  return jailedUntil > 0n || tombstonedHeight > 0n
}

export function rosterOf(state: Overlay): Uint8Array[] {
  return state.get(roster, ONLY) ?? []
}

/**
 * Writes a record, and puts it into the roster or takes it out as its bond and its fate ask for. When the roster is
 * full, a greater bond takes the place of the smallest.
 * @throws TxFailure RosterFull
 */
export function putValidator(
  state: Overlay,
  params: Params,
  account: Uint8Array,
  record: ValidatorRecord
): void {
  const belongs = record.bondUnits >= params.minBondUnits && !isBarred(record)
  if (belongs && record.rostered === 0) enter(state, account, record.bondUnits)
  if (!belongs && record.rostered === 1) leave(state, account)
  state.put(validatorRecords, account, { ...record, rostered: belongs ? 1 : 0 })
}

function enter(state: Overlay, account: Uint8Array, bondUnits: Units): void {
  const accounts = rosterOf(state)
  if (accounts.length === ROSTER_MAX) {
    const [smallest, rest] = splitSmallest(state, accounts)
    const record = recordOf(state, smallest)
    if (record.bondUnits >= bondUnits) fail('RosterFull', 'all bonds of the roster are as large')
    state.put(validatorRecords, smallest, { ...record, rostered: 0 })
    state.put(roster, ONLY, [...rest, account])
    return
  }
  state.put(roster, ONLY, [...accounts, account])
}

function leave(state: Overlay, account: Uint8Array): void {
  state.put(
    roster,
    ONLY,
    rosterOf(state).filter(other => !equal(other, account))
  )
}

function splitSmallest(
  state: Overlay,
  accounts: readonly Uint8Array[]
): [smallest: Uint8Array, rest: Uint8Array[]] {
  const bonds = accounts.map(account => ({ account, units: recordOf(state, account).bondUnits }))
  bonds.sort((a, b) =>
    a.units === b.units ? compare(a.account, b.account) : a.units < b.units ? -1 : 1
  )
  const { account: smallest } = bonds[0]!
  return [smallest, accounts.filter(account => !equal(account, smallest))]
}

/** The set that the bonds ask for: the greatest VALIDATORS_MAX powers of the roster. Reads the whole roster. */
export function wantedSet(state: Overlay, params: Params): Validator[] {
  const all: Validator[] = []
  for (const account of rosterOf(state)) {
    const { voteKey, beaconKey, bondUnits } = recordOf(state, account)
    // the vote may have raised the least bond
    if (bondUnits < params.minBondUnits) continue
    all.push({ publicKey: voteKey, power: powerOf(bondUnits), account, beaconKey })
  }
  return all.sort(bySeat).slice(0, VALIDATORS_MAX)
}

function recordOf(state: Overlay, account: Uint8Array): ValidatorRecord {
  const record = state.get(validatorRecords, account)
  assert(record !== undefined, 'whoever is in the roster is a validator')
  return record
}
