/** Space accounting of a piece store in memory: exact at every moment, because every change goes through here. */
import { assert } from '../base/assert.ts'
import { HoldfastError } from '../base/errors.ts'
import { PIECE_BYTES_MAX } from '../base/limits.ts'

export class PieceSpace {
  readonly quotaBytes: number
  #usedBytes = 0
  #reservedBytes = 0
  #trashBytes = 0
  #pieces = 0

  constructor(quotaBytes: number) {
    assert(Number.isSafeInteger(quotaBytes) && quotaBytes >= 0, 'quota in bytes')
    this.quotaBytes = quotaBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  get reservedBytes(): number {
    return this.#reservedBytes
  }

  get trashBytes(): number {
    return this.#trashBytes
  }

  get pieces(): number {
    return this.#pieces
  }

  /** @throws HoldfastError QUOTA_EXCEEDED, INVALID_ARGUMENT unless 1..PIECE_BYTES_MAX */
  reserve(bytes: number): void {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > PIECE_BYTES_MAX) {
      throw new HoldfastError('INVALID_ARGUMENT', `piece of ${bytes} bytes`, {
        hint: `a piece holds 1 to ${PIECE_BYTES_MAX} bytes`
      })
    }
    const heldBytes = this.#usedBytes + this.#trashBytes + this.#reservedBytes
    const freeBytes = this.quotaBytes - heldBytes
    if (bytes > freeBytes) {
      throw new HoldfastError('QUOTA_EXCEEDED', `no room for ${bytes} bytes`, {
        details: { freeBytes: Math.max(0, freeBytes), quotaBytes: this.quotaBytes },
        retryable: true
      })
    }
    this.#reservedBytes += bytes
  }

  release(bytes: number): void {
    this.#reservedBytes -= bytes
    assert(this.#reservedBytes >= 0, 'released more than was reserved')
  }

  /** Counts a stored piece. */
  add(bytes: number): void {
    this.#usedBytes += bytes
    this.#pieces += 1
  }

  /** Counts a removed piece. */
  drop(bytes: number): void {
    this.#usedBytes -= bytes
    this.#pieces -= 1
    assert(this.#usedBytes >= 0 && this.#pieces >= 0, 'dropped more than was stored')
  }

  /** Counts a piece in the trash. */
  trash(bytes: number): void {
    this.#trashBytes += bytes
  }

  /** Counts a piece that has left the trash. */
  untrash(bytes: number): void {
    this.#trashBytes -= bytes
    assert(this.#trashBytes >= 0, 'took more out of the trash than was in it')
  }
}
