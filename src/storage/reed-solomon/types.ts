/** What the erasure code offers. */
import type { Implementation } from '../../base/wasm-module.ts'

export type { Implementation }

export interface ReedSolomonProfile {
  /** Data shards, 1..n: any k of the n shards rebuild the rest. */
  k: number
  /** All shards, at most 256. */
  n: number
}

export interface ReedSolomonOptions {
  /** Run this implementation and no other. @default the fastest that this machine runs */
  implementation?: Implementation
}

/** The shards of one stripe, in the memory of the kernel: nothing is copied. */
export interface ReedSolomonArena {
  readonly shareBytes: number
  /** A view of shard `index`, `shareBytes` long; the same view every time. @throws INVALID_ARGUMENT */
  shard(index: number): Uint8Array
  /** Fills shards k..n-1 from shards 0..k-1. */
  encode(): void
  /** Fills every shard that is not present. @throws INVALID_ARGUMENT, UNRECOVERABLE */
  reconstruct(present: readonly boolean[]): void
  /** Fills the data shards that are not present. @throws INVALID_ARGUMENT, UNRECOVERABLE */
  reconstructData(present: readonly boolean[]): void
}

/**
 * A systematic Reed-Solomon code over GF(2^8), byte-compatible with Backblaze, klauspost and reed-solomon-erasure.
 * Not for use by two callers at the same time; everything is synchronous.
 */
export interface ReedSolomon extends Readonly<ReedSolomonProfile> {
  readonly implementation: Implementation
  /** Why a faster implementation is not running; undefined when the fastest one is. */
  readonly fallbackReason: string | undefined
  /** Memory of the kernel now; 0 for plain JavaScript. */
  readonly memoryBytes: number
  /** Longest share that `arena` takes. */
  readonly arenaShareBytesMax: number

  /**
   * The arena for shares of this length. There is one: the call for another length replaces it, and the views of the
   * one before it must not be used any more. @throws INVALID_ARGUMENT
   */
  arena(shareBytes: number): ReedSolomonArena

  /**
   * Fills shards k..n-1 from shards 0..k-1.
   * @param shards n * shareBytes bytes, shard after shard; ArrayBuffer or SharedArrayBuffer, not the arena's memory
   * @param shareBytes any length, odd ones too
   * @throws INVALID_ARGUMENT
   */
  encode(shards: Uint8Array, shareBytes: number): void

  /**
   * Fills every shard, data and parity, that is not present.
   * @param shards as for `encode`; the bytes of absent shards are overwritten, present ones are not touched
   * @param present n flags
   * @throws INVALID_ARGUMENT, UNRECOVERABLE when fewer than k are present
   */
  reconstruct(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void

  /** The same for data shards only: absent parity shards keep what they held. Reads need no more. */
  reconstructData(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void
}
