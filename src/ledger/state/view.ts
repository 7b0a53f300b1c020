/**
 * The ledger's database as one commit left it. A view reads the same bytes whatever is committed after it, until it is
 * closed; open ones cost the database only the old versions of what changed since.
 */
import type { Level } from 'level'
import { assert } from '../../base/assert.ts'
import { concat } from '../../base/bytes.ts'
import { type Hash, sha256 } from '../../base/hash.ts'
import { plainBytes } from '../types/ssz.ts'
import { type KeyRange, STATE_RANGE, stateKey } from './keys.ts'
import type { RecordReader } from './overlay.ts'
import { PagedNodes } from './pages.ts'
import { treeRoot } from './tree.ts'

export type LedgerDb = Level<Uint8Array, Uint8Array>

export const ENCODINGS = { keyEncoding: 'view', valueEncoding: 'view' } as const

export interface StoredRecord {
  record: Uint8Array
  value: Uint8Array
}

export class StateView implements RecordReader {
  readonly #db: LedgerDb
  readonly #snapshot: ReturnType<LedgerDb['snapshot']>

  /** The newest commit. */
  constructor(db: LedgerDb) {
    this.#db = db
    this.#snapshot = db.snapshot()
  }

  /** Value of a database key. */
  raw(key: Uint8Array): Uint8Array | undefined {
    const found = this.#db.getSync(key, { ...ENCODINGS, snapshot: this.#snapshot })
    return found === undefined ? undefined : plainBytes(found)
  }

  read(record: Uint8Array): Uint8Array | undefined {
    const entry = this.raw(stateKey(treeKeyOf(record)))
    return entry === undefined ? undefined : decodeEntry(entry).value
  }

  root(): Hash {
    return treeRoot(this.nodes())
  }

  /** The tree. What is written to it stays in what is returned. */
  nodes(): PagedNodes {
    return new PagedNodes(key => this.raw(key))
  }

  /** Entries of the database, in the order of their keys. */
  async *entries(range: KeyRange): AsyncGenerator<[key: Uint8Array, value: Uint8Array]> {
    const options = { ...range, ...ENCODINGS, snapshot: this.#snapshot }
    for await (const [key, value] of this.#db.iterator(options)) {
      yield [plainBytes(key), plainBytes(value)]
    }
  }

  /** Every record, in the order of the state tree. */
  async *records(): AsyncGenerator<StoredRecord> {
    for await (const [, entry] of this.entries(STATE_RANGE)) yield decodeEntry(entry)
  }

  async close(): Promise<void> {
    await this.#snapshot.close()
  }
}

/** Where a record stands in the state tree. */
export function treeKeyOf(record: Uint8Array): Hash {
  return sha256(record)
}

/** How a record is stored: its tree key does not tell which record it is. */
export function encodeEntry({ record, value }: StoredRecord): Uint8Array {
  assert(record.length <= 0xff, 'the length of a record key fits a byte')
  return concat(Uint8Array.of(record.length), record, value)
}

export function decodeEntry(entry: Uint8Array): StoredRecord {
  const end = 1 + entry[0]!
  return { record: entry.subarray(1, end), value: entry.subarray(end) }
}
