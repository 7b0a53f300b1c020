/**
 * Ledger parameters: set by genesis, some changed by vote (governed-params.ts), range-checked together so that no
 * accepted set makes a later step impossible.
 */
import { assert } from '../base/assert.ts'
import { HoldfastError } from '../base/errors.ts'
import { PROOF_LEAVES_MAX, TX_BYTES_MAX } from '../base/limits.ts'
import { UNITS_MAX, UNITS_PER_TOKEN, type Units } from '../base/money.ts'
import { OPENING_BYTES_MAX } from './types/proof.ts'
import { container, type Ssz, u32, u64 } from './types/ssz.ts'
import { TX_OVERHEAD_BYTES_MAX } from './types/tx.ts'
import { SETS_KEPT_MAX } from './types/validator.ts'

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
  /** The validator set changes at most once in so many heights. */
  epochHeights: number
  /** Least bond of a validator that can be in the set. */
  minBondUnits: Units
  /** From the loss of the power that a bond backs to its withdrawal. */
  unbondingHeights: number
  /** Evidence older than this is not taken. */
  evidenceHeights: number
  /** Whoever misses more than half of the certificates of such a window is jailed. */
  downtimeHeights: number
  /** Least stay in jail. */
  jailHeights: number
  /** A deal fails after so many missed periods in a row. Deals keep this and the next three from their opening. */
  abandonPeriods: number
  /** The collateral of a failed deal pays for its repair so long. */
  bountyPeriods: number
  /** From a client's notice to the end of the deal; a provider's is longer (rules/ending.ts). */
  noticePeriods: number
  /** The client's share of the collateral that the repair of a failed deal left over. */
  compensationPerMille: number
  /** A provider may declare maintenance of so many periods in any span of maintenanceWindowPeriods. */
  maintenancePeriodsMax: number
  maintenanceWindowPeriods: number
  /** From the expiry of a channel to the first height at which its payer may close it. */
  channelSettleHeights: number
}

/** So many openings always fit one transaction. */
export const LEAVES_PER_PROOF_MAX: number = Math.floor(
  (TX_BYTES_MAX - TX_OVERHEAD_BYTES_MAX) / OPENING_BYTES_MAX
)
export const BLOCK_INTERVAL_MS_MAX = 600_000
export const PERIOD_HEIGHTS_MIN = 2
export const PERIOD_HEIGHTS_MAX = 10_000_000
export const DEAL_PERIODS_MAX = 4096
export const ABANDON_PERIODS_MIN = 2
export const MAINTENANCE_WINDOW_PERIODS_MAX: number = 16 * DEAL_PERIODS_MAX
export const EPOCH_HEIGHTS_MIN = 2
export const HEIGHTS_MAX = 100_000_000
const FEE_UNITS_MAX: Units = UNITS_MAX / 10n ** 6n
const BOND_UNITS_MAX: Units = UNITS_MAX / 1000n

assert(LEAVES_PER_PROOF_MAX <= PROOF_LEAVES_MAX, 'a full proof fits its list')

export const paramsType: Ssz<Params> = container<Params>('Params', {
  blockIntervalMs: u32,
  periodHeights: u32,
  leavesPerProof: u32,
  feeBaseUnits: u64,
  feePerKiBUnits: u64,
  dealPeriodsMax: u32,
  revealEveryHeights: u32,
  epochHeights: u32,
  minBondUnits: u64,
  unbondingHeights: u32,
  evidenceHeights: u32,
  downtimeHeights: u32,
  jailHeights: u32,
  abandonPeriods: u32,
  bountyPeriods: u32,
  noticePeriods: u32,
  compensationPerMille: u32,
  maintenancePeriodsMax: u32,
  maintenanceWindowPeriods: u32,
  channelSettleHeights: u32
})

const DAY_MS = 86_400_000

const UNBONDING_DAYS = 14
/** A failed node on a devnet is given up after this. */
const DEVNET_ABANDON_MS = 300_000

/** 5 s blocks, daily periods, hourly epochs, 14 days of unbonding, a week until a silent provider is given up. */
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
    revealEveryHeights: 12,
    epochHeights: 720,
    minBondUnits: 1_000n * UNITS_PER_TOKEN,
    unbondingHeights: UNBONDING_DAYS * periodHeights,
    evidenceHeights: UNBONDING_DAYS * periodHeights,
    downtimeHeights: 10_000,
    jailHeights: 720,
    abandonPeriods: 7,
    bountyPeriods: 7,
    noticePeriods: 3,
    compensationPerMille: 500,
    maintenancePeriodsMax: 7,
    maintenanceWindowPeriods: 90,
    channelSettleHeights: 720
  }
}

/**
 * The default parameters with other paces.
 * @throws HoldfastError CONFIG_INVALID naming the first one out of range
 */
