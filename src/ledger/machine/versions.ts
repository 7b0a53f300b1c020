/**
 * Three versions of a value. A change made in period w holds from w + 1, and proofs for w - 1 and w are still accepted
 * while w lasts, so a reader in period w asks for periods w - 1 and later: three values are exactly enough.
 */
import { assert } from '../../base/assert.ts'
import type { Versions } from '../types/records.ts'

export function constantVersions<T>(value: T): Versions<T> {
  return { period: 0n, v0: value, v1: value, v2: value }
}

/** The value at a period; exact from period - 2 on. */
export function versionAt<T>(versions: Versions<T>, period: bigint): T {
  if (period >= versions.period) return versions.v2
  return period === versions.period - 1n ? versions.v1 : versions.v0
}

/** The versions after `value` was set to hold from `period` on. */
export function setFrom<T>(versions: Versions<T>, period: bigint, value: T): Versions<T> {
  assert(period >= versions.period, 'versions only move forward')
  return {
    period,
    v0: versionAt(versions, period - 2n),
    v1: versionAt(versions, period - 1n),
    v2: value
  }
}
