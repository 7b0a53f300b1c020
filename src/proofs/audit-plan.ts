/**
 * How many leaves an audit draws, and what may be said afterwards. A provider that lacks the fraction e of its leaves
 * shows m drawn ones with probability (1-e)^m; t of them all do with (1-e)^(m*t).
 *
 * Of an object, any k of n pieces restore a segment, so it is in danger only if the holders of more than n-k pieces of
 * one segment are short. The audit excludes that: were t such providers short by e each, it would have found one.
 */
import { assert } from '../base/assert.ts'
import { domainHash } from '../base/hash.ts'
import { HASH_BYTES } from '../base/limits.ts'
import { drawLeaves } from './challenge.ts'

/** What an audit excludes, and how surely. */
export interface AuditGoal {
  /** Fraction of its leaves that a provider would lack, in (0, 1). */
  loss: number
  /** Chance to have found that, in (0, 1). */
  confidence: number
}

export const AUDIT_GOAL: AuditGoal = { loss: 0.01, confidence: 0.9999 }

/** Leaves to draw from each provider so that `providers` short ones are found. */
export function leavesToDraw(providers: number, { loss, confidence }: AuditGoal): number {
  assert(Number.isInteger(providers) && providers >= 1, 'a number of providers')
  assert(loss > 0 && loss < 1 && confidence > 0 && confidence < 1, 'fractions')
  return Math.ceil(Math.log(1 - confidence) / (providers * Math.log(1 - loss)))
}

/** The chance to have found `providers` short ones with `leaves` drawn from each. */
export function confidenceOf(leaves: number, providers: number, loss: number): number {
  return 1 - (1 - loss) ** (leaves * providers)
}

/**
 * The fewest providers that hold more than `spare` pieces of one segment; undefined if nobody, all together, does.
 * @param holders for each segment, who holds each of its pieces, under any name
 */
export function fewestToLose(
  holders: readonly (readonly string[])[],
  spare: number
): number | undefined {
  const counts = holders.map(segment => fewestOf(segment, spare)).filter(count => count > 0)
  return counts.length === 0 ? undefined : Math.min(...counts)
}

/** Greedy is exact: the largest holders first. 0 when all of them are too few. */
function fewestOf(segment: readonly string[], spare: number): number {
  const pieces = new Map<string, number>()
  for (const holder of segment) pieces.set(holder, (pieces.get(holder) ?? 0) + 1)
  let lost = 0
  let providers = 0
  for (const held of [...pieces.values()].sort((a, b) => b - a)) {
    lost += held
    providers++
    if (lost > spare) return providers
  }
  return 0
}

/**
 * Leaf indexes below `totalLeaves` for one provider, ascending, without repeats: `count` draws with replacement, or
 * every leaf when there are not more of them.
 * @param seed 32 random bytes of the auditor
 * @param provider 32-byte account
 */
export function drawAudit(init: {
  seed: Uint8Array
  provider: Uint8Array
  count: number
  totalLeaves: bigint
}): bigint[] {
  const { seed, provider, count, totalLeaves } = init
  assert(seed.length === HASH_BYTES, 'the seed has 32 bytes')
  if (totalLeaves <= BigInt(count)) {
    return Array.from({ length: Number(totalLeaves) }, (_, index) => BigInt(index))
  }
  const drawn = drawLeaves(domainHash('audit', seed, provider), count, totalLeaves)
  return [...new Set(drawn)].sort((a, b) => (a < b ? -1 : 1))
}
