/**
 * Ledger parameters: fixed by genesis, range-checked together so that no accepted set makes a later step impossible.
 */
import { assert } from '../base/assert.ts'
import { HoldfastError } from '../base/errors.ts'
import { PROOF_LEAVES_MAX, TX_BYTES_MAX } from '../base/limits.ts'
import { UNITS_MAX, type Units } from '../base/money.ts'
import { OPENING_BYTES_MAX } from './types/proof.ts'
import { container, type Ssz, u32, u64 } from './types/ssz.ts'
import { TX_OVERHEAD_BYTES_MAX } from './types/tx.ts'

export interface Params {
  /** Least time between two blocks. */
  blockIntervalMs: number
  /** Heights in one proving period. */
  periodHeights: number
  /** Leaves every proof opens. */
  leavesPerProof: number
  feeBaseUnits: Units
  feePerKiBUnits: Units
  /** Longest deal, and how long a proven period can wait for its settlement. */
  dealPeriodsMax: number
  /** A beacon reveal is due at multiples of this height. */
  revealEveryHeights: number
}

/** So many openings always fit one transaction. */
export const LEAVES_PER_PROOF_MAX: number = Math.floor(
  (TX_BYTES_MAX - TX_OVERHEAD_BYTES_MAX) / OPENING_BYTES_MAX
)
export const BLOCK_INTERVAL_MS_MAX = 600_000
export const PERIOD_HEIGHTS_MIN = 2
export const PERIOD_HEIGHTS_MAX = 10_000_000
export const DEAL_PERIODS_MAX = 4096
const FEE_UNITS_MAX: Units = UNITS_MAX / 10n ** 6n

assert(LEAVES_PER_PROOF_MAX <= PROOF_LEAVES_MAX, 'a full proof fits its list')

export const paramsType: Ssz<Params> = container<Params>('Params', {
  blockIntervalMs: u32,
  periodHeights: u32,
  leavesPerProof: u32,
  feeBaseUnits: u64,
  feePerKiBUnits: u64,
  dealPeriodsMax: u32,
  revealEveryHeights: u32
})

const DAY_MS = 86_400_000

/** 5 s blocks, daily periods. */
export function defaultParams(): Params {
  const blockIntervalMs = 5_000
  const periodHeights = DAY_MS / blockIntervalMs
  return {
    blockIntervalMs,
    periodHeights,
    leavesPerProof: 24,
    feeBaseUnits: 1_000n,
    feePerKiBUnits: 1_000n,
    dealPeriodsMax: 1_095,
    revealEveryHeights: 12
  }
}

/**
 * Short blocks and periods for a network on one machine.
 * @throws HoldfastError CONFIG_INVALID when the period has fewer than two blocks
 */
export function devnetParams(options: { periodMs: number; blockIntervalMs?: number }): Params {
  const blockIntervalMs = options.blockIntervalMs ?? 500
  const periodHeights = Math.round(options.periodMs / blockIntervalMs)
  return checkParams({
    ...defaultParams(),
    blockIntervalMs,
    periodHeights,
    // so many proofs an hour that, at the usual fees, a provider of a few MiB would pay more than it earns
    feeBaseUnits: 100n,
    feePerKiBUnits: 10n,
    dealPeriodsMax: DEAL_PERIODS_MAX,
    revealEveryHeights: periodHeights
  })
}

/** The same params. @throws HoldfastError CONFIG_INVALID naming the first one out of range */
export function checkParams(params: Params): Params {
  const within = (name: keyof Params, low: number, high: number): void => {
    const value = params[name]
    if (!Number.isInteger(value) || Number(value) < low || Number(value) > high) {
      throw new HoldfastError('CONFIG_INVALID', `${name} must be between ${low} and ${high}`)
    }
  }
  within('blockIntervalMs', 1, BLOCK_INTERVAL_MS_MAX)
  within('periodHeights', PERIOD_HEIGHTS_MIN, PERIOD_HEIGHTS_MAX)
  within('leavesPerProof', 1, LEAVES_PER_PROOF_MAX)
  within('dealPeriodsMax', 1, DEAL_PERIODS_MAX)
  // a reveal at least once per period: every seed has fresh randomness
  within('revealEveryHeights', 1, params.periodHeights)
  for (const name of ['feeBaseUnits', 'feePerKiBUnits'] as const) {
    const fee = params[name]
    if (typeof fee !== 'bigint' || fee < 0n || fee > FEE_UNITS_MAX) {
      throw new HoldfastError('CONFIG_INVALID', `${name} must be between 0 and ${FEE_UNITS_MAX}`)
    }
  }
  return params
}

/** What a transaction of `bytes` pays: base plus every begun KiB. */
export function feeOf(params: Params, bytes: number): Units {
  return params.feeBaseUnits + params.feePerKiBUnits * BigInt(Math.ceil(bytes / 1024))
}

/** The proving period of a height. */
export function periodAt(params: Params, height: bigint): bigint {
  return height / BigInt(params.periodHeights)
}
