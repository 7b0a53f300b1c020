/**
 * What computes BLAKE3's tree: two areas, the bytes of one batch and the nodes above them, and two steps between them.
 * Callers write into the areas and read from them; blake3-tree.ts is the only one.
 */
import { GROUP_BYTES, HASH_BYTES } from '../base/limits.ts'
import type { FallbackReason, Implementation } from '../base/wasm-module.ts'

/** Groups that are hashed at a time: their bytes and nodes stay in a second-level cache. */
export const BATCH_GROUPS = 8
export const BATCH_BYTES: number = BATCH_GROUPS * GROUP_BYTES
/** An even number, so that a long level can be merged part by part. */
export const NODES_MAX: number = BATCH_BYTES / HASH_BYTES

export interface TreeKernel {
  readonly implementation: Implementation
  /** Why a faster implementation is not running; undefined when the fastest one is. */
  readonly fallbackReason: FallbackReason | undefined
  /** Memory of the kernel; 0 for plain JavaScript. */
  readonly memoryBytes: number
  /** BATCH_BYTES long. */
  readonly input: Uint8Array
  /** NODES_MAX nodes of 32 bytes. */
  readonly nodes: Uint8Array
  /**
   * Hashes each chunk of the first `bytes` bytes of `input` (may be 0: one empty chunk) into `nodes`; returns how many
   * there are. The input behind `bytes` may be overwritten.
   * @param firstChunk index of the first chunk within the whole input
   * @param isRoot true if the input is one chunk and nothing else
   */
  hashChunks(bytes: number, firstChunk: number, isRoot: boolean): number
  /**
   * Merges the first `count` nodes in place, an odd last one is carried up; returns how many there are above.
   * @param isRoot true if the parent of two nodes is the root
   */
  mergePairs(count: number, isRoot: boolean): number
}
