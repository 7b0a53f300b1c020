/**
 * BLAKE3 as a tree (default hash mode, 32-byte output): chaining values of chunks, of 16 KiB chunk groups and of their
 * parents. Leaf = chunk of 1 KiB; a chunk group is a subtree of up to 16 chunks, as in bao with 16 KiB groups. Merging
 * a level in pairs and carrying an odd last node up gives exactly BLAKE3's tree. All chaining values are 32 bytes.
 * Everything is synchronous and leaves nothing behind, so one instance serves a whole thread.
 */
import { assert } from '../base/assert.ts'
import { GROUP_BYTES, HASH_BYTES, LEAF_BYTES } from '../base/limits.ts'
import {
  chooseImplementation,
  type FallbackReason,
  type Implementation
} from '../base/wasm-module.ts'
import { JavaScriptTreeKernel } from './javascript-tree-kernel.ts'
import { BATCH_BYTES, BATCH_GROUPS, NODES_MAX, type TreeKernel } from './tree-kernel.ts'
import { WasmTreeKernel } from './wasm-tree-kernel.ts'

export const LEAVES_PER_GROUP: number = GROUP_BYTES / LEAF_BYTES

export interface Blake3Options {
  /** Run this implementation and no other. @default the fastest that this machine runs */
  implementation?: Implementation
}

export class Blake3 {
  readonly #kernel: TreeKernel

