/**
 * The leaves a provider is committed to, over its deal slots, as a tree of counts in the state with 16 children per
 * page: counting and finding a leaf cost one read per level, changing a slot one write per level, and a million slots
 * have five levels. Every page has the three versions of machine/versions.ts. A page of level 0 has the leaves of 16
 * slots, one of level l the sums of 16 pages below; the tree is as high as `slotCount` needs.
 */
import { assert } from '../base/assert.ts'
import { constantVersions, setFrom, versionAt } from './machine/versions.ts'
import type { Overlay } from './state/overlay.ts'
import { leafPages, numbered } from './state/tables.ts'
import { type LeafPage, PAGE_BYTES, PAGE_FANOUT } from './types/records.ts'

export const DEALS_PER_PROVIDER_MAX: number = 2 ** 20

const FANOUT_BITS = Math.log2(PAGE_FANOUT)
/** Pages of all levels are numbered in one u32. */
const LEVEL_STRIDE = 2 ** 24
const COUNT_BYTES = PAGE_BYTES / PAGE_FANOUT
const NO_LEAVES: LeafPage = constantVersions(new Uint8Array(PAGE_BYTES))

/** Level of the only page at the top. */
function topLevelOf(slotCount: number): number {
  let level = 0
  while (PAGE_FANOUT ** (level + 1) < slotCount) level++
  return level
}

function keyOf(provider: Uint8Array, level: number, index: number): Uint8Array {
  return numbered(provider, level * LEVEL_STRIDE + index)
}

function pageOf(state: Overlay, provider: Uint8Array, level: number, index: number): LeafPage {
  return state.get(leafPages, keyOf(provider, level, index)) ?? NO_LEAVES
}

function viewOf(counts: Uint8Array): DataView {
  return new DataView(counts.buffer, counts.byteOffset, counts.byteLength)
}

function countAt(counts: Uint8Array, child: number): bigint {
  return viewOf(counts).getBigUint64(child * COUNT_BYTES, true)
}

function withCount(counts: Uint8Array, child: number, count: bigint): Uint8Array {
  const changed = Uint8Array.from(counts)
  viewOf(changed).setBigUint64(child * COUNT_BYTES, count, true)
  return changed
}

function sumOf(counts: Uint8Array): bigint {
  let sum = 0n
  for (let child = 0; child < PAGE_FANOUT; child++) sum += countAt(counts, child)
  return sum
}

/** Prepares the tree for one slot more than `slotCount`; a higher tree starts with the old one as its first child. */
export function growByOne(state: Overlay, provider: Uint8Array, slotCount: number): void {
  assert(slotCount < DEALS_PER_PROVIDER_MAX, 'a provider has a free slot')
  const before = topLevelOf(slotCount)
  const after = topLevelOf(slotCount + 1)
  const top = state.get(leafPages, keyOf(provider, before, 0))
  if (after === before || top === undefined) return
  const inherited = (counts: Uint8Array): Uint8Array =>
    withCount(new Uint8Array(PAGE_BYTES), 0, sumOf(counts))
  state.put(leafPages, keyOf(provider, after, 0), {
    period: top.period,
    v0: inherited(top.v0),
    v1: inherited(top.v1),
    v2: inherited(top.v2)
  })
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
  for (let level = 0; level <= topLevelOf(slotCount); level++) {
    const child = (slot >> (FANOUT_BITS * level)) & (PAGE_FANOUT - 1)
    const index = slot >> (FANOUT_BITS * (level + 1))
    const page = pageOf(state, provider, level, index)
    const counts = versionAt(page, period)
    const count = countAt(counts, child) + delta
    assert(count >= 0n, 'leaf counts are not negative')
    const changed = setFrom(page, period, withCount(counts, child, count))
    state.put(leafPages, keyOf(provider, level, index), changed)
  }
}

/** Leaves of all slots in a period. */
export function totalLeaves(
  state: Overlay,
  provider: Uint8Array,
  slotCount: number,
  period: bigint
): bigint {
  return sumOf(versionAt(pageOf(state, provider, topLevelOf(slotCount), 0), period))
}

export interface LeafPlace {
  slot: number
  /** Within the slot. */
  leafIndex: bigint
}

/** The slots that hold leaves (0..total-1 each) in a period. Pages that several of them share are read once. */
export function locateLeaves(
  state: Overlay,
  init: { provider: Uint8Array; slotCount: number; period: bigint; leaves: readonly bigint[] }
): LeafPlace[] {
  const { provider, slotCount, period, leaves } = init
  const top = topLevelOf(slotCount)
  const read = new Map<number, Uint8Array>()
  const countsOf = (level: number, index: number): Uint8Array => {
    const page = level * LEVEL_STRIDE + index
    const counts = read.get(page) ?? versionAt(pageOf(state, provider, level, index), period)
    read.set(page, counts)
    return counts
  }
  return leaves.map(leaf => {
    let place: LeafPlace = { slot: 0, leafIndex: leaf }
    for (let level = top; level >= 0; level--) place = childOf(countsOf(level, place.slot), place)
    assert(place.slot < slotCount, 'the leaf is below the total')
    return place
  })
}

/** One level down: `slot` is the page's index before, the child's after. */
function childOf(counts: Uint8Array, { slot: index, leafIndex }: LeafPlace): LeafPlace {
  const view = viewOf(counts)
  let rest = leafIndex
  let child = 0
  for (; child < PAGE_FANOUT; child++) {
    const count = view.getBigUint64(child * COUNT_BYTES, true)
    if (rest < count) break
    rest -= count
  }
  return { slot: index * PAGE_FANOUT + child, leafIndex: rest }
}
