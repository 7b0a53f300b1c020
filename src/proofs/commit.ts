/**
 * Commitment to a piece: its BLAKE3 root, its length and the chaining value of every 16 KiB chunk group. The root says
 * nothing about the length (a path of a short tree is a path of some longer one): whoever stores a root stores the
 * length beside it, as the deal's sum tree does.
 */
import { assert } from '../base/assert.ts'
import { concat } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { GROUP_BYTES, LEAF_BYTES, PIECE_BYTES_MAX } from '../base/limits.ts'
import { groupCv, rootOfGroups } from './blake3.ts'

export interface Commitment {
  /** Piece root, 32 bytes. */
  root: Uint8Array
  /** Length of the piece, 1..PIECE_BYTES_MAX. */
  bytes: number
  /** 32 bytes per 16 KiB group, in order; the one entry of a single-group piece is the root. */
  groupCvs: Uint8Array
}

export interface Committer {
  /**
   * Appends bytes; they may be reused after the call.
   * @throws HoldfastError INVALID_ARGUMENT, with nothing appended, if the piece would pass PIECE_BYTES_MAX
   */
  update(bytes: Uint8Array): void
  /** Ends the piece; no call may follow. @throws HoldfastError INVALID_ARGUMENT on an empty piece */
  finish(): Commitment
}

/** Commits to a piece that arrives in splits of any size. Holds one group and 32 bytes per group seen. */
export function createCommitter(): Committer {
  const pending = new Uint8Array(GROUP_BYTES)
  const cvs: Uint8Array[] = []
  let pendingBytes = 0
  let totalBytes = 0
  let isFinished = false

  return {
    update(bytes: Uint8Array): void {
      assert(!isFinished, 'the piece is finished')
      if (totalBytes + bytes.length > PIECE_BYTES_MAX) throw tooLong(totalBytes + bytes.length)
      totalBytes += bytes.length
      let at = 0
      while (at < bytes.length) {
        // A group is hashed only when more follows: a piece of one group hashes it as the root.
        if (pendingBytes === GROUP_BYTES) {
          cvs.push(groupCv(pending, cvs.length, false))
          pendingBytes = 0
        }
        if (pendingBytes === 0 && bytes.length - at > GROUP_BYTES) {
          cvs.push(groupCv(bytes.subarray(at, at + GROUP_BYTES), cvs.length, false))
          at += GROUP_BYTES
          continue
        }
        const part = bytes.subarray(at, at + GROUP_BYTES - pendingBytes)
        pending.set(part, pendingBytes)
        pendingBytes += part.length
        at += part.length
      }
    },
    finish(): Commitment {
      assert(!isFinished, 'the piece is finished')
      if (totalBytes === 0) throw new HoldfastError('INVALID_ARGUMENT', 'a piece is never empty')
      isFinished = true
      cvs.push(groupCv(pending.subarray(0, pendingBytes), cvs.length, cvs.length === 0))
      const groupCvs = concat(...cvs)
      return { root: rootOfGroups(groupCvs), bytes: totalBytes, groupCvs }
    }
  }
}

/** Commitment of a whole piece. @throws HoldfastError INVALID_ARGUMENT unless 1..PIECE_BYTES_MAX bytes */
export function commitPiece(bytes: Uint8Array): Commitment {
  const committer = createCommitter()
  committer.update(bytes)
  return committer.finish()
}

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

function tooLong(bytes: number): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `a piece has at most ${PIECE_BYTES_MAX} bytes`, {
    details: { bytes, bytesMax: PIECE_BYTES_MAX }
  })
}
