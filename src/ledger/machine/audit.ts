/** The slow check of money: adds up every record and compares with the running totals. */
import { assert } from '../../base/assert.ts'
import type { Units } from '../../base/money.ts'
import type { StateStore } from '../state/store.ts'
import { accounts, channels, deals, totals, validatorRecords } from '../state/tables.ts'
import type { Totals } from '../types/records.ts'
import { supplyOf } from './money.ts'

/**
 * Scans the committed state. Fails with AssertionError unless accounts, deals, channels, validators and totals agree
 * and add up to the supply.
 */
export async function auditSupply(store: StateStore, supplyUnits: Units): Promise<Totals> {
  const byAccount: Totals = emptyTotals()
  const byDeal: Totals = emptyTotals()
  const bonded: Totals = emptyTotals()
  let kept: Totals | undefined
  for await (const { record, value } of store.records()) {
    if (record[0] === accounts.id) {
      const account = accounts.type.deserialize(value)
      byAccount.balanceUnits += account.balanceUnits
      byAccount.escrowUnits += account.escrowUnits
      byAccount.collateralUnits += account.collateralUnits
    } else if (record[0] === deals.id) {
      const deal = deals.type.deserialize(value)
      byDeal.escrowUnits += deal.escrowUnits
      byDeal.collateralUnits += deal.collateralUnits
    } else if (record[0] === channels.id) {
      const channel = channels.type.deserialize(value)
      byDeal.escrowUnits += channel.depositUnits - channel.redeemedUnits
    } else if (record[0] === validatorRecords.id) {
      const { bondUnits, unbonding } = validatorRecords.type.deserialize(value)
      bonded.bondUnits += bondUnits
      for (const { units } of unbonding) bonded.unbondingUnits += units
    } else if (record[0] === totals.id) {
      kept = totals.type.deserialize(value)
    }
  }
  assert(kept !== undefined, 'totals exist')
  assert(byAccount.balanceUnits === kept.balanceUnits, 'balances add up')
  assert(byAccount.escrowUnits === kept.escrowUnits, 'escrows of accounts add up')
  assert(byAccount.collateralUnits === kept.collateralUnits, 'collateral of accounts adds up')
  assert(byDeal.escrowUnits === kept.escrowUnits, 'escrows of deals and channels add up')
  assert(byDeal.collateralUnits === kept.collateralUnits, 'collateral of deals adds up')
  assert(bonded.bondUnits === kept.bondUnits, 'bonds add up')
  assert(bonded.unbondingUnits === kept.unbondingUnits, 'unbonding bonds add up')
  assert(supplyOf(kept) === supplyUnits, 'the total is the supply')
  return kept
}

function emptyTotals(): Totals {
  return {
    balanceUnits: 0n,
    escrowUnits: 0n,
    collateralUnits: 0n,
    bondUnits: 0n,
    unbondingUnits: 0n,
    burntUnits: 0n
  }
}
