/**
 * How far the validator set moves in one epoch towards what the bonds ask for. Light clients skip from set to set, so
 * the sum of all changes of power is at most a sixth of the power of the set. Only those who are jailed or convicted
 * leave at once; what they take away is counted first.
 */
import { compare, toHex } from '../../base/bytes.ts'
import { VALIDATORS_MAX } from '../../base/limits.ts'
import { totalPower } from '../certificate.ts'
import type { Validator } from '../types/records.ts'
import { bySeat } from './validator-sets.ts'

/** A sixth of the power, and at least 1: a tiny network can change too. */
export function changeMax(set: readonly Validator[]): bigint {
  const sixth = totalPower(set) / 6n
  return sixth > 0n ? sixth : 1n
}

interface Move {
  validator: Validator
  from: bigint
  to: bigint
}

/**
 * The set that follows `current`.
 * @param wanted the set that the bonds ask for, at most VALIDATORS_MAX
 * @param isBarred whether a member has to leave at once
 * @returns the same array when nothing changes; never empty: when everybody is barred, `wanted` rules, or else
 * `current`
 */
export function nextSet(
  current: Validator[],
  wanted: readonly Validator[],
  isBarred: (member: Validator) => boolean
): Validator[] {
  const kept = current.filter(member => !isBarred(member))
  if (kept.length === 0) return wanted.length > 0 ? [...wanted].sort(bySeat) : current
  const barredPower = totalPower(current) - totalPower(kept)
  const budget = changeMax(current) - barredPower
  const set = moved(kept, movesOf(kept, wanted), budget > 0n ? budget : 0n)
  const unchanged =
    set.length === current.length &&
    set.every(member => current.some(other => isSame(member, other)))
  return unchanged ? current : set.sort(bySeat)
}

/** Never empty: the last one leaves when somebody else has come. */
function moved(kept: readonly Validator[], moves: readonly Move[], budget: bigint): Validator[] {
  const set = new Map(kept.map(member => [toHex(member.account), member]))
  let left = budget
  for (const { validator, from, to } of moves) {
    const id = toHex(validator.account)
    if (left === 0n || (!set.has(id) && set.size === VALIDATORS_MAX)) continue
    const wish = to > from ? to - from : from - to
    const step = wish < left ? wish : left
    left -= step
    const power = to > from ? from + step : from - step
    if (power === 0n) set.delete(id)
    else set.set(id, { ...validator, power })
  }
  if (set.size > 0) return [...set.values()]
  const gains = moves.filter(({ from, to }) => to > from)
  return moved(kept, gains, budget)
}

/** Losses before gains, so that seats become free; small ones first, so that most are done at once. */
function movesOf(kept: readonly Validator[], wanted: readonly Validator[]): Move[] {
  const targets = new Map(wanted.map(validator => [toHex(validator.account), validator]))
  const powers = new Map(kept.map(({ account, power }) => [toHex(account), power]))
  const moves: Move[] = kept.map(validator => ({
    validator,
    from: validator.power,
    to: targets.get(toHex(validator.account))?.power ?? 0n
  }))
  for (const validator of wanted) {
    if (powers.has(toHex(validator.account))) continue
    moves.push({ validator, from: 0n, to: validator.power })
  }
  const losses = moves.filter(({ from, to }) => to < from)
  const gains = moves.filter(({ from, to }) => to > from)
  return [...losses.sort(bySize), ...gains.sort(bySize)]
}

function bySize(a: Move, b: Move): number {
  const [sizeA, sizeB] = [a, b].map(({ from, to }) => (to > from ? to - from : from - to))
  if (sizeA !== sizeB) return sizeA! < sizeB! ? -1 : 1
  return compare(a.validator.publicKey, b.validator.publicKey)
}

function isSame(a: Validator, b: Validator): boolean {
  return a.power === b.power && compare(a.account, b.account) === 0
}
