/**
 * Index of a piece store in `level`. Three records for each root, so that listing pieces reads 9 bytes each and a range
 * read does not fetch the outboard:
 *
 *   "l" || root -> length of the piece, 8 bytes big-endian
 *   "c" || root -> CRC-32 of every group (piece-checksums.ts)
 *   "o" || root -> outboard, as given at commit
 *
 *   "v"         -> version of this format, 1 byte; written when the index is made
 *
 * All keys of the store are in this file. Writes are synced, and grouped.
 */
import { Level } from 'level'
import { assert } from '../base/assert.ts'
import { concat, equal, u64be, view } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { HASH_BYTES } from '../base/limits.ts'
import { GroupCommit } from './group-commit.ts'
import type { StoredPiece } from './piece-store.ts'

const FORMAT_VERSION = Uint8Array.of(1)

const VERSION = Uint8Array.of(0x76)
const LENGTH = Uint8Array.of(0x6c)
const CHECKSUMS = Uint8Array.of(0x63)
const OUTBOARD = Uint8Array.of(0x6f)

export interface PieceRecord {
  readonly bytes: number
  readonly checksums: Uint8Array
  readonly outboard: Uint8Array
}

type Operation =
  | { type: 'put'; key: Uint8Array; value: Uint8Array }
  | { type: 'del'; key: Uint8Array }

export class PieceIndex {
  readonly #db: Level<Uint8Array, Uint8Array>
  readonly #writes = new GroupCommit<Operation[]>(groups =>
    this.#db.batch(groups.flat(), { sync: true })
  )

  constructor(folder: string) {
    this.#db = new Level(folder, { keyEncoding: 'view', valueEncoding: 'view' })
  }

  /** @throws HoldfastError HOME_IN_USE, STORE_READ_ONLY when it cannot be read */
  async open(): Promise<void> {
    try {
      await this.#db.open()
    } catch (error) {
      const cause = (error as { cause?: { code?: unknown } }).cause
      if (cause?.code === 'LEVEL_LOCKED') {
        throw new HoldfastError('HOME_IN_USE', 'another process has opened the piece store', {
          cause: error
        })
      }
      throw new HoldfastError('STORE_READ_ONLY', 'the piece index cannot be opened', {
        cause: error
      })
    }
  }

  async close(): Promise<void> {
    await this.#db.close()
  }

  /** Length of the piece, undefined if there is none. */
  async bytesOf(root: Uint8Array): Promise<number | undefined> {
    const value = await this.#db.get(keyOf(LENGTH, root))
    return value === undefined ? undefined : decodeLength(value)
  }

  /** What a range read needs: length and checksums. */
  async checkOf(root: Uint8Array): Promise<{ bytes: number; checksums: Uint8Array } | undefined> {
    const [length, checksums] = await this.#db.getMany([
      keyOf(LENGTH, root),
      keyOf(CHECKSUMS, root)
    ])
    if (length === undefined || checksums === undefined) return undefined
    return { bytes: decodeLength(length), checksums }
  }

  async outboardOf(root: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.#db.get(keyOf(OUTBOARD, root))
    return value === undefined ? undefined : plain(value)
  }

  /** Durable once resolved. */
  async put(root: Uint8Array, record: PieceRecord): Promise<void> {
    await this.#writes.add([
      { type: 'put', key: keyOf(LENGTH, root), value: u64be(record.bytes) },
      { type: 'put', key: keyOf(CHECKSUMS, root), value: record.checksums },
      { type: 'put', key: keyOf(OUTBOARD, root), value: record.outboard }
    ])
  }

  /** Durable once resolved. */
  async remove(root: Uint8Array): Promise<void> {
    await this.#writes.add(
      [LENGTH, CHECKSUMS, OUTBOARD].map(kind => ({ type: 'del', key: keyOf(kind, root) }))
    )
  }

  /** Pieces ordered by root, all or those whose root starts with the byte `shard`, as of the first step. */
  async *pieces(shard?: number): AsyncGenerator<StoredPiece, void, undefined> {
    const from = shard ?? 0
    const to = shard ?? 0xff
    const range = {
      gte: concat(LENGTH, Uint8Array.of(from)),
      lte: concat(LENGTH, Uint8Array.of(to), new Uint8Array(HASH_BYTES).fill(0xff))
    }
    for await (const [key, value] of this.#db.iterator(range)) {
      yield { root: plain(key).slice(LENGTH.length), bytes: decodeLength(value) }
    }
  }

  /**
   * True for an index that was never marked: just made.
   * @throws HoldfastError STORE_READ_ONLY when another version of Holdfast made it
   */
  async isNew(): Promise<boolean> {
    const version = await this.#db.get(VERSION)
    if (version !== undefined && !equal(version, FORMAT_VERSION)) {
      throw new HoldfastError('STORE_READ_ONLY', 'the piece index has another format version', {
        hint: 'run the version of Holdfast that wrote it, or a newer one'
      })
    }
    return version === undefined
  }

  /** Durable once resolved. */
  async mark(): Promise<void> {
    await this.#writes.add([{ type: 'put', key: VERSION, value: FORMAT_VERSION }])
  }

  async isEmpty(): Promise<boolean> {
    for await (const _ of this.pieces()) return false
    return true
  }
}

function keyOf(kind: Uint8Array, root: Uint8Array): Uint8Array {
  assert(root.length === HASH_BYTES, 'piece root is 32 bytes')
  return concat(kind, root)
}

/** `level` gives Buffers, whose slice() is another: views of the same bytes. */
function plain(value: Uint8Array): Uint8Array {
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
}

function decodeLength(value: Uint8Array): number {
  return Number(view(value).readBigUInt64BE())
}
