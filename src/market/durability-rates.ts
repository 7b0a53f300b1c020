/**
 * Rates for the durability model from what the ledger shows: how many providers ran for how long and how many of them
 * went for good, on top of what other networks saw before there was anything to count.
 */
import type { Code, Rates } from './durability.ts'
import { lossOf, ninesOf, repairThreshold } from './durability.ts'

const YEAR_MS: number = 365.25 * 86_400_000

/** Before anything was observed: 8 % of providers a year (Storj's repair checker says so), worth ten provider-years. */
const PRIOR_FAILURES_PER_YEAR = 0.08
const PRIOR_PROVIDER_YEARS = 10
/** From the decision to repair until all pieces are placed. */
const REBUILD_MS: number = 6 * 3_600_000

/** What is known of one provider. */
export interface Lifetime {
  /** Periods from its registration to now, or to the last one it proved when it is gone. */
  periods: number
  /** It gave up its deals. */
  isGone: boolean
}

/**
 * Failures are counted with the prior, so that a young network is not certain of anything. Repair takes the time until
 * a provider's deals can fail, the rest of a period, and the rebuilding.
 */
export function ratesOf(
  lifetimes: readonly Lifetime[],
  pace: { periodMs: number; abandonPeriods: number }
): Rates {
  const periods = lifetimes.reduce((sum, life) => sum + life.periods, 0)
  const gone = lifetimes.filter(({ isGone }) => isGone).length
  const years = (periods * pace.periodMs) / YEAR_MS
  const failuresPerYear =
    (PRIOR_FAILURES_PER_YEAR * PRIOR_PROVIDER_YEARS + gone) / (PRIOR_PROVIDER_YEARS + years)
  const graceMs = pace.abandonPeriods * pace.periodMs
  return { failuresPerYear, ...repairTime(graceMs, pace.periodMs, REBUILD_MS) }
}

/**
 * A wait that is constant, a wait until the end of a period (uniform), and a rebuilding (exponential), as mean and
 * stages.
 */
export function repairTime(
  graceMs: number,
  periodMs: number,
  rebuildMs: number
): Pick<Rates, 'repairYears' | 'repairStages'> {
  const mean = graceMs + periodMs / 2 + rebuildMs
  const variance = periodMs ** 2 / 12 + rebuildMs ** 2
  return {
    repairYears: mean / YEAR_MS,
    repairStages: Math.max(1, Math.round(mean ** 2 / variance))
  }
}

/**
 * Nines of an object: `missing` has one number for every set of providers that its segments are on, because segments
 * on the same providers live and die together.
 */
export function ninesOfObject(code: Code, rates: Rates, missing: readonly number[]): number {
  const repairAt = repairThreshold(code, rates)
  // 1 − Π(1 − p), without taking tiny numbers from 1
  const logKept = missing.reduce(
    (sum, count) => sum + Math.log1p(-lossOf(code, repairAt, rates, count)),
    0
  )
  return ninesOf(-Math.expm1(logKept))
}
