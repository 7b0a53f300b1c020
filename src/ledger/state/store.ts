/**
 * The ledger's database. Reads are synchronous and see the snapshot of the newest commit, so a query never sees half a
 * block; a commit is one synced batch.
 */
import { Level } from 'level'
import { assert } from '../../base/assert.ts'
import { view } from '../../base/bytes.ts'
import { type Hash, sha256 } from '../../base/hash.ts'
import { plainBytes } from '../types/ssz.ts'
import { STATE_RANGE, stateKey, treeKey } from './keys.ts'
import type { RecordChange, RecordReader } from './overlay.ts'
import { INDEX_TABLES_FROM } from './tables.ts'
import { type NodeStore, type TreeChange, treeRoot, updateTree } from './tree.ts'

export type LedgerDb = Level<Uint8Array, Uint8Array>

/** One write of a batch; without a value the key is deleted. */
export interface Write {
  key: Uint8Array
  value?: Uint8Array
}

type Snapshot = ReturnType<LedgerDb['snapshot']>

const ENCODINGS = { keyEncoding: 'view', valueEncoding: 'view' } as const

/** Opens (and creates) a database for a Replica. */
export async function openLedgerDb(location: string): Promise<LedgerDb> {
  const db: LedgerDb = new Level<Uint8Array, Uint8Array>(location, ENCODINGS)
  await db.open()
  return db
}

export class StateStore implements RecordReader {
  readonly #db: LedgerDb
  #snapshot: Snapshot

  /** `db` must be open, with "view" encodings (see openLedgerDb). */
  constructor(db: LedgerDb) {
    this.#db = db
    this.#snapshot = db.snapshot()
  }

  /** Raw value of a database key in the newest commit. */
  raw(key: Uint8Array): Uint8Array | undefined {
    const found = this.#db.getSync(key, { ...ENCODINGS, snapshot: this.#snapshot })
    return found === undefined ? undefined : plainBytes(found)
  }

  read(record: Uint8Array): Uint8Array | undefined {
    return this.raw(stateKey(record))
  }

  root(): Hash {
    return treeRoot(this.nodes())
  }

  /** The stored tree nodes; writes are an error. */
  nodes(): NodeStore {
    return {
      read: path => this.raw(treeKey(path)),
      write: () => assert(false, 'the committed tree is read-only')
    }
  }

  /** The writes that make `changes` part of the state, and the state root after them. */
  prepare(changes: readonly RecordChange[]): { writes: Write[]; root: Hash } {
    const nodes = new PendingNodes(this)
    const root = updateTree(nodes, treeChanges(changes))
    const writes = nodes.writes()
    for (const { record, value } of changes) writes.push(writeOf(stateKey(record), value))
    return { writes, root }
  }

  /** One synced batch; afterwards reads see it. */
  async commit(writes: readonly Write[]): Promise<void> {
    const operations = writes.map(({ key, value }) =>
      value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value }
    )
    await this.#db.batch(operations, { ...ENCODINGS, sync: true })
    const before = this.#snapshot
    this.#snapshot = this.#db.snapshot()
    await before.close()
  }

  /** Every record of the committed state, in key order: for audits. */
  async *records(): AsyncGenerator<{ record: Uint8Array; value: Uint8Array }> {
    const range = { ...STATE_RANGE, ...ENCODINGS, snapshot: this.#snapshot }
    for await (const [key, value] of this.#db.iterator(range)) {
      yield { record: key.subarray(1), value }
    }
  }

  /** Releases the snapshot; the database stays the caller's. */
  async close(): Promise<void> {
    await this.#snapshot.close()
  }
}

/** Where a record stands in the state tree. */
export function treeKeyOf(record: Uint8Array): Hash {
  return sha256(record)
}

function treeChanges(changes: readonly RecordChange[]): TreeChange[] {
  const out: TreeChange[] = []
  for (const { record, value } of changes) {
    if (record[0]! >= INDEX_TABLES_FROM) continue
    const key = treeKeyOf(record)
    out.push(value === undefined ? { key } : { key, valueHash: sha256(value) })
  }
  return out
}

function writeOf(key: Uint8Array, value: Uint8Array | undefined): Write {
  return value === undefined ? { key } : { key, value }
}

class PendingNodes implements NodeStore {
  readonly #store: StateStore
  readonly #pending = new Map<string, Write>()

  constructor(store: StateStore) {
    this.#store = store
  }

  read(path: Uint8Array): Uint8Array | undefined {
    const pending = this.#pending.get(idOf(path))
    return pending === undefined ? this.#store.raw(treeKey(path)) : pending.value
  }

  write(path: Uint8Array, bytes: Uint8Array | undefined): void {
    this.#pending.set(idOf(path), writeOf(treeKey(path), bytes))
  }

  writes(): Write[] {
    return [...this.#pending.values()]
  }
}

function idOf(path: Uint8Array): string {
  return view(path).toString('latin1')
}
