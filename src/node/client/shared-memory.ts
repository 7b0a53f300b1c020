/**
 * Memory that worker threads see too, kept for the next one who needs as much: a worker lets go of shared memory only
 * when its own garbage collector runs, which may be minutes later, so fresh memory for every put and get piles up.
 */
import { KIB, MIB } from '../../base/limits.ts'

/** Kept between puts and gets: what one put of any profile with n/k up to 3 needs. */
const KEPT_BYTES_MAX: number = 176 * MIB
/** Less than this is not worth keeping. */
const KEPT_BYTES_MIN: number = 256 * KIB
/** An idle client gives all of it back to the system. */
const KEPT_MS = 60_000
/** Nobody gets memory that is longer than needed by more than this factor. */
const SLACK_FACTOR = 2

export class SharedMemory {
  readonly #free: Uint8Array[] = []
  #freeBytes = 0
  #expiry: NodeJS.Timeout | undefined

  /** At least `bytes` long; contents are those of the last user. */
  take(bytes: number): Uint8Array {
    const fits = ({ length }: Uint8Array): boolean =>
      length >= bytes && length <= SLACK_FACTOR * bytes
    const at = this.#free.findLastIndex(fits)
    if (at < 0) return new Uint8Array(new SharedArrayBuffer(bytes))
    const memory = this.#free.splice(at, 1)[0]!
    this.#freeBytes -= memory.length
    return memory
  }

  /** Whoever gives memory back neither reads nor writes it any more. */
  give(memory: Uint8Array): void {
    if (memory.length < KEPT_BYTES_MIN) return
    this.#free.push(memory)
    this.#freeBytes += memory.length
    while (this.#freeBytes > KEPT_BYTES_MAX) this.#freeBytes -= this.#free.shift()!.length
    this.#expiry ??= setTimeout(() => this.#drop(), KEPT_MS).unref()
    this.#expiry.refresh()
  }

  #drop(): void {
    this.#free.length = 0
    this.#freeBytes = 0
    this.#expiry = undefined
  }
}
