/**
 * Commitment to a piece: its BLAKE3 root, its length and the chaining value of every 16 KiB chunk group. The root says
 * nothing about the length (a path of a short tree is a path of some longer one): whoever stores a root stores the
 * length beside it, as the deal's sum tree does.
 */
import { assert } from '../base/assert.ts'
import { concat } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { GROUP_BYTES, PIECE_BYTES_MAX } from '../base/limits.ts'
import { sharedBlake3 } from './blake3.ts'
import type { Blake3 } from './blake3-tree.ts'

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

export interface CommitterOptions {
  /** What hashes. @default the one of this thread */
  blake3?: Blake3
}

/**
 * Commits to a piece that arrives in splits of any size: all whole groups of an update are hashed at once. Holds at
 * most one group, and 32 bytes per group seen.
 */
export function createCommitter({ blake3 = sharedBlake3() }: CommitterOptions = {}): Committer {
  return new StreamingCommitter(blake3)
}

class StreamingCommitter implements Committer {
  readonly #blake3: Blake3
  /** Room for one group, made when bytes of an unfinished group have to be kept. */
  #pending: Uint8Array | undefined
  #pendingBytes = 0
  readonly #cvs: Uint8Array[] = []
  #groups = 0
  #totalBytes = 0
  #isFinished = false

  constructor(blake3: Blake3) {
    this.#blake3 = blake3
  }

  update(bytes: Uint8Array): void {
    assert(!this.#isFinished, 'the piece is finished')
    const totalBytes = this.#totalBytes + bytes.length
    if (totalBytes > PIECE_BYTES_MAX) throw tooLong(totalBytes)
    this.#totalBytes = totalBytes
    // A first group that may be the whole piece waits: it would be hashed as the root.
    const mayBeAll = totalBytes === GROUP_BYTES
    const missing = this.#pendingBytes === 0 ? 0 : GROUP_BYTES - this.#pendingBytes
    let rest = bytes
    if (this.#pendingBytes > 0) {
      this.#keep(bytes.subarray(0, missing))
      rest = bytes.subarray(missing)
      if (this.#pendingBytes < GROUP_BYTES || mayBeAll) return
      this.#hash(this.#pending!)
      this.#pendingBytes = 0
    }
    const wholeBytes = mayBeAll ? 0 : rest.length - (rest.length % GROUP_BYTES)
    if (wholeBytes > 0) this.#hash(rest.subarray(0, wholeBytes))
    if (wholeBytes < rest.length) this.#keep(rest.subarray(wholeBytes))
  }

  finish(): Commitment {
    assert(!this.#isFinished, 'the piece is finished')
    if (this.#totalBytes === 0) {
      throw new HoldfastError('INVALID_ARGUMENT', 'a piece is never empty')
    }
    this.#isFinished = true
    if (this.#pendingBytes > 0) {
      const last = this.#pending!.subarray(0, this.#pendingBytes)
      this.#cvs.push(this.#blake3.groupCv(last, this.#groups, this.#groups === 0))
    }
    const groupCvs = concat(...this.#cvs)
    return { root: this.#blake3.rootOfGroups(groupCvs), bytes: this.#totalBytes, groupCvs }
  }

  #keep(bytes: Uint8Array): void {
    this.#pending ??= new Uint8Array(GROUP_BYTES)
    this.#pending.set(bytes, this.#pendingBytes)
    this.#pendingBytes += bytes.length
  }

  /** @param bytes whole groups */
  #hash(bytes: Uint8Array): void {
    this.#cvs.push(this.#blake3.groupCvs(bytes, this.#groups))
    this.#groups += bytes.length / GROUP_BYTES
  }
}

/** Commitment of a whole piece. @throws HoldfastError INVALID_ARGUMENT unless 1..PIECE_BYTES_MAX bytes */
export function commitPiece(bytes: Uint8Array): Commitment {
  const committer = createCommitter()
  committer.update(bytes)
  return committer.finish()
}

function tooLong(bytes: number): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `a piece has at most ${PIECE_BYTES_MAX} bytes`, {
    details: { bytes, bytesMax: PIECE_BYTES_MAX }
  })
}
