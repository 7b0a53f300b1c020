/**
 * Where things lie in the memory of one kernel:
 *   product tables | nibble mask | temporaries | encode job for the blocks | the same for the arena | repair job |
 *   blocks | arena
 * Blocks are where the copying calls work; the arena is at the end because it grows.
 */
import { KERNEL_PAGES_MAX, WASM_PAGE_BYTES } from '../../base/wasm-module.ts'
import { FIELD_SIZE, NIBBLE_TABLE_BYTES } from './field.ts'
import type { ReedSolomonProfile } from './types.ts'

/** The kernels work on lines of this many bytes, and read and write up to the end of the last one. */
export const LINE_BYTES = 64
export const ADDRESS_BYTES = 4
/** kind, d, e, u, v, table: six u32. */
export const OPERATION_BYTES = 24
/** Outputs that the matrix kernel accumulates at a time. */
export const OUTPUTS_PER_PASS_MAX = 6

/** Behind the tables; wasm/assembly/simd.ts expects it there. */
export const NIBBLE_MASK_ADDRESS: number = FIELD_SIZE * NIBBLE_TABLE_BYTES
export const NIBBLE_MASK: Uint8Array = new Uint8Array(16).fill(15)

/** More than any plan for 256 shards has; fft-plan.test.ts checks that. */
export const PLAN_STEPS_MAX = 1280
export const PLAN_TEMPORARIES_MAX = 256

/** The temporaries of one column and the shard bytes beside them fit a first-level cache of 32..48 KiB. */
const TEMPORARIES_BYTES_MAX = 30_720
const COLUMN_BYTES_MIN = 256
const COLUMN_BYTES_MAX = 2048
/** All blocks together fit a second-level cache. */
const BLOCKS_BYTES_MAX = 786_432
const BLOCK_BYTES_MIN = 4096
const BLOCK_BYTES_MAX = 65_536

/** Room for n shards at base, base + strideBytes, .. */
export interface ShardRegion {
  base: number
  strideBytes: number
}

export interface KernelLayout {
  temporaries: number
  encodeBlocks: number
  encodeArena: number
  repair: number
  repairBytes: number
  blocks: ShardRegion
  blockBytes: number
  arena: number
  /** Longest share of an arena within KERNEL_PAGES_MAX. */
  arenaShareBytesMax: number
}

/** @param encodeBytes size of the encode job */
export function kernelLayout({ k, n }: ReedSolomonProfile, encodeBytes: number): KernelLayout {
  const blockBytes = blockBytesFor(n)
  const strideBytes = strideFor(blockBytes)
  // A repair is at most one program and two matrix steps that together make n - k shards.
  const lists = 2 * roundUp(n * ADDRESS_BYTES, LINE_BYTES)
  const repairBytes = PLAN_STEPS_MAX * OPERATION_BYTES + k * (n - k) * NIBBLE_TABLE_BYTES + lists
  let end = NIBBLE_MASK_ADDRESS + LINE_BYTES
  const take = (bytes: number): number => {
    const address = end
    end += roundUp(bytes, LINE_BYTES)
    return address
  }
  const temporaries = take(PLAN_TEMPORARIES_MAX * COLUMN_BYTES_MIN)
  const encodeBlocks = take(encodeBytes)
  const encodeArena = take(encodeBytes)
  const repair = take(repairBytes)
  const blocks = { base: take(n * strideBytes), strideBytes }
  const arenaStrideMax = Math.floor((KERNEL_PAGES_MAX * WASM_PAGE_BYTES - end) / n)
  return {
    temporaries,
    encodeBlocks,
    encodeArena,
    repair,
    repairBytes,
    blocks,
    blockBytes,
    arena: end,
    arenaShareBytesMax: longestShare(arenaStrideMax)
  }
}

/**
 * Distance between shards: an odd number of cache lines, so that the same column of many shards does not fall into the
 * same few sets of the cache.
 */
export function strideFor(shareBytes: number): number {
  return (Math.ceil(shareBytes / LINE_BYTES) | 1) * LINE_BYTES
}

export function roundUp(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit
}

/** The largest multiple of a line whose stride is at most `strideBytesMax`. */
function longestShare(strideBytesMax: number): number {
  const lines = Math.floor(strideBytesMax / LINE_BYTES)
  return (lines % 2 === 1 ? lines : lines - 1) * LINE_BYTES
}

/** How much of each shard a plan with so many temporaries handles at a time; also the size of a temporary. */
export function columnBytesFor(temporaries: number): number {
  const bytes =
    Math.floor(TEMPORARIES_BYTES_MAX / Math.max(1, temporaries) / LINE_BYTES) * LINE_BYTES
  return Math.min(COLUMN_BYTES_MAX, Math.max(COLUMN_BYTES_MIN, bytes))
}

function blockBytesFor(n: number): number {
  const bytes = 2 ** Math.floor(Math.log2(BLOCKS_BYTES_MAX / n))
  return Math.min(BLOCK_BYTES_MAX, Math.max(BLOCK_BYTES_MIN, bytes))
}