  /** @throws HoldfastError INVALID_ARGUMENT when `options.implementation` does not run here */
  constructor(options: Blake3Options = {}) {
    this.#kernel = chooseImplementation(options.implementation, (implementation, fallback) =>
      implementation === 'javascript'
        ? new JavaScriptTreeKernel(fallback)
        : new WasmTreeKernel(implementation, fallback)
    )
  }

  get implementation(): Implementation {
    return this.#kernel.implementation
  }

  /** Why a faster implementation is not running; undefined when the fastest one is. */
  get fallbackReason(): FallbackReason | undefined {
    return this.#kernel.fallbackReason
  }

  /** Memory of the kernel; 0 for plain JavaScript. */
  get memoryBytes(): number {
    return this.#kernel.memoryBytes
  }

  /**
   * Chaining value of one chunk.
   * @param bytes 0..1024 bytes; fewer than 1024 only for the last chunk
   * @param chunkIndex position in the whole input
   * @param isRoot true if this chunk is the whole input
   */
  chunkCv(bytes: Uint8Array, chunkIndex: number, isRoot: boolean): Uint8Array {
    assert(bytes.length <= LEAF_BYTES, 'a chunk has at most 1 KiB')
    this.#hashChunks(bytes, chunkIndex, isRoot)
    return this.#copyNodes(1)
  }

  /** Chaining value of a parent of two 32-byte nodes. */
  parentCv(left: Uint8Array, right: Uint8Array, isRoot: boolean): Uint8Array {
    assert(left.length === HASH_BYTES && right.length === HASH_BYTES, 'a node has 32 bytes')
    this.#kernel.nodes.set(left)
    this.#kernel.nodes.set(right, HASH_BYTES)
    this.#kernel.mergePairs(2, isRoot)
    return this.#copyNodes(1)
  }

  /**
   * Chaining values of all chunks of one group, 32 bytes each, in order.
   * None is taken as the root, so an only chunk gets another value than the input's hash.
   * @param bytes 1..16384 bytes; fewer than 16384 only for the last group
   */
  chunkCvsOfGroup(bytes: Uint8Array, groupIndex: number): Uint8Array {
    assert(bytes.length <= GROUP_BYTES, 'a group has at most 16 KiB')
    return this.#copyNodes(this.#hashChunks(bytes, groupIndex * LEAVES_PER_GROUP, false))
  }

  /**
   * Chaining value of one chunk group.
   * @param bytes 0..16384 bytes; fewer than 16384 only for the last group
   * @param isRoot true if this group is the whole input
   */
  groupCv(bytes: Uint8Array, groupIndex: number, isRoot: boolean): Uint8Array {
    assert(bytes.length <= GROUP_BYTES, 'a group has at most 16 KiB')
    const isChunk = bytes.length <= LEAF_BYTES
    const chunks = this.#hashChunks(bytes, groupIndex * LEAVES_PER_GROUP, isRoot && isChunk)
    this.#mergeAll(chunks, isRoot)
    return this.#copyNodes(1)
  }

  /**
   * Chaining values of many groups, none of them the root; 32 bytes each, in order.
   * @param bytes whole groups of 16384 bytes
   */
  groupCvs(bytes: Uint8Array, firstGroup: number): Uint8Array {
    assert(bytes.length % GROUP_BYTES === 0, 'groupCvs takes whole groups')
    const groups = bytes.length / GROUP_BYTES
    const out = new Uint8Array(groups * HASH_BYTES)
    for (let group = 0; group < groups; group += BATCH_GROUPS) {
      const at = group * GROUP_BYTES
      const batch = bytes.subarray(at, at + BATCH_BYTES)
      const firstChunk = (firstGroup + group) * LEAVES_PER_GROUP
      let count = this.#hashChunks(batch, firstChunk, false)
      while (count * GROUP_BYTES > batch.length) count = this.#kernel.mergePairs(count, false)
      out.set(this.#nodes(count), group * HASH_BYTES)
    }
    return out
  }

  /**
   * The next level up: pairs merged, an odd last node carried up unchanged.
   * @param level nodes of 32 bytes, in order
   * @param isRoot true if the node above a level of two is the root of the whole input
   */
  parentLevel(level: Uint8Array, isRoot: boolean): Uint8Array {
    assert(
      level.length > 0 && level.length % HASH_BYTES === 0,
      'a level is whole nodes of 32 bytes'
    )
    const count = level.length / HASH_BYTES
    const out = new Uint8Array(((count + 1) >> 1) * HASH_BYTES)
    for (let at = 0; at < count; at += NODES_MAX) {
      const part = level.subarray(at * HASH_BYTES, (at + NODES_MAX) * HASH_BYTES)
      this.#kernel.nodes.set(part)
      const merged = this.#kernel.mergePairs(part.length / HASH_BYTES, isRoot && count === 2)
      out.set(this.#nodes(merged), (at / 2) * HASH_BYTES)
    }
    return out
  }

  /** Root of a whole input over the chaining values of its groups; of a single group, that group's own value. */
  rootOfGroups(groupCvs: Uint8Array): Uint8Array {
    assert(groupCvs.length > 0 && groupCvs.length % HASH_BYTES === 0, 'groupCvs are whole nodes')
    let level = groupCvs
    while (level.length > NODES_MAX * HASH_BYTES) level = this.parentLevel(level, false)
    this.#kernel.nodes.set(level)
    this.#mergeAll(level.length / HASH_BYTES, true)
    return this.#copyNodes(1)
  }

  /** BLAKE3 of any input, 32 bytes. */
  hash(bytes: Uint8Array): Uint8Array {
    if (bytes.length <= GROUP_BYTES) return this.groupCv(bytes, 0, true)
    const whole = Math.floor(bytes.length / GROUP_BYTES)
    const end = whole * GROUP_BYTES
    const level = new Uint8Array(Math.ceil(bytes.length / GROUP_BYTES) * HASH_BYTES)
    level.set(this.groupCvs(bytes.subarray(0, end), 0))
    if (end < bytes.length) {
      level.set(this.groupCv(bytes.subarray(end), whole, false), whole * HASH_BYTES)
    }
    return this.rootOfGroups(level)
  }

  #hashChunks(bytes: Uint8Array, firstChunk: number, isRoot: boolean): number {
    this.#kernel.input.set(bytes)
    return this.#kernel.hashChunks(bytes.length, firstChunk, isRoot)
  }

  /** Merges the first `count` nodes until one is left. */
  #mergeAll(count: number, isRoot: boolean): void {
    for (let left = count; left > 1; ) left = this.#kernel.mergePairs(left, isRoot && left === 2)
  }

  #nodes(count: number): Uint8Array {
    return this.#kernel.nodes.subarray(0, count * HASH_BYTES)
  }

  #copyNodes(count: number): Uint8Array {
    return this.#kernel.nodes.slice(0, count * HASH_BYTES)
  }
}
