/** validatorBond, validatorUnbond and validatorWithdraw: the money behind a validator's power. */
import { equal } from '../../base/bytes.ts'
import type { Units } from '../../base/money.ts'
import type { TxContext } from '../machine/context.ts'
import { finishUnbonding, lockBond, startUnbonding } from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import { memberOf } from '../machine/validator-sets.ts'
import { powerOf, putValidator, requireValidator } from '../machine/validators.ts'
import { nextValidators, ONLY, validatorRecords } from '../state/tables.ts'
import { UNBONDINGS_MAX, type Unbonding, type ValidatorRecord } from '../types/validator.ts'
import type { BondAmount, ValidatorRef } from '../types/validator-tx.ts'

/**
 * More bond for the sender's validator.
 *
 * Money flows: units from the sender's balance to its bond.
 */
export function applyBond(ctx: TxContext, { units }: BondAmount): void {
  const { state, params, sender } = ctx
  requireThat(units > 0n, 'AmountInvalid', 'nothing to bond')
  const record = requireValidator(state, sender)
  requireThat(record.tombstonedHeight === 0n, 'ValidatorTombstoned', 'a conviction is for good')
  lockBond(state, sender, units)
  putValidator(state, params, sender, { ...record, bondUnits: record.bondUnits + units })
}

/**
 * Takes bond away. The power goes at the ends of the next epochs; from then on, or from now if the rest of the bond
 * backs all of the power, the units wait unbondingHeights and can be slashed.
 *
 * Money flows: units from the sender's bond to its unbonding.
 */
export function applyUnbond(ctx: TxContext, { units }: BondAmount): void {
  const { state, params, sender } = ctx
  requireThat(units > 0n, 'AmountInvalid', 'nothing to unbond')
  const record = requireValidator(state, sender)
  requireThat(
    units <= record.bondUnits,
    'InsufficientFunds',
    `the bond is ${record.bondUnits} units`
  )
  const bondUnits = record.bondUnits - units
  requireThat(
    bondUnits === 0n || bondUnits >= params.minBondUnits || record.tombstonedHeight > 0n,
    'BondTooSmall',
    `leave nothing, or at least ${params.minBondUnits} units`
  )
  const unbonding = withEntry(record, { units, releaseHeight: releaseHeightOf(ctx, bondUnits) })
  requireThat(
    unbonding.length <= UNBONDINGS_MAX,
    'TooManyUnbondings',
    `${UNBONDINGS_MAX} withdrawals wait already`
  )
  startUnbonding(state, units)
  putValidator(state, params, sender, { ...record, bondUnits, unbonding })
}

/** 0 while the validator has more power from the next height on than the rest of its bond backs. */
function releaseHeightOf({ state, params, height, sender }: TxContext, bondUnits: Units): bigint {
  const power = memberOf(state.get(nextValidators, ONLY)!, sender)?.power ?? 0n
  return power > powerOf(bondUnits) ? 0n : height + 1n + BigInt(params.unbondingHeights)
}

/** Entries with the same release are one. */
function withEntry({ unbonding }: ValidatorRecord, entry: Unbonding): Unbonding[] {
  const at = unbonding.findIndex(({ releaseHeight }) => releaseHeight === entry.releaseHeight)
  if (at < 0) return [...unbonding, entry]
  return unbonding.map((other, i) =>
    i === at ? { ...other, units: other.units + entry.units } : other
  )
}

/**
 * Gives back what has waited long enough, to the owner.
 *
 * Money flows: every entry that is due, from the sender's unbonding to its balance.
 */
export function applyWithdraw(ctx: TxContext, { account }: ValidatorRef): void {
  const { state, height, sender } = ctx
  requireThat(equal(account, sender), 'NotAParty', 'the validator belongs to another account')
  const record = requireValidator(state, sender)
  const isDue = ({ releaseHeight }: Unbonding): boolean =>
    releaseHeight > 0n && releaseHeight <= height
  const units = record.unbonding.filter(isDue).reduce((sum, entry) => sum + entry.units, 0n)
  requireThat(units > 0n, 'NothingToWithdraw', 'nothing has waited long enough')
  finishUnbonding(state, sender, units)
  const unbonding = record.unbonding.filter(entry => !isDue(entry))
  state.put(validatorRecords, sender, { ...record, unbonding })
}
