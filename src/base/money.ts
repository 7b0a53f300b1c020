/**
 * Money is a bigint count of units; 1 token = 10^9 units. Every operation is checked: an overflow or a negative
 * amount is a bug in the caller, never a wrapped number.
 */
import { assert } from './assert.ts'
import { HoldfastError } from './errors.ts'

export type Units = bigint

export const UNITS_PER_TOKEN: Units = 1_000_000_000n
/** Supply cap: fits u64 with room for sums. */
export const UNITS_MAX: Units = 10n ** 18n

export function add(a: Units, b: Units): Units {
  const sum = a + b
  assert(a >= 0n && b >= 0n && sum <= UNITS_MAX, 'money overflow')
  return sum
}

export function sub(a: Units, b: Units): Units {
  assert(a >= 0n && b >= 0n && b <= a, 'money underflow')
  return a - b
}

export function min(a: Units, b: Units): Units {
  return a < b ? a : b
}

/** ceil(a·b / divisor): rounds against the payer. */
export function mulDivCeil(a: bigint, b: bigint, divisor: bigint): bigint {
  assert(a >= 0n && b >= 0n && divisor > 0n, 'mulDivCeil of negatives')
  return (a * b + divisor - 1n) / divisor
}

/**
 * Decimal tokens ("1.5") to units.
 * @throws HoldfastError INVALID_ARGUMENT unless a positive decimal with at most 9 places, within the supply cap
 */
export function parseTokens(text: string): Units {
  const match = /^(\d{1,10})(?:\.(\d{1,9}))?$/.exec(text)
  if (match === null) {
    throw new HoldfastError('INVALID_ARGUMENT', `not an amount of tokens: ${text}`, {
      hint: 'write a positive decimal with at most 9 places, for example 1.5'
    })
  }
  const units = BigInt(match[1]!) * UNITS_PER_TOKEN + BigInt((match[2] ?? '').padEnd(9, '0'))
  if (units === 0n || units > UNITS_MAX) {
    throw new HoldfastError('INVALID_ARGUMENT', `amount out of range: ${text}`)
  }
  return units
}

/** Units as decimal tokens, without trailing zeros. */
export function formatTokens(units: Units): string {
  const whole = units / UNITS_PER_TOKEN
  const part = (units % UNITS_PER_TOKEN).toString().padStart(9, '0').replace(/0+$/, '')
  return part === '' ? whole.toString() : `${whole}.${part}`
}
