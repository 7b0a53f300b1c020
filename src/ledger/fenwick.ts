/**
 * The leaves a provider is committed to, over its deal slots, as a Fenwick tree in the state: counting and finding a
 * leaf cost O(log slots) reads, changing a slot O(log slots) writes. Every node has the three versions of
 * machine/versions.ts. Capacity is the power of two that holds `slotCount`; the node at the capacity is the total.
 */
import { assert } from '../base/assert.ts'
import { constantVersions, setFrom, versionAt } from './machine/versions.ts'
import type { Overlay } from './state/overlay.ts'
import { leafCounts, numbered } from './state/tables.ts'
import type { LeafCounts } from './types/records.ts'

export const DEALS_PER_PROVIDER_MAX: number = 2 ** 20

const NO_LEAVES: LeafCounts = constantVersions(0n)

function capacityOf(slotCount: number): number {
  let capacity = 1
  while (capacity < slotCount) capacity *= 2
  return capacity
}

function nodeOf(state: Overlay, provider: Uint8Array, node: number): LeafCounts {
  return state.get(leafCounts, numbered(provider, node)) ?? NO_LEAVES
}

/** Prepares the tree for one slot more than `slotCount`; a doubled tree starts with the old total at its top. */
export function growByOne(state: Overlay, provider: Uint8Array, slotCount: number): void {
  assert(slotCount < DEALS_PER_PROVIDER_MAX, 'a provider has a free slot')
  const before = capacityOf(slotCount)
  const after = capacityOf(slotCount + 1)
  if (slotCount === 0 || after === before) return
  const top = state.get(leafCounts, numbered(provider, before))
  if (top !== undefined) state.put(leafCounts, numbered(provider, after), top)
}

/** Adds `delta` leaves to a slot (0..slotCount-1) from `period` on. */
export function addLeaves(
  state: Overlay,
  init: {
    provider: Uint8Array
    slotCount: number
    slot: number
    period: bigint
    delta: bigint
  }
): void {
  const { provider, slotCount, slot, period, delta } = init
  assert(slot < slotCount, 'the slot is in use')
  if (delta === 0n) return
  const capacity = capacityOf(slotCount)
  for (let node = slot + 1; node <= capacity; node += node & -node) {
    const counts = nodeOf(state, provider, node)
    const sum = versionAt(counts, period) + delta
    assert(sum >= 0n, 'leaf counts are not negative')
    state.put(leafCounts, numbered(provider, node), setFrom(counts, period, sum))
  }
}

/** Leaves of all slots in a period. */
export function totalLeaves(
  state: Overlay,
  provider: Uint8Array,
  slotCount: number,
  period: bigint
): bigint {
  return versionAt(nodeOf(state, provider, capacityOf(slotCount)), period)
}

/** The slot that holds leaf `leaf` (0..total-1) in a period, and the leaf's index within it. */
export function locateLeaf(
  state: Overlay,
  init: { provider: Uint8Array; slotCount: number; period: bigint; leaf: bigint }
): { slot: number; leafIndex: bigint } {
  const { provider, slotCount, period } = init
  let before = 0
  let rest = init.leaf
  for (let step = capacityOf(slotCount) / 2; step >= 1; step /= 2) {
    const count = versionAt(nodeOf(state, provider, before + step), period)
    if (rest < count) continue
    before += step
    rest -= count
  }
  assert(before < slotCount, 'the leaf is below the total')
  return { slot: before, leafIndex: rest }
}
