/**
 * What a client demands of providers. Each rule has a name, so that a refusal says which rule left out how many; rules
 * look at one provider, the share of an operator at the providers chosen together.
 */
import { HoldfastError } from '../base/errors.ts'
import { UNITS_MAX, type Units } from '../base/money.ts'
import type { Ask } from './ask.ts'
import { egressUnits, storageUnits } from './price.ts'

export interface Candidate {
  ask: Ask
  peerId: string
  /** Reputation: ledger facts and own measurements, 0 (unusable) to 1000. See reputation.ts. */
  quality: number
  /** Network the provider is reached in, for example "203.0.113.0/24"; "loopback" on one machine. */
  subnet: string
}

/** The owner's standing wishes. */
export interface ClientPolicy {
  /** Upper bounds of acceptable prices. */
  priceUnitsPerGiBPeriodMax: Units
  egressUnitsPerGiBMax: Units
  /** Providers may say any of these; empty allows every region, also unnamed ones. */
  regionsAllowed: readonly string[]
  regionsDenied: readonly string[]
  /** Of the pieces of a segment, at most this share with one operator; one piece is always allowed. 1 to 1000. */
  operatorSharePerMilleMax: number
  /** Least reputation, 0 to 1000. */
  reputationMin: number
  /** Most that one put may come to over the whole length of its deals. */
  unitsPerPutMax: Units
}

/** Wishes that exclude nobody. */
export const OPEN_POLICY: ClientPolicy = {
  priceUnitsPerGiBPeriodMax: UNITS_MAX,
  egressUnitsPerGiBMax: UNITS_MAX,
  regionsAllowed: [],
  regionsDenied: [],
  operatorSharePerMilleMax: 1000,
  reputationMin: 0,
  unitsPerPutMax: UNITS_MAX
}

export interface SelectionPolicy extends ClientPolicy {
  /** Periods the deal has to run. */
  dealPeriods: number
  /** Bytes each provider will get at least. */
  pieceBytes: number
  /** Length of a single piece: the shortest and the longest. */
  pieceBytesMin: number
  pieceBytesMax: number
  /** What may be spent in one period besides all deals there are. */
  unitsPerPeriodMax: Units
}

export type PolicyRule =
  | 'price'
  | 'egress'
  | 'duration'
  | 'size'
  | 'space'
  | 'region'
  | 'reputation'
  | 'operator'
  | 'agreement'

/** A provider that is not used, and the first rule that says so. */
export interface Rejection {
  peerId: string
  rule: PolicyRule
  reason: string
}

type Check = (candidate: Candidate, policy: SelectionPolicy) => string | undefined

/** In the order in which they are looked at: what a provider cannot do comes before what the owner does not want. */
const CHECKS: readonly (readonly [PolicyRule, Check])[] = [
  ['duration', durationProblem],
  ['size', sizeProblem],
  [
    'space',
    ({ ask }, { pieceBytes }) =>
      ask.freeBytes < BigInt(pieceBytes) ? 'not enough free space' : undefined
  ],
  [
    'price',
    ({ ask }, { priceUnitsPerGiBPeriodMax }) =>
      ask.priceUnitsPerGiBPeriod > priceUnitsPerGiBPeriodMax ? 'price above the limit' : undefined
  ],
  [
    'egress',
    ({ ask }, { egressUnitsPerGiBMax }) =>
      ask.egressUnitsPerGiB > egressUnitsPerGiBMax ? 'egress price above the limit' : undefined
  ],
  ['region', regionProblem],
  [
    'reputation',
    ({ quality }, { reputationMin }) =>
      quality <= 0 || quality < reputationMin ? 'reputation below the limit' : undefined
  ]
]

/** Why a provider is left out, whoever else is chosen; undefined when nothing speaks against it. */
export function rejectionOf(candidate: Candidate, policy: SelectionPolicy): Rejection | undefined {
  for (const [rule, check] of CHECKS) {
    const reason = check(candidate, policy)
    if (reason !== undefined) return { peerId: candidate.peerId, rule, reason }
  }
  return undefined
}

function durationProblem({ ask }: Candidate, { dealPeriods }: SelectionPolicy): string | undefined {
  if (ask.dealPeriodsMax < dealPeriods) return 'does not take deals that long'
  return ask.dealPeriodsMin > dealPeriods ? 'does not take deals that short' : undefined
}

function sizeProblem({ ask }: Candidate, policy: SelectionPolicy): string | undefined {
  if (ask.pieceBytesMax < policy.pieceBytesMax) return 'does not take pieces that large'
  return ask.pieceBytesMin > policy.pieceBytesMin ? 'does not take pieces that small' : undefined
}

