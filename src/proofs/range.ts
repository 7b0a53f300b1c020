/**
 * Verified ranges in 16 KiB chunk groups. A range answer starts with the chaining values of its groups and the boundary
 * nodes that join them to the piece root; the reader checks these first, then every group by itself on arrival, so a
 * bad group is known at once and alone.
 *
 * Order of `siblings`: level by level from the groups up; on each level the node to the left of the range (if the range
 * starts at an odd node), then the node to its right (if it ends after an even node that is not the last).
 */
import { concat, equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { HASH_BYTES } from '../base/limits.ts'
import { groupCv, parentLevel } from './blake3.ts'
import { bytesOfGroup, groupsOf, isIndex, isPieceBytes } from './lengths.ts'

export interface RangeProof {
  /** 32 bytes per group of the range, in order. */
  cvs: Uint8Array
  /** 32-byte boundary nodes, in the order of this file's header. */
  siblings: Uint8Array[]
}

/**
 * Proof for `groups` groups from `firstGroup` on.
 * @throws HoldfastError RANGE_INVALID if the range is empty or leaves the piece, PIECE_DAMAGED if groupCvs do not have
 * the length that pieceBytes implies
 */
export function openRange(init: {
  groupCvs: Uint8Array
  pieceBytes: number
  firstGroup: number
  groups: number
}): RangeProof {
  const { groupCvs, pieceBytes, firstGroup, groups } = init
  if (!isRange(pieceBytes, firstGroup, groups)) {
    throw new HoldfastError('RANGE_INVALID', 'the range is not within the piece', {
      details: { pieceBytes, firstGroup, groups }
    })
  }
  if (groupCvs.length !== groupsOf(pieceBytes) * HASH_BYTES) {
    throw new HoldfastError('PIECE_DAMAGED', 'the stored piece does not have its length', {
      details: { pieceBytes, groupCvsBytes: groupCvs.length }
    })
  }
  const siblings: Uint8Array[] = []
  let level = groupCvs
  let first = firstGroup
  let end = firstGroup + groups
  while (level.length > HASH_BYTES) {
    const boundary = boundaryOf(first, end, level.length / HASH_BYTES)
    if (boundary.left) siblings.push(nodeAt(level, first - 1))
    if (boundary.right) siblings.push(nodeAt(level, end))
    level = parentLevel(level, false)
    first >>= 1
    end = (end + 1) >> 1
  }
  return { cvs: nodeAt(groupCvs, firstGroup, groups), siblings }
}

/**
 * Checks that the chaining values of a range hash to the root of a piece of that length.
 * @throws HoldfastError PROOF_INVALID otherwise, whatever the proof holds
 */
export function verifyRange(init: {
  root: Uint8Array
  pieceBytes: number
  firstGroup: number
  groups: number
  proof: RangeProof
}): void {
  const { root, pieceBytes, firstGroup, groups, proof } = init
  const computed = isRange(pieceBytes, firstGroup, groups)
    ? rootOfRange(proof, firstGroup, groups, groupsOf(pieceBytes))
    : undefined
  if (computed === undefined || !equal(computed, root)) {
    throw new HoldfastError('PROOF_INVALID', 'the range does not belong to the piece', {
      details: { pieceBytes, firstGroup, groups }
    })
  }
}

/** True if `bytes` are exactly group `groupIndex` of a piece of that length, given the group's verified value. */
export function verifyGroup(init: {
  cv: Uint8Array
  groupIndex: number
  pieceBytes: number
  bytes: Uint8Array
}): boolean {
  const { cv, groupIndex, pieceBytes, bytes } = init
  if (!isRange(pieceBytes, groupIndex, 1)) return false
  if (bytes.length !== bytesOfGroup(pieceBytes, groupIndex)) return false
  return equal(groupCv(bytes, groupIndex, groupsOf(pieceBytes) === 1), cv)
}

/** The root that a range proof leads to; undefined if it is malformed. */
function rootOfRange(
  proof: RangeProof,
  firstGroup: number,
  groups: number,
  groupsInPiece: number
): Uint8Array | undefined {
  if (proof.cvs.length !== groups * HASH_BYTES) return undefined
  if (proof.siblings.some(sibling => sibling.length !== HASH_BYTES)) return undefined
  let level = proof.cvs
  let first = firstGroup
  let end = firstGroup + groups
  let used = 0
  for (let count = groupsInPiece; count > 1; count = (count + 1) >> 1) {
    const boundary = boundaryOf(first, end, count)
    const left = boundary.left ? proof.siblings[used++] : NO_NODE
    const right = boundary.right ? proof.siblings[used++] : NO_NODE
    if (left === undefined || right === undefined) return undefined
    level = parentLevel(concat(left, level, right), count === 2)
    first >>= 1
    end = (end + 1) >> 1
  }
  return used === proof.siblings.length ? level : undefined
}

const NO_NODE = new Uint8Array(0)

/** Which neighbours of the nodes first..end-1, on a level of `count` nodes, their parents need. */
function boundaryOf(first: number, end: number, count: number): { left: boolean; right: boolean } {
  return { left: first % 2 === 1, right: end % 2 === 1 && end < count }
}

function isRange(pieceBytes: number, firstGroup: number, groups: number): boolean {
  if (!isPieceBytes(pieceBytes)) return false
  const groupsInPiece = groupsOf(pieceBytes)
  return (
    isIndex(firstGroup, groupsInPiece) &&
    groups >= 1 &&
    isIndex(groups - 1, groupsInPiece - firstGroup)
  )
}

/** A copy of `count` nodes of a level. */
function nodeAt(level: Uint8Array, index: number, count = 1): Uint8Array {
  return new Uint8Array(level.subarray(index * HASH_BYTES, (index + count) * HASH_BYTES))
}
