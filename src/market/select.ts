/**
 * Which providers get the pieces of an object: by price, measured quality, free space and diversity. Pure: the same
 * candidates give the same order. Scores are integers (per mille), so that two machines agree.
 */
import { HoldfastError } from '../base/errors.ts'
import type { Ask } from './ask.ts'

export interface Candidate {
  ask: Ask
  peerId: string
  /** Own measurements, 0 (unusable) to 1000 (as good as the best seen). @default 500 when nothing is known */
  quality: number
  /** Network the provider is reached in, for example "203.0.113.0/24"; "loopback" on one machine. */
  subnet: string
}

export interface SelectionPolicy {
  /** Upper bound of an acceptable price. */
  priceUnitsPerGiBPeriodMax: bigint
  /** Periods the deal has to run. */
  dealPeriods: number
  /** Bytes each provider will get at least. */
  pieceBytes: number
  /** Length of a single piece, at most. */
  pieceBytesMax: number
}

export interface Selection {
  chosen: Candidate[]
  /** The next best, in order: used when a chosen one fails or lags. */
  spares: Candidate[]
  rejected: { peerId: string; reason: string }[]
}

/** Lost of 1000 when another chosen provider shares the operator, subnet or region. */
const SAME_OPERATOR_PENALTY = 400
const SAME_SUBNET_PENALTY = 150
const SAME_REGION_PENALTY = 50

/**
 * Picks `count` providers greedily: each step takes the candidate with the best score after the penalties for what it
 * shares with those already chosen.
 * @throws HoldfastError TOO_FEW_PROVIDERS with the reasons of those left out
 */
export function selectProviders(
  candidates: readonly Candidate[],
  count: number,
  policy: SelectionPolicy
): Selection {
  const rejected: Selection['rejected'] = []
  const usable = candidates.filter(candidate => {
    const reason = unfitReason(candidate, policy)
    if (reason !== undefined) rejected.push({ peerId: candidate.peerId, reason })
    return reason === undefined
  })
  if (usable.length < count) {
    throw new HoldfastError(
      'TOO_FEW_PROVIDERS',
      `${count} providers are needed, ${usable.length} of ${candidates.length} known can be used`,
      {
        details: { needed: count, usable: usable.length, rejected },
        hint: 'choose a profile with fewer pieces, raise the price limit, or wait for more providers',
        retryable: true
      }
    )
  }
  const ordered = orderByScore(usable)
  return { chosen: ordered.slice(0, count), spares: ordered.slice(count), rejected }
}

function unfitReason({ ask, quality }: Candidate, policy: SelectionPolicy): string | undefined {
  if (ask.priceUnitsPerGiBPeriod > policy.priceUnitsPerGiBPeriodMax) return 'price above the limit'
  if (ask.dealPeriodsMax < policy.dealPeriods) return 'does not take deals that long'
  if (ask.pieceBytesMax < policy.pieceBytesMax) return 'does not take pieces that large'
  if (ask.freeBytes < BigInt(policy.pieceBytes)) return 'not enough free space'
  if (quality <= 0) return 'failed too often'
  return undefined
}

function orderByScore(usable: readonly Candidate[]): Candidate[] {
  const cheapest = usable.reduce(
    (low, { ask }) => (ask.priceUnitsPerGiBPeriod < low ? ask.priceUnitsPerGiBPeriod : low),
    usable[0]?.ask.priceUnitsPerGiBPeriod ?? 0n
  )
  const seen = {
    operators: new Set<string>(),
    subnets: new Set<string>(),
    regions: new Set<string>()
  }
  const left = usable.map(candidate => ({ candidate, base: baseScore(candidate, cheapest) }))
  const ordered: Candidate[] = []
  while (left.length > 0) {
    let best = 0
    for (let i = 1; i < left.length; i++) {
      if (compareEntries(left[i]!, left[best]!, seen) > 0) best = i
    }
    const [{ candidate }] = left.splice(best, 1) as [{ candidate: Candidate; base: number }]
    ordered.push(candidate)
    const { operator, region } = candidate.ask
    if (operator !== '') seen.operators.add(operator)
    if (region !== '') seen.regions.add(region)
    seen.subnets.add(candidate.subnet)
  }
  return ordered
}

type Seen = { operators: Set<string>; subnets: Set<string>; regions: Set<string> }
type Entry = { candidate: Candidate; base: number }

/** Higher is better; ties go to the smaller peer id so that the order is total. */
function compareEntries(a: Entry, b: Entry, seen: Seen): number {
  const difference = a.base - penalty(a.candidate, seen) - (b.base - penalty(b.candidate, seen))
  if (difference !== 0) return difference
  return a.candidate.peerId < b.candidate.peerId ? 1 : -1
}

/** Half price (cheapest = 1000), half quality. */
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