function regionProblem(
  { ask: { region } }: Candidate,
  policy: SelectionPolicy
): string | undefined {
  const { regionsAllowed, regionsDenied } = policy
  if (regionsDenied.includes(region)) return `region ${region || 'unnamed'} is denied`
  const isAllowed = regionsAllowed.length === 0 || regionsAllowed.includes(region)
  return isAllowed ? undefined : `region ${region || 'unnamed'} is not among those allowed`
}

/** Pieces of a segment that one operator may hold: at least one. */
export function operatorPiecesMax(pieces: number, policy: ClientPolicy): number {
  return Math.max(1, Math.floor((pieces * policy.operatorSharePerMilleMax) / 1000))
}

/**
 * True if a provider may join those chosen. Operators are what providers call themselves: one without a name counts as
 * its own.
 */
export function fitsOperatorShare(
  candidate: Candidate,
  chosen: readonly Candidate[],
  piecesMax: number
): boolean {
  const { operator } = candidate.ask
  if (operator === '') return true
  return chosen.filter(({ ask }) => ask.operator === operator).length < piecesMax
}

/** What a selection costs in one period. */
export function periodUnits(chosen: readonly Candidate[], pieceBytes: number): Units {
  return chosen.reduce(
    (sum, { ask }) => sum + storageUnits(ask.priceUnitsPerGiBPeriod, pieceBytes, 1),
    0n
  )
}

/** The dearest way to read k pieces of those chosen once. */
export function readUnitsMax(chosen: readonly Candidate[], k: number, pieceBytes: number): Units {
  return chosen
    .map(({ ask }) => egressUnits(ask.egressUnitsPerGiB, pieceBytes))
    .sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
    .slice(0, k)
    .reduce((sum, units) => sum + units, 0n)
}

export interface Overspend {
  budget: 'put' | 'period'
  costUnits: Units
  limitUnits: Units
}

/** Which budget a cost per period breaks; undefined when none. */
export function overspendOf(costPerPeriod: Units, policy: SelectionPolicy): Overspend | undefined {
  const whole = costPerPeriod * BigInt(policy.dealPeriods)
  if (costPerPeriod > policy.unitsPerPeriodMax) {
    return { budget: 'period', costUnits: costPerPeriod, limitUnits: policy.unitsPerPeriodMax }
  }
  if (whole > policy.unitsPerPutMax) {
    return { budget: 'put', costUnits: whole, limitUnits: policy.unitsPerPutMax }
  }
  return undefined
}

/** @throws HoldfastError BUDGET_EXCEEDED */
export function assertWithinBudget(costPerPeriod: Units, policy: SelectionPolicy): void {
  const over = overspendOf(costPerPeriod, policy)
  if (over === undefined) return
  const { budget, costUnits, limitUnits } = over
  const what = budget === 'put' ? 'one put' : 'all deals in one period'
  throw new HoldfastError(
    'BUDGET_EXCEEDED',
    `it would cost ${costUnits} units at the cheapest providers allowed; ${limitUnits} are left for ${what}`,
    {
      details: { budget, costUnits: `${costUnits}`, limitUnits: `${limitUnits}` },
      hint: `raise client.maxUnitsPer${budget === 'put' ? 'Put' : 'Period'}, or choose a cheaper profile or length`
    }
  )
}

/** How many providers each rule left out, most first. */
export function exclusionsOf(
  rejected: readonly Rejection[]
): { rule: PolicyRule; providers: number }[] {
  const counts = new Map<PolicyRule, number>()
  for (const { rule } of rejected) counts.set(rule, (counts.get(rule) ?? 0) + 1)
  return [...counts]
    .map(([rule, providers]) => ({ rule, providers }))
    .sort((a, b) => b.providers - a.providers || (a.rule < b.rule ? -1 : 1))
}

const REJECTED_LISTED_MAX = 200

/** The refusal when too few are left: which rule excluded how many. */
export function tooFewProviders(
  needed: number,
  usable: number,
  rejected: readonly Rejection[]
): HoldfastError {
  const excluded = exclusionsOf(rejected)
  const list = excluded.map(({ rule, providers }) => `${rule} ${providers}`).join(', ')
  const known = usable + rejected.length
  return new HoldfastError(
    'TOO_FEW_PROVIDERS',
    `${needed} providers are needed, ${usable} of ${known} known can be used${list && `; left out: ${list}`}`,
    {
      details: { needed, usable, excluded, rejected: rejected.slice(0, REJECTED_LISTED_MAX) },
      hint: 'choose a profile with fewer pieces, relax the rule that excludes most, or wait for more providers',
      retryable: true
    }
  )
}
