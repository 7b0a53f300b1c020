/**
 * The code in closed form. The systematic Vandermonde code of Backblaze and klauspost is this: the data shards are the
 * values of a polynomial of degree < k at the field points 0..k-1, and shard r is its value at point r. So encode,
 * decode and repair are all one thing: Lagrange interpolation from k known points to other points. No matrix is
 * inverted.
 */
import { assert } from '../../base/assert.ts'
import { GROUP_ORDER, logarithm, power } from './field.ts'

/**
 * For each target point t the row c with: value at t = sum over j of c[j] * value at known[j], where
 * c_j = prod_i (t - x_i) / ((t - x_j) * prod_{i != j} (x_j - x_i)). Subtraction is XOR.
 *
 * @param known distinct points whose values are given
 * @param targets points wanted, none of them known
 */
export function lagrangeRows(known: readonly number[], targets: readonly number[]): Uint8Array[] {
  const denominators = known.map(x =>
    known.reduce((sum, other) => (other === x ? sum : sum + logarithm(x ^ other)), 0)
  )
  return targets.map(target => {
    assert(!known.includes(target), 'the target point is not known')
    const distances = known.map(x => logarithm(target ^ x))
    const product = distances.reduce((sum, distance) => sum + distance, 0)
    return Uint8Array.from(known, (_, j) =>
      power(modulo(product - distances[j]! - denominators[j]!, GROUP_ORDER))
    )
  })
}

function modulo(a: number, m: number): number {
  return ((a % m) + m) % m
}
