/**
 * BLAKE3 as a tree (default hash mode, 32-byte output): chaining values of chunks, of 16 KiB chunk groups and of their
 * parents. Leaf = chunk of 1 KiB; a chunk group is a subtree of up to 16 chunks, as in bao with 16 KiB groups. Merging
 * a level in pairs and carrying an odd last node up gives exactly BLAKE3's tree. All chaining values are 32 bytes.
 */
import { assert } from '../base/assert.ts'
import { GROUP_BYTES, HASH_BYTES, LEAF_BYTES } from '../base/limits.ts'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  CV_WORDS,
  compressBlocks,
  FLAG_CHUNK_END,
  FLAG_CHUNK_START,
  FLAG_PARENT,
  FLAG_ROOT
} from './blake3-kernel.ts'

export const LEAVES_PER_GROUP: number = GROUP_BYTES / LEAF_BYTES

const CHUNK_WORDS = LEAF_BYTES / 4

// Reused by every call: the functions are synchronous and copy their results out.
const message = new Uint8Array(GROUP_BYTES)
const messageWords = new Uint32Array(message.buffer)
const cvs = new Uint8Array(LEAVES_PER_GROUP * HASH_BYTES)
const cvWords = new Uint32Array(cvs.buffer)

/**
 * Chaining value of one chunk.
 * @param bytes 0..1024 bytes; fewer than 1024 only for the last chunk
 * @param chunkIndex position in the whole input
 * @param isRoot true if this chunk is the whole input
 */
export function chunkCv(bytes: Uint8Array, chunkIndex: number, isRoot: boolean): Uint8Array {
  assert(bytes.length <= LEAF_BYTES, 'a chunk has at most 1 KiB')
  compressChunks(bytes, chunkIndex, isRoot)
  return cvs.slice(0, HASH_BYTES)
}

/** Chaining value of a parent of two 32-byte nodes. */
export function parentCv(left: Uint8Array, right: Uint8Array, isRoot: boolean): Uint8Array {
  assert(left.length === HASH_BYTES && right.length === HASH_BYTES, 'a node has 32 bytes')
  cvs.set(left)
  cvs.set(right, HASH_BYTES)
  mergePairs(cvWords, 2, isRoot)
  return cvs.slice(0, HASH_BYTES)
}

/**
 * Chaining values of all chunks of one group, 32 bytes each, in order.
 * None is taken as the root, so an only chunk gets another value than the input's hash.
 * @param bytes 1..16384 bytes; fewer than 16384 only for the last group
 */
export function chunkCvsOfGroup(bytes: Uint8Array, groupIndex: number): Uint8Array {
  assert(bytes.length <= GROUP_BYTES, 'a group has at most 16 KiB')
  const chunks = compressChunks(bytes, groupIndex * LEAVES_PER_GROUP, false)
  return cvs.slice(0, chunks * HASH_BYTES)
}

/**
 * Chaining value of one chunk group.
 * @param bytes 0..16384 bytes; fewer than 16384 only for the last group
 * @param isRoot true if this group is the whole input
 */
export function groupCv(bytes: Uint8Array, groupIndex: number, isRoot: boolean): Uint8Array {
  assert(bytes.length <= GROUP_BYTES, 'a group has at most 16 KiB')
  let count = compressChunks(bytes, groupIndex * LEAVES_PER_GROUP, isRoot)
  while (count > 1) count = mergePairs(cvWords, count, isRoot)
  return cvs.slice(0, HASH_BYTES)
}

/**
 * The next level up: pairs merged, an odd last node carried up unchanged.
 * @param level nodes of 32 bytes, in order
 * @param isRoot true if the node above a level of two is the root of the whole input
 */
export function parentLevel(level: Uint8Array, isRoot: boolean): Uint8Array {
  assert(level.length > 0 && level.length % HASH_BYTES === 0, 'a level is whole nodes of 32 bytes')
  const copy = new Uint8Array(level)
  const count = mergePairs(new Uint32Array(copy.buffer), level.length / HASH_BYTES, isRoot)
  return copy.subarray(0, count * HASH_BYTES)
}

/** Root of a whole input over the chaining values of its groups; of a single group, that group's own value. */
export function rootOfGroups(groupCvs: Uint8Array): Uint8Array {
  assert(groupCvs.length > 0 && groupCvs.length % HASH_BYTES === 0, 'groupCvs are whole nodes')
  const copy = new Uint8Array(groupCvs)
  const words = new Uint32Array(copy.buffer)
  let count = groupCvs.length / HASH_BYTES
  while (count > 1) count = mergePairs(words, count, true)
  return copy.slice(0, HASH_BYTES)
}

/** BLAKE3 of any input, 32 bytes. */
export function blake3(bytes: Uint8Array): Uint8Array {
  const groups = Math.max(1, Math.ceil(bytes.length / GROUP_BYTES))
  const level = new Uint8Array(groups * HASH_BYTES)
  for (let group = 0; group < groups; group++) {
    const at = group * GROUP_BYTES
    level.set(
      groupCv(bytes.subarray(at, at + GROUP_BYTES), group, groups === 1),
      group * HASH_BYTES
    )
  }
  return rootOfGroups(level)
}

/** Hashes each chunk of `bytes` into the start of `cvs`; returns how many there are. */
function compressChunks(bytes: Uint8Array, firstChunk: number, isRoot: boolean): number {
  message.set(bytes)
  const chunks = Math.max(1, Math.ceil(bytes.length / LEAF_BYTES))
  const lastBytes = bytes.length - (chunks - 1) * LEAF_BYTES
  const lastBlocks = Math.max(1, Math.ceil(lastBytes / BLOCK_BYTES))
  message.fill(0, bytes.length, (chunks - 1) * LEAF_BYTES + lastBlocks * BLOCK_BYTES)
  const endFlags = FLAG_CHUNK_END | (isRoot && chunks === 1 ? FLAG_ROOT : 0)
  for (let i = 0; i < chunks; i++) {
    const isLast = i === chunks - 1
    compressBlocks(
      messageWords,
      i * CHUNK_WORDS,
      isLast ? lastBlocks : LEAF_BYTES / BLOCK_BYTES,
      isLast ? lastBytes - (lastBlocks - 1) * BLOCK_BYTES : BLOCK_BYTES,
      firstChunk + i,
      FLAG_CHUNK_START,
      endFlags,
      cvWords,
      i * CV_WORDS
    )
  }
  return chunks
}

/** Merges `count` nodes in place to the front of `words`; returns the number of nodes of the level above. */
function mergePairs(words: Uint32Array, count: number, isRoot: boolean): number {
  const pairs = count >> 1
  const flags = FLAG_PARENT | (isRoot && count === 2 ? FLAG_ROOT : 0)
  for (let i = 0; i < pairs; i++) {
    compressBlocks(words, i * BLOCK_WORDS, 1, BLOCK_BYTES, 0, flags, 0, words, i * CV_WORDS)
  }
  if (count % 2 === 0) return pairs
  words.copyWithin(pairs * CV_WORDS, (count - 1) * CV_WORDS, count * CV_WORDS)
  return pairs + 1
}
