/**
 * Every flow of money, and the only place that changes balances. Each flow keeps the running totals, so that after a
 * block balances + escrows + collateral + bonds + unbonding + burnt can be compared with the supply at no cost. Bonds
 * are held by the records of validators, which the caller keeps: here is what they take from and give to the rest.
 *
 * Rounding: the price of a period is rounded up to whole units, against the client. All else is exact.
 */
import { assert } from '../../base/assert.ts'
import { GIB } from '../../base/limits.ts'
import { add, mulDivCeil, sub, type Units } from '../../base/money.ts'
import type { Overlay } from '../state/overlay.ts'
import { accounts, ONLY, totals } from '../state/tables.ts'
import type { Account, Totals } from '../types/records.ts'
import { requireThat } from './outcomes.ts'

export const NEW_ACCOUNT: Account = {
  balanceUnits: 0n,
  nonce: 0n,
  escrowUnits: 0n,
  collateralUnits: 0n
}

type Pot = 'balanceUnits' | 'escrowUnits' | 'collateralUnits'

export function accountOf(state: Overlay, key: Uint8Array): Account {
  return state.get(accounts, key) ?? NEW_ACCOUNT
}

/** What one proven period costs: ceil(price · bytes / GiB), so at least one unit for a priced byte. */
export function periodPriceUnits(priceUnitsPerGiBPeriod: Units, bytes: bigint): Units {
  return mulDivCeil(priceUnitsPerGiBPeriod, bytes, BigInt(GIB))
}

/** @throws TxFailure InsufficientFunds */
export function transfer(state: Overlay, from: Uint8Array, to: Uint8Array, units: Units): void {
  requireBalance(state, from, units)
  move(state, { from, out: 'balanceUnits', to, into: 'balanceUnits', units })
}

/** Locks part of the payer's balance as escrow of the client. @throws TxFailure InsufficientFunds */
export function lockEscrow(
  state: Overlay,
  payer: Uint8Array,
  client: Uint8Array,
  units: Units
): void {
  requireBalance(state, payer, units)
  move(state, { from: payer, out: 'balanceUnits', to: client, into: 'escrowUnits', units })
}

/** @throws TxFailure InsufficientFunds */
export function lockCollateral(state: Overlay, provider: Uint8Array, units: Units): void {
  requireBalance(state, provider, units)
  move(state, { from: provider, out: 'balanceUnits', to: provider, into: 'collateralUnits', units })
}

/** From the escrow of a client or payer to anybody's balance: pay or refund. */
export function payFromEscrow(
  state: Overlay,
  client: Uint8Array,
  to: Uint8Array,
  units: Units
): void {
  move(state, { from: client, out: 'escrowUnits', to, into: 'balanceUnits', units })
}

export function releaseCollateral(state: Overlay, provider: Uint8Array, units: Units): void {
  move(state, { from: provider, out: 'collateralUnits', to: provider, into: 'balanceUnits', units })
}

/** From the collateral of a failed deal to the balance of whoever it compensates. */
export function payFromCollateral(
  state: Overlay,
  provider: Uint8Array,
  to: Uint8Array,
  units: Units
): void {
  move(state, { from: provider, out: 'collateralUnits', to, into: 'balanceUnits', units })
}

/** From the collateral of a failed deal to nobody. */
export function burnCollateral(state: Overlay, provider: Uint8Array, units: Units): void {
  const account = accountOf(state, provider)
  const collateralUnits = sub(account.collateralUnits, units)
  state.put(accounts, provider, { ...account, collateralUnits })
  retotal(state, 'collateralUnits', 'burntUnits', units)
}

/** From the balance to a bond. @throws TxFailure InsufficientFunds */
export function lockBond(state: Overlay, account: Uint8Array, units: Units): void {
  requireBalance(state, account, units)
  const { balanceUnits } = accountOf(state, account)
  setBalance(state, account, sub(balanceUnits, units))
  retotal(state, 'balanceUnits', 'bondUnits', units)
}

/** From a bond to what is on its way out. */
export function startUnbonding(state: Overlay, units: Units): void {
  retotal(state, 'bondUnits', 'unbondingUnits', units)
}

/** From what is on its way out to the balance. */
export function finishUnbonding(state: Overlay, account: Uint8Array, units: Units): void {
  payOut(state, 'unbondingUnits', account, units)
}

export type BondPot = 'bondUnits' | 'unbondingUnits'

/** From a slashed bond to the balance of whoever reported. */
export function payFromBond(state: Overlay, pot: BondPot, to: Uint8Array, units: Units): void {
  payOut(state, pot, to, units)
}

/** From a slashed bond to nobody. */
export function burnBond(state: Overlay, pot: BondPot, units: Units): void {
  retotal(state, pot, 'burntUnits', units)
}

/** Fails with AssertionError, and so stops the node, if money appeared or vanished. */
export function assertSupply(state: Overlay, supplyUnits: Units): void {
  assert(supplyOf(totalsOf(state)) === supplyUnits, 'money is not conserved')
}

export function supplyOf(sums: Totals): Units {
  const { balanceUnits, escrowUnits, collateralUnits, bondUnits, unbondingUnits, burntUnits } = sums
  return balanceUnits + escrowUnits + collateralUnits + bondUnits + unbondingUnits + burntUnits
}

export function totalsOf(state: Overlay): Totals {
  const found = state.get(totals, ONLY)
  assert(found !== undefined, 'totals exist from genesis on')
  return found
}

function requireBalance(state: Overlay, key: Uint8Array, units: Units): void {
  const { balanceUnits } = accountOf(state, key)
  requireThat(
    balanceUnits >= units,
    'InsufficientFunds',
    `balance ${balanceUnits} is below ${units} units`
  )
}

/** One account after the other, so that both may be the same. */
function move(
  state: Overlay,
  flow: { from: Uint8Array; out: Pot; to: Uint8Array; into: Pot; units: Units }
): void {
  const { from, out, to, into, units } = flow
  if (units === 0n) return
  const giver = accountOf(state, from)
  state.put(accounts, from, { ...giver, [out]: sub(giver[out], units) })
  const taker = accountOf(state, to)
  state.put(accounts, to, { ...taker, [into]: add(taker[into], units) })
  retotal(state, out, into, units)
}

function payOut(state: Overlay, pot: BondPot, to: Uint8Array, units: Units): void {
  const { balanceUnits } = accountOf(state, to)
  setBalance(state, to, add(balanceUnits, units))
  retotal(state, pot, 'balanceUnits', units)
}

function setBalance(state: Overlay, key: Uint8Array, balanceUnits: Units): void {
  state.put(accounts, key, { ...accountOf(state, key), balanceUnits })
}

function retotal(state: Overlay, out: keyof Totals, into: keyof Totals, units: Units): void {
  if (out === into || units === 0n) return
  const sums = totalsOf(state)
  state.put(totals, ONLY, {
    ...sums,
    [out]: sub(sums[out], units),
    [into]: add(sums[into], units)
  })
}
