/**
 * Which set rules when. The state after height h holds the sets of h, h + 1 and h + 2, and every earlier one as far
 * back as evidence reaches.
 */
import { assert } from '../../base/assert.ts'
import { compare, equal, u64be } from '../../base/bytes.ts'
import type { Overlay } from '../state/overlay.ts'
import {
  lastValidators,
  nextValidators,
  ONLY,
  setHistory,
  type Table,
  validatorSets,
  validators
} from '../state/tables.ts'
import { type Validator, validatorsType } from '../types/records.ts'
import { SETS_KEPT_MAX } from '../types/validator.ts'

/** So many old sets are forgotten at the end of an epoch, at most: more than one can be added. */
const FORGET_MAX = 8

export interface ReadySets {
  /** Of the newest height. */
  last: Validator[]
  /** Of the next height. */
  current: Validator[]
  /** Of the height after that. */
  next: Validator[]
}

export function setsOf(state: Overlay): ReadySets {
  return {
    last: setIn(state, lastValidators),
    current: setIn(state, validators),
    next: setIn(state, nextValidators)
  }
}

/** The genesis set decides from height 1 on. */
export function startSets(state: Overlay, set: Validator[]): void {
  for (const table of [lastValidators, validators, nextValidators]) state.put(table, ONLY, set)
  state.put(setHistory, ONLY, [])
  remember(state, 1n, set)
}

/** Moves on by one height: `decided` becomes the set of the height after the next. */
export function advanceSets(state: Overlay, sets: ReadySets, decided: Validator[]): void {
  replace(state, lastValidators, sets.last, sets.current)
  replace(state, validators, sets.current, sets.next)
  replace(state, nextValidators, sets.next, decided)
}

/** Keeps a set that rules from a height on. */
export function remember(state: Overlay, fromHeight: bigint, set: Validator[]): void {
  const history = historyOf(state)
  const entry = { fromHeight, validatorsHash: validatorsType.hashTreeRoot(set) }
  state.put(validatorSets, u64be(fromHeight), set)
  state.put(setHistory, ONLY, [...history, entry])
}

/** Forgets sets whose last height is below `oldestHeight`, and the oldest ones when there is no room for another. */
export function forgetSets(state: Overlay, oldestHeight: bigint): void {
  const history = historyOf(state)
  let count = 0
  while (count < FORGET_MAX && count < history.length - 1) {
    const isOver = history[count + 1]!.fromHeight <= oldestHeight
    if (!isOver && history.length - count < SETS_KEPT_MAX) break
    state.delete(validatorSets, u64be(history[count]!.fromHeight))
    count++
  }
  if (count > 0) state.put(setHistory, ONLY, history.slice(count))
}

/**
 * The set of a height up to two above the newest; undefined above that and for heights whose set was forgotten.
 * @param newest height of the state
 */
export function setAt(state: Overlay, newest: bigint, height: bigint): Validator[] | undefined {
  if (height < 1n || height > newest + 2n) return undefined
  const entry = historyOf(state).findLast(({ fromHeight }) => fromHeight <= height)
  return entry === undefined ? undefined : state.get(validatorSets, u64be(entry.fromHeight))
}

/** By power, the greatest first; equals by vote key. */
export function bySeat(a: Validator, b: Validator): number {
  if (a.power !== b.power) return a.power > b.power ? -1 : 1
  return compare(a.publicKey, b.publicKey)
}

/** What changed from one set to the next, with the new power: 0 for who left. */
export function updatesBetween(
  before: readonly Validator[],
  after: readonly Validator[]
): Validator[] {
  const changed = after.filter(
    validator => memberOf(before, validator.account)?.power !== validator.power
  )
  const left = before
    .filter(({ account }) => memberOf(after, account) === undefined)
    .map(validator => ({ ...validator, power: 0n }))
  return [...changed, ...left]
}

export function memberOf(set: readonly Validator[], account: Uint8Array): Validator | undefined {
  return set.find(member => equal(member.account, account))
}

function setIn(state: Overlay, table: Table<Validator[]>): Validator[] {
  const set = state.get(table, ONLY)
  assert(set !== undefined && set.length > 0, 'a set rules from genesis on')
  return set
}

function historyOf(state: Overlay) {
  return state.get(setHistory, ONLY) ?? []
}

function replace(
  state: Overlay,
  table: Table<Validator[]>,
  before: Validator[],
  after: Validator[]
): void {
  if (!equal(validatorsType.serialize(before), validatorsType.serialize(after))) {
    state.put(table, ONLY, after)
  }
}
