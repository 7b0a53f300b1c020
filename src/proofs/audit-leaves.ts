/**
 * Several 1 KiB leaves of one piece under its root, with every node of their paths sent once. The tree is walked from
 * the root, left before right: a subtree without any of the leaves is one node of the answer, in the order of the walk.
 * A subtree of n leaves has on its left the largest power of two below n.
 */
import { assert } from '../base/assert.ts'
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { HASH_BYTES, LEAF_BYTES } from '../base/limits.ts'
import { chunkCv, chunkCvsOfGroup, LEAVES_PER_GROUP, parentCv, parentLevel } from './blake3.ts'
import { bytesOfGroup, bytesOfLeaf, groupsOf, isIndex, isPieceBytes, leavesOf } from './lengths.ts'

export interface LeavesOpening {
  /** In the order of the indexes: 1024 bytes each, fewer for the piece's last leaf. */
  leaves: Uint8Array[]
  /** 32 bytes per node, in the order of the walk. */
  nodes: Uint8Array
}

/**
 * True if the leaves are those of the piece with this root and length. Never throws. The root alone does not bind the
 * length: it must come from the deal's sum tree.
 * @param init.indexes ascending, without repeats, at least one
 */
export function verifyLeaves(init: {
  root: Uint8Array
  pieceBytes: number
  indexes: readonly number[]
  opening: LeavesOpening
}): boolean {
  const { root, pieceBytes, indexes, opening } = init
  if (!isPieceBytes(pieceBytes) || !areIndexes(indexes, leavesOf(pieceBytes))) return false
  const { leaves, nodes } = opening
  if (leaves.length !== indexes.length || nodes.length % HASH_BYTES !== 0) return false
  const fits = leaves.every((leaf, i) => leaf.length === bytesOfLeaf(pieceBytes, indexes[i]!))
  if (!fits) return false
  let used = 0
  const computed = walk(indexes, leavesOf(pieceBytes), {
    known: (i, isRoot) => chunkCv(leaves[i]!, indexes[i]!, isRoot),
    unknown: () => {
      used += HASH_BYTES
      return used <= nodes.length ? nodes.subarray(used - HASH_BYTES, used) : undefined
    }
  })
  return computed !== undefined && used === nodes.length && equal(computed, root)
}

/**
 * Opens leaves from the stored chaining values and the bytes of the leaves' 16 KiB groups alone. Only as good as the
 * stored bytes: check it before it leaves the machine.
 * @param init.groups bytes of every group that holds one of the leaves, by index
 * @throws HoldfastError PIECE_DAMAGED if the stored parts do not have the lengths that pieceBytes implies
 */
export function openLeaves(init: {
  groupCvs: Uint8Array
  pieceBytes: number
  indexes: readonly number[]
  groups: ReadonlyMap<number, Uint8Array>
}): LeavesOpening {
  const { groupCvs, pieceBytes, indexes, groups } = init
  const count = leavesOf(pieceBytes)
  assert(isPieceBytes(pieceBytes) && areIndexes(indexes, count), 'leaves of the piece')
  const whole =
    groupCvs.length === groupsOf(pieceBytes) * HASH_BYTES &&
    [...groups].every(([group, bytes]) => bytes.length === bytesOfGroup(pieceBytes, group))
  if (!whole) {
    throw new HoldfastError('PIECE_DAMAGED', 'the stored piece does not have its length')
  }
  const leaves = indexes.map(index => {
    const group = groups.get(groupOf(index))
    assert(group !== undefined, 'the group of every leaf is there')
    const at = (index % LEAVES_PER_GROUP) * LEAF_BYTES
    return new Uint8Array(group.subarray(at, at + LEAF_BYTES))
  })
  const nodeAt = subtreesOf(groupCvs, groups)
  const nodes: Uint8Array[] = []
  walk(indexes, count, {
    known: () => NO_NODE,
    unknown: (first, size) => {
      nodes.push(nodeAt(first, size))
      return NO_NODE
    }
  })
  return { leaves, nodes: joined(nodes) }
}

const NO_NODE = new Uint8Array(HASH_BYTES)

interface Visitor {
  /** Value of the leaf at `indexes[i]`. */
  known(i: number, isRoot: boolean): Uint8Array
  /** Value of a subtree without any of the leaves. */
  unknown(first: number, size: number): Uint8Array | undefined
}

/** Value of the whole tree; undefined as soon as a node is missing. */
function walk(indexes: readonly number[], count: number, visitor: Visitor): Uint8Array | undefined {
  const visit = (first: number, size: number, from: number, to: number): Uint8Array | undefined => {
    if (from === to) return visitor.unknown(first, size)
    const isRoot = size === count
    if (size === 1) return visitor.known(from, isRoot)
    const half = halfOf(size)
    let mid = from
    while (mid < to && indexes[mid]! < first + half) mid++
    const left = visit(first, half, from, mid)
    const right = left && visit(first + half, size - half, mid, to)
    return left && right && parentCv(left, right, isRoot)
  }
  return visit(0, count, 0, indexes.length)
}

/** The largest power of two below `size`, from 2 on. */
function halfOf(size: number): number {
  return 2 ** (Math.ceil(Math.log2(size)) - 1)
}

/** Finds the value of any subtree that the walk may ask for. */
function subtreesOf(
  groupCvs: Uint8Array,
  groups: ReadonlyMap<number, Uint8Array>
): (first: number, size: number) => Uint8Array {
  const above = levelsOf(groupCvs)
  const within = new Map(
    [...groups].map(([group, bytes]) => [group, levelsOf(chunkCvsOfGroup(bytes, group))])
  )
  return (first, size) => {
    const level = Math.ceil(Math.log2(size))
    const local = size < LEAVES_PER_GROUP ? within.get(groupOf(first)) : undefined
    if (local !== undefined) return nodeOf(local[level]!, (first % LEAVES_PER_GROUP) >> level)
    const up = Math.max(0, level - GROUP_LEVELS)
    return nodeOf(above[up]!, groupOf(first) >> up)
  }
}

const GROUP_LEVELS = Math.log2(LEAVES_PER_GROUP)

/** The nodes and every level above them; a node without a pair is carried up. */
function levelsOf(nodes: Uint8Array): Uint8Array[] {
  const levels = [nodes]
  for (let level = nodes; level.length > HASH_BYTES; levels.push(level)) {
    // The top is never part of an answer, so the root flag does not matter.
    level = parentLevel(level, false)
  }
  return levels
}

function nodeOf(level: Uint8Array, index: number): Uint8Array {
  return level.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES)
}

function groupOf(leafIndex: number): number {
  return Math.floor(leafIndex / LEAVES_PER_GROUP)
}

function areIndexes(indexes: readonly number[], count: number): boolean {
  return (
    indexes.length > 0 &&
    indexes.every((index, i) => isIndex(index, count) && (i === 0 || indexes[i - 1]! < index))
  )
}

function joined(nodes: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(nodes.length * HASH_BYTES)
  for (const [i, node] of nodes.entries()) out.set(node, i * HASH_BYTES)
  return out
}
