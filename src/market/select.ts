/**
 * Which providers get the pieces of an object: by price, reputation and diversity, among those that the policy allows.
 * Pure: the same candidates give the same order. Scores are integers (per mille), so that two machines agree.
 */
import {
  assertWithinBudget,
  type Candidate,
  fitsOperatorShare,
  operatorPiecesMax,
  overspendOf,
  periodUnits,
  type Rejection,
  rejectionOf,
  type SelectionPolicy,
  tooFewProviders
} from './policy.ts'

export interface Selection {
  chosen: Candidate[]
  /** The next best, in order: used when a chosen one fails or lags, as far as the operator's share allows. */
  spares: Candidate[]
  rejected: Rejection[]
}

/** Lost of 1000 when another chosen provider shares the operator, subnet or region. */
const SAME_OPERATOR_PENALTY = 400
const SAME_SUBNET_PENALTY = 150
const SAME_REGION_PENALTY = 50

/**
 * Picks `count` providers greedily: each step takes the candidate with the best score after the penalties for what it
 * shares with those already chosen. When that breaks a budget, the cheapest are taken.
 * @throws HoldfastError TOO_FEW_PROVIDERS saying which rule excluded how many | BUDGET_EXCEEDED
 */
export function selectProviders(
  candidates: readonly Candidate[],
  count: number,
  policy: SelectionPolicy
): Selection {
  const rejected: Rejection[] = []
  const usable = candidates.filter(candidate => {
    const rejection = rejectionOf(candidate, policy)
    if (rejection !== undefined) rejected.push(rejection)
    return rejection === undefined
  })
  const pieces = operatorPiecesMax(count, policy)
  const best = split(orderByScore(usable), count, pieces)
  if (best.chosen.length < count) {
    const crowded: Rejection[] = best.spares.map(({ peerId }) => ({
      peerId,
      rule: 'operator',
      reason: `its operator would hold more than ${pieces} of ${count} pieces`
    }))
    throw tooFewProviders(count, best.chosen.length, [...rejected, ...crowded])
  }
  const within = (chosen: readonly Candidate[]): boolean =>
    overspendOf(periodUnits(chosen, policy.pieceBytes), policy) === undefined
  if (within(best.chosen)) return { ...best, rejected }
  const cheapest = split(usable.toSorted(comparePrices), count, pieces)
  assertWithinBudget(periodUnits(cheapest.chosen, policy.pieceBytes), policy)
  return { ...cheapest, rejected }
}

/** The first `count` in order that respect the share of each operator, and all others. */
function split(
  ordered: readonly Candidate[],
  count: number,
  piecesMax: number
): Omit<Selection, 'rejected'> {
  const chosen: Candidate[] = []
  const spares: Candidate[] = []
  for (const candidate of ordered) {
    const fits = chosen.length < count && fitsOperatorShare(candidate, chosen, piecesMax)
    ;(fits ? chosen : spares).push(candidate)
  }
  return { chosen, spares }
}

function comparePrices(a: Candidate, b: Candidate): number {
  const [left, right] = [a.ask.priceUnitsPerGiBPeriod, b.ask.priceUnitsPerGiBPeriod]
  if (left !== right) return left < right ? -1 : 1
  return b.quality - a.quality || (a.peerId < b.peerId ? -1 : 1)
}

interface Seen {
  operators: Set<string>
  subnets: Set<string>
  regions: Set<string>
}

interface Entry {
  candidate: Candidate
  base: number
}

function orderByScore(usable: readonly Candidate[]): Candidate[] {
  const cheapest = usable.reduce(
    (low, { ask }) => (ask.priceUnitsPerGiBPeriod < low ? ask.priceUnitsPerGiBPeriod : low),
    usable[0]?.ask.priceUnitsPerGiBPeriod ?? 0n
  )
  const seen: Seen = { operators: new Set(), subnets: new Set(), regions: new Set() }
  const left = usable.map(candidate => ({ candidate, base: baseScore(candidate, cheapest) }))
  const ordered: Candidate[] = []
  while (left.length > 0) {
    let best = 0
    for (let i = 1; i < left.length; i++) {
      if (compareEntries(left[i]!, left[best]!, seen) > 0) best = i
    }
    const [{ candidate }] = left.splice(best, 1) as [Entry]
    ordered.push(candidate)
    const { operator, region } = candidate.ask
    if (operator !== '') seen.operators.add(operator)
    if (region !== '') seen.regions.add(region)
    seen.subnets.add(candidate.subnet)
  }
  return ordered
}

/** Higher is better; ties go to the smaller peer id so that the order is total. */
function compareEntries(a: Entry, b: Entry, seen: Seen): number {
  const difference = a.base - penalty(a.candidate, seen) - (b.base - penalty(b.candidate, seen))
  if (difference !== 0) return difference
  return a.candidate.peerId < b.candidate.peerId ? 1 : -1
}

/** Half price (cheapest = 1000), half reputation. */
function baseScore({ ask, quality }: Candidate, cheapest: bigint): number {
  const price = ask.priceUnitsPerGiBPeriod
  const priceScore = price === 0n ? 1000 : Number((1000n * cheapest) / price)
  return Math.floor((priceScore + quality) / 2)
}

function penalty(candidate: Candidate, seen: Seen): number {
  const { operator, region } = candidate.ask
  return (
    (seen.operators.has(operator) ? SAME_OPERATOR_PENALTY : 0) +
    (seen.subnets.has(candidate.subnet) ? SAME_SUBNET_PENALTY : 0) +
    (seen.regions.has(region) ? SAME_REGION_PENALTY : 0)
  )
}