export function paramsFor(pace: { blockIntervalMs: number; periodMs: number }): Params {
  const periodHeights = Math.round(pace.periodMs / pace.blockIntervalMs)
  return checkParams({ ...defaultParams(), blockIntervalMs: pace.blockIntervalMs, periodHeights })
}

/**
 * Short blocks and periods for a network on one machine.
 * @throws HoldfastError CONFIG_INVALID when the period has fewer than two blocks
 */
export function devnetParams(options: { periodMs: number; blockIntervalMs?: number }): Params {
  const blockIntervalMs = options.blockIntervalMs ?? 500
  const periodHeights = Math.round(options.periodMs / blockIntervalMs)
  const abandonPeriods = Math.min(
    DEAL_PERIODS_MAX,
    Math.max(ABANDON_PERIODS_MIN, Math.ceil(DEVNET_ABANDON_MS / options.periodMs))
  )
  return checkParams({
    ...defaultParams(),
    blockIntervalMs,
    periodHeights,
    // so many proofs an hour that, at the usual fees, a provider of a few MiB would pay more than it earns
    feeBaseUnits: 100n,
    feePerKiBUnits: 10n,
    dealPeriodsMax: DEAL_PERIODS_MAX,
    revealEveryHeights: periodHeights,
    epochHeights: 20,
    minBondUnits: UNITS_PER_TOKEN,
    unbondingHeights: 400,
    evidenceHeights: 400,
    downtimeHeights: 200,
    jailHeights: 40,
    abandonPeriods,
    bountyPeriods: abandonPeriods,
    maintenancePeriodsMax: abandonPeriods,
    maintenanceWindowPeriods: 10 * abandonPeriods,
    channelSettleHeights: 20
  })
}

/** The same params. @throws HoldfastError CONFIG_INVALID naming the first one out of range */
export function checkParams(params: Params): Params {
  const problem = paramsProblem(params)
  if (problem !== undefined) throw new HoldfastError('CONFIG_INVALID', problem)
  return params
}

/** What is wrong with them; undefined when nothing is. */
export function paramsProblem(params: Params): string | undefined {
  const ranges = rangesOf(params)
  for (const name of Object.keys(ranges) as (keyof Params)[]) {
    const [low, high] = ranges[name]
    const value = params[name]
    const whole =
      typeof value === typeof low && (typeof value === 'bigint' || Number.isInteger(value))
    if (!whole || value < low || value > high) return `${name} must be between ${low} and ${high}`
  }
  return undefined
}

type Ranges = { [K in keyof Params]: [low: Params[K], high: Params[K]] }

function rangesOf(params: Params): Ranges {
  return {
    blockIntervalMs: [1, BLOCK_INTERVAL_MS_MAX],
    periodHeights: [PERIOD_HEIGHTS_MIN, PERIOD_HEIGHTS_MAX],
    leavesPerProof: [1, LEAVES_PER_PROOF_MAX],
    feeBaseUnits: [0n, FEE_UNITS_MAX],
    feePerKiBUnits: [0n, FEE_UNITS_MAX],
    dealPeriodsMax: [1, DEAL_PERIODS_MAX],
    // a reveal at least once per period: every seed has fresh randomness
    revealEveryHeights: [1, params.periodHeights],
    epochHeights: [EPOCH_HEIGHTS_MIN, HEIGHTS_MAX],
    minBondUnits: [UNITS_PER_TOKEN, BOND_UNITS_MAX],
    // nobody takes the bond away before the evidence is too old
    unbondingHeights: [params.evidenceHeights, HEIGHTS_MAX],
    // the sets that evidence is checked against are few enough to keep
    evidenceHeights: [1, Math.min(HEIGHTS_MAX, params.epochHeights * (SETS_KEPT_MAX / 2))],
    downtimeHeights: [4, HEIGHTS_MAX],
    jailHeights: [1, HEIGHTS_MAX],
    abandonPeriods: [ABANDON_PERIODS_MIN, DEAL_PERIODS_MAX],
    bountyPeriods: [1, DEAL_PERIODS_MAX],
    noticePeriods: [1, DEAL_PERIODS_MAX],
    compensationPerMille: [0, 1000],
    maintenancePeriodsMax: [0, DEAL_PERIODS_MAX],
    // no run of misses that is long enough to count can be covered by what is declared
    maintenanceWindowPeriods: [
      params.abandonPeriods + params.maintenancePeriodsMax,
      MAINTENANCE_WINDOW_PERIODS_MAX
    ],
    channelSettleHeights: [1, HEIGHTS_MAX]
  }
}

/** What a transaction of `bytes` pays: base plus every begun KiB. */
export function feeOf(params: Params, bytes: number): Units {
  return params.feeBaseUnits + params.feePerKiBUnits * BigInt(Math.ceil(bytes / 1024))
}

/** The proving period of a height. */
export function periodAt(params: Params, height: bigint): bigint {
  return height / BigInt(params.periodHeights)
}
