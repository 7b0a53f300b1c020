/** Median and spread: few samples on a shared machine, so nothing that one outlier can move. */
import { assert } from '../src/base/assert.ts'

/** Linear interpolation between the closest ranks. @param fraction 0..1 */
export function quantile(values: readonly number[], fraction: number): number {
  assert(values.length > 0, 'a quantile of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  const at = fraction * (sorted.length - 1)
  const below = Math.floor(at)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (high - low) * (at - below)
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Interquartile range divided by the median; 0 when all values are equal. */
export function spreadOf(values: readonly number[]): number {
  const middle = median(values)
  const range = quantile(values, 0.75) - quantile(values, 0.25)
  return range === 0 ? 0 : range / Math.abs(middle)
}

/** Four significant digits: more would be noise. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
