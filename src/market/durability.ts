/**
 * How likely an object is lost. A chain over the number j of pieces that are missing: the next piece goes at the rate
 * (n − j) · failures, and once n − j has come down to the repair threshold, a repair is under way that rebuilds all
 * that is missing when it ends. A repair passes through equal exponential stages (an Erlang time), so that its spread
 * can be that of the real thing; one stage is the plain birth-death chain. Losing more than n − k pieces loses the
 * object.
 *
 * Only sums and products of positive numbers are formed, so that a probability of 1e-200 is as exact as one of 0.1.
 * Failures are taken as independent: what fails together (an operator, a bug) is not in these numbers. Floating point:
 * nothing here is agreed on between nodes.
 */
import { assert } from '../base/assert.ts'

/** Any k of n pieces are enough. */
export interface Code {
  k: number
  n: number
}

export interface Rates {
  /** Providers lost for good, per provider and year. */
  failuresPerYear: number
  /** From the loss that starts a repair to its end: mean, in years. */
  repairYears: number
  /** (mean / standard deviation)² of that time, rounded: 1 is exponential, large is nearly constant. */
  repairStages: number
}

export interface Durability {
  /** Probability that an object, in its long-run state, is lost within a year. */
  lossPerYear: number
  /** −log10 of it, at most NINES_MAX. */
  nines: number
  /** Bytes read to rebuild one lost byte, in the long run. */
  repairBytesPerLostByte: number
  /** Repairs of one segment per year. */
  repairsPerYear: number
}

/** Beyond this, what is not in the model (common causes, bugs, people) decides; more digits would be a lie. */
export const NINES_MAX = 15
/** Nines that lazy repair may not fall below. */
export const NINES_WANTED = 11
const STAGES_MAX = 64
/** Nines are shown in tenths. */
const NINES_STEP = 10

/**
 * An object in its long-run state.
 * @param repairAt repair begins when so many pieces are left, k <= repairAt < n
 */
export function durabilityOf(code: Code, repairAt: number, rates: Rates): Durability {
  const { start, chain } = chainOf(code, repairAt, rates)
  const { failuresPerYear } = rates
  let climb = 0
  for (let j = 0; j < start; j++) climb += 1 / ((code.n - j) * failuresPerYear)
  const end = chain(start)
  const cycle = climb + end.years
  const rate = end.lost / cycle
  const lossPerYear = -Math.expm1(-rate)
  return {
    lossPerYear,
    nines: ninesOf(lossPerYear),
    repairBytesPerLostByte: ((1 - end.lost) * code.k) / end.rebuilt,
    repairsPerYear: (1 - end.lost) / cycle
  }
}

/**
 * Probability that an object with pieces missing now is lost within about a year: before the repair that is under way
 * has ended, or later as any object.
 */
export function lossOf(code: Code, repairAt: number, rates: Rates, missing: number): number {
  assert(missing >= 0 && missing <= code.n, 'missing pieces are pieces')
  if (missing > code.n - code.k) return 1
  const { start, chain } = chainOf(code, repairAt, rates)
  const later = durabilityOf(code, repairAt, rates).lossPerYear
  if (missing < start) return later
  const now = chain(missing).lost
  return now + (1 - now) * later
}

/** Nines of a probability, rounded down to a tenth, 0 to NINES_MAX. */
export function ninesOf(loss: number): number {
  assert(loss >= 0, 'a probability is not negative')
  if (loss >= 1) return 0
  const exact = Math.min(NINES_MAX, -Math.log10(loss))
  return Math.floor(exact * NINES_STEP) / NINES_STEP
}

/**
 * The lazy repair threshold: the fewest pieces that may be left before repair begins while an object keeps the nines
 * wanted; n − 1 (repair at once) where none is enough.
 */
export function repairThreshold(
  code: Code,
  rates: Rates,
  ninesWanted: number = NINES_WANTED
): number {
  for (let repairAt = code.k; repairAt < code.n - 1; repairAt++) {
    if (-Math.log10(durabilityOf(code, repairAt, rates).lossPerYear) >= ninesWanted) return repairAt
  }
  return code.n - 1
}

/** What becomes of a repair that begins with j pieces missing. */
interface Outcome {
  /** Probability that the object is lost before the repair ends. */
  lost: number
  /** Mean time until either. */
  years: number
  /** Pieces rebuilt, on average over all outcomes. */
  rebuilt: number
}

interface Chain {
  /** Missing pieces with which a repair begins. */
  start: number
  chain: (missing: number) => Outcome
}

function chainOf({ k, n }: Code, repairAt: number, rates: Rates): Chain {
  assert(Number.isInteger(k) && Number.isInteger(n) && 1 <= k && k < n, 'k of n')
  assert(k <= repairAt && repairAt < n, 'repair begins between k and n')
  const { failuresPerYear, repairYears, repairStages } = rates
  assert(failuresPerYear > 0 && repairYears > 0, 'rates are positive')
  const stages = Math.min(STAGES_MAX, Math.max(1, Math.round(repairStages)))
  const stageRate = stages / repairYears
  const start = n - repairAt
  const rows: Outcome[] = []
  // row j from row j + 1: another piece fails before the stage ends, or not
  let row: Outcome[] = Array.from({ length: stages }, () => ({ lost: 1, years: 0, rebuilt: 0 }))
  for (let j = n - k; j >= start; j--) {
    const fails = (n - j) * failuresPerYear
    const next: Outcome[] = new Array<Outcome>(stages)
    let after: Outcome = { lost: 0, years: 0, rebuilt: j }
    for (let stage = stages - 1; stage >= 0; stage--) {
      const total = fails + stageRate
      after = mixed(fails / total, row[stage]!, stageRate / total, after, 1 / total)
      next[stage] = after
    }
    row = next
    rows[j] = row[0]!
  }
  return { start, chain: missing => rows[missing]! }
}

function mixed(a: number, x: Outcome, b: number, y: Outcome, years: number): Outcome {
  return {
    lost: a * x.lost + b * y.lost,
    years: years + a * x.years + b * y.years,
    rebuilt: a * x.rebuilt + b * y.rebuilt
  }
}
