/**
 * GF(2^8) with the polynomial x^8 + x^4 + x^3 + x^2 + 1 (0x11d) and generator 2: the field of the Backblaze, klauspost
 * and reed-solomon-erasure codes. Addition is XOR.
 */
import { assert } from '../../base/assert.ts'

export const FIELD_SIZE = 256
const FIELD_POLYNOMIAL = 0x11d
/** The non-zero elements are the powers 2^0 .. 2^254. */
export const GROUP_ORDER = 255

/** EXP[i] = 2^i, written twice so that the sum of two logarithms needs no reduction. */
const EXP: Uint8Array = new Uint8Array(2 * GROUP_ORDER)
/** LOG[2^i] = i; LOG[0] is not defined. */
const LOG: Uint8Array = new Uint8Array(FIELD_SIZE)

for (let power = 0, x = 1; power < GROUP_ORDER; power++) {
  EXP[power] = x
  EXP[power + GROUP_ORDER] = x
  LOG[x] = power
  x <<= 1
  if (x >= FIELD_SIZE) x ^= FIELD_POLYNOMIAL
}

/** Discrete logarithm to base 2 of a non-zero element, 0..254. */
export function logarithm(a: number): number {
  assert(a > 0 && a < FIELD_SIZE, 'only a non-zero element has a logarithm')
  return LOG[a]!
}

/** 2^power for 0 <= power < 510. */
export function power(exponent: number): number {
  return EXP[exponent]!
}

export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : EXP[LOG[a]! + LOG[b]!]!
}

/** a / b for b != 0. */
export function divide(a: number, b: number): number {
  return a === 0 ? 0 : EXP[LOG[a]! + GROUP_ORDER - logarithm(b)]!
}

const PRODUCTS = new Map<number, Uint8Array>()

/** All products of one element: products(s)[x] = s * x. Made when first asked for. */
export function products(s: number): Uint8Array {
  const made = PRODUCTS.get(s)
  if (made !== undefined) return made
  const table = Uint8Array.from({ length: FIELD_SIZE }, (_, x) => multiply(s, x))
  PRODUCTS.set(s, table)
  return table
}

/** One table for the SIMD kernels: s*0 .. s*15, then s*0x00 .. s*0xf0. */
export const NIBBLE_TABLE_BYTES = 32

/** The nibble table of every element, back to back: s begins at s * NIBBLE_TABLE_BYTES. */
export function nibbleTables(): Uint8Array {
  const tables = new Uint8Array(FIELD_SIZE * NIBBLE_TABLE_BYTES)
  for (let s = 0; s < FIELD_SIZE; s++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      tables[s * NIBBLE_TABLE_BYTES + nibble] = multiply(s, nibble)
      tables[s * NIBBLE_TABLE_BYTES + 16 + nibble] = multiply(s, nibble << 4)
    }
  }
  return tables
}
