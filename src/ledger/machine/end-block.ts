/**
 * What a block does after its transactions: counts who did not sign the block below, and at the end of an epoch applies
 * what was voted and computes the set that rules from two heights later. Bounded by the size of the roster.
 */

import { changedParams } from '../governed-params.ts'
import type { Overlay } from '../state/overlay.ts'
import { ONLY, paramsTable, scheduled, validatorRecords } from '../state/tables.ts'
import type { Validator } from '../types/records.ts'
import type { Scheduled, ValidatorRecord } from '../types/validator.ts'
import { countAbsences } from './absences.ts'
import type { BlockContext } from './context.ts'
import { nextSet } from './set-change.ts'
import {
  advanceSets,
  forgetSets,
  memberOf,
  type ReadySets,
  remember,
  setsOf,
  updatesBetween
} from './validator-sets.ts'
import { isBarred, powerOf, wantedSet } from './validators.ts'

/**
 * @param signers one per member of the set of the block below: whether the certificate in this block has its signature;
 *   none at height 1
 * @returns changes of the set, in force two heights later
 */
export function endBlock(ctx: BlockContext, signers: readonly boolean[]): Validator[] {
  const { state, height } = ctx
  const sets = setsOf(state)
  countAbsences(ctx, sets.last, signers)
  const decided = isEpochEnd(ctx) ? endEpoch(ctx, sets) : sets.next
  advanceSets(state, sets, decided)
  if (decided === sets.next) return []
  remember(state, height + 2n, decided)
  return updatesBetween(sets.next, decided)
}

function isEpochEnd({ height, params }: BlockContext): boolean {
  return height % BigInt(params.epochHeights) === 0n
}

/** Money flows: none. */
function endEpoch(ctx: BlockContext, { next }: ReadySets): Validator[] {
  const { state, params, height } = ctx
  const isOut = ({ account }: Validator): boolean => isBarred(recordOf(state, account))
  const decided = nextSet(next, wantedSet(state, params), isOut)
  startClocks(ctx, next, decided)
  forgetSets(state, height - BigInt(params.evidenceHeights))
  applyScheduled(ctx)
  return decided
}

/** Unbonding starts to count when the power that the bond backs is gone, and with it the power to misbehave. */
function startClocks(
  { state, params, height }: BlockContext,
  before: readonly Validator[],
  after: readonly Validator[]
): void {
  const releaseHeight = height + 2n + BigInt(params.unbondingHeights)
  for (const { account } of before) {
    const record = recordOf(state, account)
    const power = memberOf(after, account)?.power ?? 0n
    if (power > powerOf(record.bondUnits)) continue
    if (!record.unbonding.some(entry => entry.releaseHeight === 0n)) continue
    const unbonding = record.unbonding.map(entry =>
      entry.releaseHeight === 0n ? { ...entry, releaseHeight } : entry
    )
    state.put(validatorRecords, account, { ...record, unbonding })
  }
}

/** They hold from the next block on. Changes that no longer fit the others are dropped. */
function applyScheduled({ state, params, height }: BlockContext): void {
  const all: Scheduled[] = state.get(scheduled, ONLY) ?? []
  const due = all.filter(change => change.height <= height)
  if (due.length === 0) return
  let changed = params
  for (const { changes } of due) {
    const result = changedParams(changed, changes)
    if ('params' in result) changed = result.params
  }
  state.put(paramsTable, ONLY, changed)
  state.put(
    scheduled,
    ONLY,
    all.filter(change => change.height > height)
  )
}

function recordOf(state: Overlay, account: Uint8Array): ValidatorRecord {
  return state.get(validatorRecords, account)!
}
