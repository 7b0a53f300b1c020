/** A piece on its way to the disk: a partial file, the checksums of its groups, and the room it holds. */
import { assert } from '../base/assert.ts'
import { HoldfastError } from '../base/errors.ts'
import { GroupChecksums } from './piece-checksums.ts'
import type { PartialFile } from './piece-files.ts'
import type { PieceRecord } from './piece-index.ts'
import type { StagedPiece } from './piece-store.ts'

/** What a staged piece asks of its store. */
export interface StagingStore {
  /** Puts the synced partial file and its record in place; afterwards the piece counts as stored. */
  publish(name: string, root: Uint8Array, record: PieceRecord): Promise<void>
  /** The piece has ended, stored or not: frees its room and what is left of its partial file. */
  ended(piece: DiskStagedPiece): Promise<void>
  /** The typed error for a failed write; may turn the store read-only. */
  trouble(cause: unknown): unknown
  /** @throws HoldfastError STORE_READ_ONLY */
  checkWritable(): void
}

export class DiskStagedPiece implements StagedPiece {
  readonly name: string
  readonly bytes: number
  readonly #store: StagingStore
  readonly #file: PartialFile
  readonly #checksums: GroupChecksums
  /** The call in progress; abort waits for it. */
  #busy: Promise<void> | undefined
  #aborted = false
  #ending: Promise<void> | undefined

  constructor(store: StagingStore, name: string, bytes: number, file: PartialFile) {
    this.#store = store
    this.name = name
    this.bytes = bytes
    this.#file = file
    this.#checksums = new GroupChecksums(bytes)
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#exclusive(async () => {
      const writtenBytes = this.#checksums.seenBytes + chunk.length
      if (writtenBytes > this.bytes) throw mismatch(`more than the ${this.bytes} bytes announced`)
      await this.#file.write(chunk)
      this.#checksums.update(chunk)
    })
  }

  commit(root: Uint8Array, groupCvs: Uint8Array): Promise<void> {
    return this.#exclusive(async () => {
      const { seenBytes } = this.#checksums
      if (seenBytes !== this.bytes) throw mismatch(`${seenBytes} of ${this.bytes} bytes arrived`)
      await this.#file.sync()
      const record = { bytes: this.bytes, checksums: this.#checksums.digest(), outboard: groupCvs }
      await this.#store.publish(this.name, root, record)
      await this.#end()
    })
  }

  async abort(): Promise<void> {
    this.#aborted = true
    await this.#busy?.catch(() => {})
    await this.#end()
  }

  /** Runs one call; a failure ends the piece. */
  async #exclusive(call: () => Promise<void>): Promise<void> {
    assert(this.#busy === undefined, 'calls to a staged piece come one after the other')
    if (this.#aborted) throw new HoldfastError('ABORTED', 'the staged piece was aborted')
    assert(this.#ending === undefined, 'the staged piece has ended')
    try {
      this.#store.checkWritable()
      this.#busy = call()
      await this.#busy
    } catch (cause) {
      const error = this.#store.trouble(cause)
      await this.#end()
      throw error
    } finally {
      this.#busy = undefined
    }
  }

  #end(): Promise<void> {
    this.#ending ??= this.#close()
    return this.#ending
  }

  async #close(): Promise<void> {
    // The bytes are either synced already or not wanted: a failing close changes nothing.
    await this.#file.close().catch(() => {})
    await this.#store.ended(this)
  }
}

function mismatch(reason: string): HoldfastError {
  return new HoldfastError('PIECE_MISMATCH', `staged piece: ${reason}`)
}
