/**
 * Which periods a provider has proven: a ring of bitmaps with running counts, so that "how many up to p" is one read.
 * The ring reaches back twice the longest deal: a period can be claimed for as long as the longest deal after the deal
 * could first have been settled in full. What has fallen out of the ring counts as not proven.
 */
import { assert } from '../../base/assert.ts'
import type { Params } from '../params.ts'
import type { Overlay } from '../state/overlay.ts'
import { numbered, provenChunks, providers } from '../state/tables.ts'
import type { ProvenChunk, ProviderRecord } from '../types/records.ts'

const CHUNK_PERIODS = 256n
const CHUNK_BYTES = 32

function ringChunks(params: Params): bigint {
  const periods = 2n * BigInt(params.dealPeriodsMax)
  return (periods + CHUNK_PERIODS - 1n) / CHUNK_PERIODS + 1n
}

/** Records a proof of `period`; later than all before. At most one ring of writes, whatever the gap. */
export function markProven(
  state: Overlay,
  params: Params,
  provider: Uint8Array,
  period: bigint
): void {
  const record = state.get(providers, provider)
  assert(record !== undefined && period >= record.provenNext, 'proofs only move forward')
  const index = period / CHUNK_PERIODS
  fillGap(state, params, { provider, record, index })
  const place = placeOf(params, provider, index)
  const chunk = state.get(provenChunks, place) ?? emptyChunk(index, record.provenCount)
  const bits = Uint8Array.from(chunk.bits)
  const bit = Number(period % CHUNK_PERIODS)
  bits[bit >> 3]! |= 1 << (bit & 7)
  state.put(provenChunks, place, { ...chunk, bits })
  state.put(providers, provider, {
    ...record,
    provenCount: record.provenCount + 1n,
    provenNext: period + 1n,
    resumedFrom: hasGap(record, period) ? period : record.resumedFrom
  })
}

/** Whether a period was due since the last proven one. */
function hasGap({ provenNext, dueFrom }: ProviderRecord, period: bigint): boolean {
  return dueFrom > 0n && period > dueFrom && period > provenNext
}

/** Chunks between the newest one and `index` (included), without any proof in them. */
function fillGap(
  state: Overlay,
  params: Params,
  init: { provider: Uint8Array; record: ProviderRecord; index: bigint }
): void {
  const { provider, record, index } = init
  if (record.provenNext === 0n) return
  const newest = (record.provenNext - 1n) / CHUNK_PERIODS
  const oldestKept = index - ringChunks(params) + 1n
  for (let i = newest + 1n > oldestKept ? newest + 1n : oldestKept; i <= index; i++) {
    state.put(provenChunks, placeOf(params, provider, i), emptyChunk(i, record.provenCount))
  }
}

/** Number of proven periods in [from, to), from 1 on: no deal has leaves in period 0. */
export function provenBetween(
  state: Overlay,
  params: Params,
  provider: Uint8Array,
  range: { from: bigint; to: bigint }
): bigint {
  assert(range.from >= 1n, 'period 0 is never asked for')
  if (range.to <= range.from) return 0n
  const record = state.get(providers, provider)
  assert(record !== undefined, 'the provider is registered')
  const upTo = (period: bigint): bigint => provenUpTo(state, params, { provider, record, period })
  return upTo(range.to - 1n) - upTo(range.from - 1n)
}

function provenUpTo(
  state: Overlay,
  params: Params,
  init: { provider: Uint8Array; record: ProviderRecord; period: bigint }
): bigint {
  const { provider, record, period } = init
  if (record.provenNext === 0n) return 0n
  if (period + 1n >= record.provenNext) return record.provenCount
  const newest = (record.provenNext - 1n) / CHUNK_PERIODS
  const oldestKept = newest - ringChunks(params) + 1n
  const index = period / CHUNK_PERIODS
  const forgotten = index < oldestKept
  const chunk = state.get(provenChunks, placeOf(params, provider, forgotten ? oldestKept : index))
  if (chunk === undefined) return 0n
  if (forgotten) return chunk.countBefore
  assert(chunk.index === index, 'the ring holds the chunk')
  return chunk.countBefore + bitsUpTo(chunk.bits, Number(period % CHUNK_PERIODS))
}

/**
 * First period after the last proven one below `before`, looking back no further than `from`. What has fallen out of
 * the ring counts as proven here: nobody is accused of what is no longer known.
 */
export function nextAfterProven(
  state: Overlay,
  params: Params,
  provider: Uint8Array,
  range: { from: bigint; before: bigint }
): bigint {
  const { from, before } = range
  const record = state.get(providers, provider)
  if (record === undefined || record.provenNext <= before) return record?.provenNext ?? 0n
  const newest = (record.provenNext - 1n) / CHUNK_PERIODS
  const oldestKept = newest - ringChunks(params) + 1n
  for (let index = (before - 1n) / CHUNK_PERIODS; index >= from / CHUNK_PERIODS; index--) {
    if (index < oldestKept) return before
    const chunk = state.get(provenChunks, placeOf(params, provider, index))
    if (chunk === undefined) return 0n
    const below = before - index * CHUNK_PERIODS
    const bit = highestBit(chunk.bits, Number(below < CHUNK_PERIODS ? below : CHUNK_PERIODS))
    if (bit >= 0) return index * CHUNK_PERIODS + BigInt(bit) + 1n
  }
  return 0n
}

/** Position of the highest set bit below `below`; -1 when there is none. */
function highestBit(bits: Uint8Array, below: number): number {
  let i = below - 1
  while (i >= 0 && ((bits[i >> 3]! >> (i & 7)) & 1) === 0) i--
  return i
}

/** Where the ring keeps the chunk of an index: key of provenChunks. */
export function placeOf(params: Params, provider: Uint8Array, index: bigint): Uint8Array {
  return numbered(provider, Number(index % ringChunks(params)))
}

function emptyChunk(index: bigint, countBefore: bigint): ProvenChunk {
  return { index, countBefore, bits: new Uint8Array(CHUNK_BYTES) }
}

/** Set bits at positions 0..last. */
function bitsUpTo(bits: Uint8Array, last: number): bigint {
  let count = 0n
  for (let i = 0; i <= last; i++) count += BigInt((bits[i >> 3]! >> (i & 7)) & 1)
  return count
}
