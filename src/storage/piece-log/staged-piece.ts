/** A piece on its way in: its checksums, its room, and where its bytes go until the commit. */
import { assert } from '../../base/assert.ts'
import { HoldfastError } from '../../base/errors.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import { GroupChecksums } from '../piece-checksums.ts'
import type { StagedPiece } from '../piece-store.ts'
import type { Appender, OpenRecord, PieceRecord } from './appender.ts'
import type { Disk } from './disks.ts'

/** What a staged piece asks of its store. */
export interface StagingStore {
  /** Puts the piece in place of whatever is stored under its root, through its sink. */
  publish(piece: LogStagedPiece, root: Uint8Array, parts: CommittedParts): Promise<void>
  /** The piece has ended, stored or not: frees its room. */
  ended(piece: LogStagedPiece): void
  /** The typed error for a failed write. */
  trouble(cause: unknown, disk: Disk): unknown
  /** @throws HoldfastError STORE_READ_ONLY */
  checkWritable(disk: Disk): void
}

export interface CommittedParts {
  readonly checksums: Uint8Array
  readonly outboard: Uint8Array
}

/** Where the bytes of a staged piece wait. */
export interface Sink {
  write(chunk: Uint8Array): Promise<void>
  /** Durable once resolved; the sink is used up, whatever happens. */
  commit(record: PieceRecord): Promise<void>
  /** Does nothing after a commit. */
  discard(): Promise<void>
}

/** In memory: small pieces, so that many share one write and one fsync. */
export function bufferSink(
  appender: Appender,
  place: { disk: Disk; endTick: number; bytes: number }
): Sink {
  const body = new Uint8Array(place.bytes)
  let filled = 0
  return {
    write: async chunk => {
      body.set(chunk, filled)
      filled += chunk.length
    },
    commit: record => appender.putSmall(place.disk, place.endTick, record, body),
    discard: async () => {}
  }
}

/** In the log already. */
export function logSink(appender: Appender, opened: OpenRecord): Sink {
  let record: OpenRecord | undefined = opened
  return {
    write: chunk => opened.writer.append([chunk]),
    commit: piece => {
      record = undefined
      return appender.finish(opened, piece)
    },
    discard: async () => {
      const left = record
      record = undefined
      if (left !== undefined) await appender.abandon(left)
    }
  }
}

export class LogStagedPiece implements StagedPiece {
  readonly bytes: number
  readonly leaseEnd: number
  readonly disk: Disk
  readonly sink: Sink
  readonly #store: StagingStore
  readonly #checksums: GroupChecksums
  /** The call in progress; abort waits for it. */
  #busy: Promise<void> | undefined
  #aborted = false
  #ending: Promise<void> | undefined

  constructor(
    store: StagingStore,
    sink: Sink,
    { bytes, leaseEnd, disk }: { bytes: number; leaseEnd: number; disk: Disk }
  ) {
    this.bytes = bytes
    this.leaseEnd = leaseEnd
    this.disk = disk
    this.sink = sink
    this.#store = store
    this.#checksums = new GroupChecksums(bytes)
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#exclusive(async () => {
      const writtenBytes = this.#checksums.seenBytes + chunk.length
      if (writtenBytes > this.bytes) throw mismatch(`more than the ${this.bytes} bytes announced`)
      await this.sink.write(chunk)
      this.#checksums.update(chunk)
    })
  }

  commit(root: Uint8Array, groupCvs: Uint8Array): Promise<void> {
    return this.#exclusive(async () => {
      assert(root.length === HASH_BYTES, 'piece root is 32 bytes')
      const { seenBytes } = this.#checksums
      if (seenBytes !== this.bytes) throw mismatch(`${seenBytes} of ${this.bytes} bytes arrived`)
      const parts = { checksums: this.#checksums.digest(), outboard: groupCvs }
      await this.#store.publish(this, root, parts)
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
      this.#store.checkWritable(this.disk)
      this.#busy = call()
      await this.#busy
    } catch (cause) {
      const error = this.#store.trouble(cause, this.disk)
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
    await this.sink.discard()
    this.#store.ended(this)
  }
}

function mismatch(reason: string): HoldfastError {
  return new HoldfastError('PIECE_MISMATCH', `staged piece: ${reason}`)
}
