/**
 * One 1 KiB leaf of a piece with its path to the piece root. The path holds the sibling of each ancestor, bottom-up; a
 * node that BLAKE3 carries up alone (the last of an odd level) has none, so the length follows from index and tree
 * size.
 */
import { assert } from '../base/assert.ts'
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { HASH_BYTES, LEAF_BYTES } from '../base/limits.ts'
import { chunkCv, chunkCvsOfGroup, LEAVES_PER_GROUP, parentCv, parentLevel } from './blake3.ts'
import { bytesOfGroup, bytesOfLeaf, groupsOf, isIndex, isPieceBytes, leavesOf } from './lengths.ts'

export interface LeafOpening {
  /** The leaf's bytes: 1024, fewer for the last leaf. */
  leaf: Uint8Array
  /** 32-byte siblings, bottom-up. */
  path: Uint8Array[]
}

/**
 * Opens one leaf from the stored chaining values and the bytes of the leaf's 16 KiB group alone. The result is only as
 * good as the stored bytes: check it with verifyLeaf before it leaves the machine.
 * @throws HoldfastError PIECE_DAMAGED if groupCvs or groupBytes do not have the length that pieceBytes implies
 */
export function openLeaf(init: {
  groupCvs: Uint8Array
  pieceBytes: number
  groupBytes: Uint8Array
  leafIndex: number
}): LeafOpening {
  const { groupCvs, pieceBytes, groupBytes, leafIndex } = init
  assert(
    isPieceBytes(pieceBytes) && isIndex(leafIndex, leavesOf(pieceBytes)),
    'a leaf of the piece'
  )
  const groupIndex = Math.floor(leafIndex / LEAVES_PER_GROUP)
  const leafInGroup = leafIndex % LEAVES_PER_GROUP
  if (
    groupCvs.length !== groupsOf(pieceBytes) * HASH_BYTES ||
    groupBytes.length !== bytesOfGroup(pieceBytes, groupIndex)
  ) {
    throw new HoldfastError('PIECE_DAMAGED', 'the stored piece does not have its length', {
      details: { pieceBytes, groupBytes: groupBytes.length, groupCvsBytes: groupCvs.length }
    })
  }
  const at = leafInGroup * LEAF_BYTES
  return {
    leaf: new Uint8Array(groupBytes.subarray(at, at + LEAF_BYTES)),
    path: [
      ...siblingsAbove(chunkCvsOfGroup(groupBytes, groupIndex), leafInGroup),
      ...siblingsAbove(groupCvs, groupIndex)
    ]
  }
}

/**
 * True if `leaf` is leaf `leafIndex` of the piece with this root and length. Never throws. The root alone does not bind
 * `pieceBytes`, so that must come from a place that does (the deal's sum tree).
 */
export function verifyLeaf(init: {
  root: Uint8Array
  pieceBytes: number
  leafIndex: number
  leaf: Uint8Array
  path: readonly Uint8Array[]
}): boolean {
  const { root, pieceBytes, leafIndex, leaf, path } = init
  if (!isPieceBytes(pieceBytes)) return false
  const leaves = leavesOf(pieceBytes)
  if (!isIndex(leafIndex, leaves) || leaf.length !== bytesOfLeaf(pieceBytes, leafIndex))
    return false
  let node = chunkCv(leaf, leafIndex, leaves === 1)
  let index = leafIndex
  let used = 0
  for (let count = leaves; count > 1; count = (count + 1) >> 1) {
    const isAlone = index === count - 1 && index % 2 === 0
    if (!isAlone) {
      const sibling = path[used++]
      if (sibling?.length !== HASH_BYTES) return false
      const isRoot = count === 2
      node = index % 2 === 1 ? parentCv(sibling, node, isRoot) : parentCv(node, sibling, isRoot)
    }
    index >>= 1
  }
  return used === path.length && equal(node, root)
}

/** Siblings of node `index` and of its ancestors below the top of `nodes`, bottom-up. */
function siblingsAbove(nodes: Uint8Array, index: number): Uint8Array[] {
  const siblings: Uint8Array[] = []
  let level = nodes
  for (let node = index; level.length > HASH_BYTES; node >>= 1) {
    const at = (node ^ 1) * HASH_BYTES
    if (at < level.length) siblings.push(new Uint8Array(level.subarray(at, at + HASH_BYTES)))
    // The top itself is no sibling, so the root flag never matters here.
    level = parentLevel(level, false)
  }
  return siblings
}
