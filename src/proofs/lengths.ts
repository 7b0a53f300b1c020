/** Lengths and counts of a piece and its parts: arithmetic, no bytes. */
import { GROUP_BYTES, LEAF_BYTES, PIECE_BYTES_MAX } from '../base/limits.ts'

/** Number of 1 KiB leaves of a piece. */
export function leavesOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / LEAF_BYTES))
}

/** Number of 16 KiB groups of a piece. */
export function groupsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / GROUP_BYTES))
}

/** Length of one leaf of a piece: 1024, or what remains for the last. */
export function bytesOfLeaf(pieceBytes: number, leafIndex: number): number {
  return Math.min(LEAF_BYTES, pieceBytes - leafIndex * LEAF_BYTES)
}

/** Length of one group of a piece: 16384, or what remains for the last. */
export function bytesOfGroup(pieceBytes: number, groupIndex: number): number {
  return Math.min(GROUP_BYTES, pieceBytes - groupIndex * GROUP_BYTES)
}

/** True if a piece may have this length. */
export function isPieceBytes(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes >= 1 && bytes <= PIECE_BYTES_MAX
}

/** True if `index` names one of `count` things. */
export function isIndex(index: number, count: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < count
}
