/**
 * What a provider is worth to us, 1 to 1000: from facts of the ledger and from our own measurements. Nobody's opinion
 * goes in, so raters have nothing to collude with.
 *
 *   aged       = min(age, 4 · proven)                                  periods; an idle account does not age
 *   ledger     = (500 + 500 · aged / (aged + 60)) · (proven + 8) / (proven + 8 + 4 · missed), halved per abandonment
 *   service    = 1000 · (served + 2) / (served + 2 + 3 · failed)
 *   speed      = ½ · 1000 · rate / (rate + 4 MiB/s) + ½ · 1000 · 200 / (200 + latency in ms)   (500 where unknown)
 *   measured   = service · (500 + speed / 2) / 1000
 *   weight     = (served + 3 · failed) / (served + 3 · failed + 8)
 *   reputation = max(1, (1 − weight) · ledger + weight · measured)
 *
 * Bounds. A newcomer has 500. The ledger part is below 1000 and grows by proven periods, one per period whatever is
 * spent: a provider that deals with itself pays the fee of a proof in every period and waits as long as an honest one.
 * Our own experience outweighs the ledger from eight transfers (or three failures) on; after n failures and no success
 * at most 8 / (8 + 3n) of the ledger's part is left.
 */

/** What the ledger says of a provider. Periods are distinct: many deals do not make more of them. */
export interface LedgerFacts {
  /** Periods since it registered. */
  agePeriods: number
  /** Periods it proved, ever. */
  provenPeriods: number
  /** Recent periods that it had to prove and did not. */
  missedPeriods: number
  /** Deals that it left without proofs to their end. */
  abandonedDeals: number
}

/** What we saw ourselves; counts fade with time, so that they are not whole numbers. */
export interface Measurements {
  /** Uploads and reads that went well. */
  served: number
  /** Requests, uploads and reads that failed. */
  failed: number
  /** Moving average; 0 before the first transfer. */
  bytesPerSecond: number
  /** Moving average of a small request; 0 before the first. */
  latencyMs: number
}

export const NO_MEASUREMENTS: Measurements = {
  served: 0,
  failed: 0,
  bytesPerSecond: 0,
  latencyMs: 0
}

export const REPUTATION_MAX = 1000
/** Of a provider of which nothing is known. */
export const REPUTATION_NEWCOMER = 500

/** Of its life a provider may have spent so much without anything to prove. */
const AGE_PER_PROVEN = 4
const AGED_HALF_PERIODS = 60
const PROVEN_PRIOR = 8
const MISSED_WEIGHT = 4
const SERVED_PRIOR = 2
const FAILED_WEIGHT = 3
const OWN_HALF = 8
const RATE_HALF: number = 4 * 1024 * 1024
const LATENCY_HALF_MS = 200

/** 1 to 1000. */
export function reputationOf(facts: LedgerFacts, own: Measurements): number {
  const weight = ownWeight(own)
  const score = (1 - weight) * ledgerScore(facts) + weight * measuredScore(own)
  return Math.min(REPUTATION_MAX, Math.max(1, Math.round(score)))
}

/** 0 to 1000; 500 for a provider that has just registered. */
export function ledgerScore(facts: LedgerFacts): number {
  const proven = Math.max(0, facts.provenPeriods)
  const missed = Math.max(0, facts.missedPeriods)
  const aged = Math.min(Math.max(0, facts.agePeriods), AGE_PER_PROVEN * proven)
  const standing = REPUTATION_NEWCOMER * (1 + aged / (aged + AGED_HALF_PERIODS))
  const kept = (proven + PROVEN_PRIOR) / (proven + PROVEN_PRIOR + MISSED_WEIGHT * missed)
  return standing * kept * 0.5 ** Math.max(0, facts.abandonedDeals)
}

/** 0 to 1000. */
export function measuredScore(own: Measurements): number {
  const served = own.served + SERVED_PRIOR
  const service = served / (served + FAILED_WEIGHT * own.failed)
  const rate =
    own.bytesPerSecond > 0 ? (1000 * own.bytesPerSecond) / (own.bytesPerSecond + RATE_HALF) : 500
  const answer =
    own.latencyMs > 0 ? (1000 * LATENCY_HALF_MS) / (LATENCY_HALF_MS + own.latencyMs) : 500
  const speed = (rate + answer) / 2
  return service * (REPUTATION_NEWCOMER + speed / 2)
}

/** How much our own measurements count, 0 to 1. */
function ownWeight({ served, failed }: Measurements): number {
  const seen = served + FAILED_WEIGHT * failed
  return seen / (seen + OWN_HALF)
}

/**
 * Periods and money that a provider needs to bring the ledger part of its reputation to a score by deals with itself:
 * all that it pays itself comes back, the fees do not. `undefined` when no time is enough.
 */
export function selfDealingCost(
  score: number,
  fees: { openUnits: bigint; provePeriodUnits: bigint }
): { periods: number; units: bigint } | undefined {
  if (score <= REPUTATION_NEWCOMER) return { periods: 0, units: 0n }
  if (score >= REPUTATION_MAX) return undefined
  const gained = (AGED_HALF_PERIODS * (score - REPUTATION_NEWCOMER)) / (REPUTATION_MAX - score)
  // it proves one period of each four of its age, and no more
  const aged = Math.ceil(gained)
  const proofs = Math.ceil(aged / AGE_PER_PROVEN)
  return { periods: aged, units: fees.openUnits + BigInt(proofs) * fees.provePeriodUnits }
}
