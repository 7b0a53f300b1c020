/**
 * What computes Filecoin's piece tree: an area for the bytes of one block, two for the nodes of one level each, and two
 * steps between them. Callers write into the areas and read from them; piece-tree.ts is the only one.
 *
 * A quad is 127 bytes of a piece, which Fr32 padding makes 128: four nodes of 254 bits. A node above is
 * SHA-256(left || right) with its two highest bits cleared.
 */
import { HASH_BYTES } from '../../base/limits.ts'
import type { FallbackReason, Implementation } from '../../base/wasm-module.ts'

export const QUAD_BYTES = 127
export const PADDED_QUAD_BYTES = 128
export const NODES_PER_QUAD: number = PADDED_QUAD_BYTES / HASH_BYTES

/** Hashed at a time: a power of two, and all areas stay in a second-level cache. */
export const BLOCK_QUADS = 1024
export const BLOCK_BYTES: number = BLOCK_QUADS * QUAD_BYTES
export const AREA_BYTES: number = BLOCK_QUADS * PADDED_QUAD_BYTES

/** Index of an area of nodes. */
export type Area = 0 | 1

export interface PieceKernel {
  readonly implementation: Implementation
  /** Why a faster implementation is not running; undefined when the fastest one is. */
  readonly fallbackReason: FallbackReason | undefined
  /** What hashes the pairs: the implementation, or a native module. */
  readonly pairHasher: Implementation | 'hashtree'
  /** Memory of the kernel; 0 for plain JavaScript. */
  readonly memoryBytes: number
  /** BLOCK_BYTES long. */
  readonly raw: Uint8Array
  /** AREA_BYTES long, each. */
  readonly areas: readonly [Uint8Array, Uint8Array]
  /** Pads the first `quads` quads of `raw` into area 0. */
  expand(quads: number): void
  /** Hashes the first `pairs` pairs of nodes of one area into the other one. */
  hashPairs(from: Area, pairs: number): void
  /** Clears the two highest bits of the first `count` nodes of an area. */
  truncate(area: Area, count: number): void
}

export function otherArea(area: Area): Area {
  return area === 0 ? 1 : 0
}
