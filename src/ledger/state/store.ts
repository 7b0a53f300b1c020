/**
 * The ledger's database. Reads are synchronous and see the view of the newest commit, so a query never sees half a
 * block; a commit is one synced batch.
 */
import { Level } from 'level'
import { type Hash, sha256 } from '../../base/hash.ts'
import { RESTORING_KEY, stateKey } from './keys.ts'
import type { RecordChange, RecordReader } from './overlay.ts'
import { type TreeChange, updateTree } from './tree.ts'
import type { Write } from './types.ts'
import {
  ENCODINGS,
  encodeEntry,
  type LedgerDb,
  StateView,
  type StoredRecord,
  treeKeyOf
} from './view.ts'

export { type LedgerDb, treeKeyOf, type Write }

/** Opens (and creates) a database for a Replica. */
export async function openLedgerDb(location: string): Promise<LedgerDb> {
  const db: LedgerDb = new Level<Uint8Array, Uint8Array>(location, ENCODINGS)
  await db.open()
  return db
}

export class StateStore implements RecordReader {
  readonly #db: LedgerDb
  #newest: StateView
  #previous: StateView | undefined
  /** Views on their way out. */
  #released: Promise<void> = Promise.resolve()

  /** `db` must be open, with "view" encodings (see openLedgerDb). */
  constructor(db: LedgerDb) {
    this.#db = db
    this.#newest = new StateView(db)
  }

  /** The newest commit; do not keep it across an await. */
  get newest(): StateView {
    return this.#newest
  }

  /** The commit before, once there was one since the store was opened; do not keep it across an await. */
  get previous(): StateView | undefined {
    return this.#previous
  }

  /** A view of the newest commit that stays until the caller closes it. */
  openView(): StateView {
    return new StateView(this.#db)
  }

  /** Raw value of a database key in the newest commit. */
  raw(key: Uint8Array): Uint8Array | undefined {
    return this.#newest.raw(key)
  }

  read(record: Uint8Array): Uint8Array | undefined {
    return this.#newest.read(record)
  }

  root(): Hash {
    return this.#newest.root()
  }

  /** The writes that make `changes` part of the state, and the state root after them. */
  prepare(changes: readonly RecordChange[]): { writes: Write[]; root: Hash } {
    const nodes = this.#newest.nodes()
    const records: Write[] = []
    const inTree: TreeChange[] = []
    for (const { record, value } of changes) {
      const key = treeKeyOf(record)
      inTree.push(value === undefined ? { key } : { key, valueHash: sha256(value) })
      records.push(
        writeOf(stateKey(key), value === undefined ? undefined : encodeEntry({ record, value }))
      )
    }
    const root = updateTree(nodes, inTree)
    return { writes: [...nodes.writes(), ...records], root }
  }

  /** One synced batch; afterwards reads see it. */
  async commit(writes: readonly Write[]): Promise<void> {
    const operations = writes.map(({ key, value }) =>
      value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value }
    )
    await this.#db.batch(operations, { ...ENCODINGS, sync: true })
    this.refresh()
  }

  /** Moves on to what is in the database now; somebody else may have written to it. */
  refresh(): void {
    // no await in here: whoever learns of a commit finds the views moved on
    const oldest = this.#previous
    this.#previous = this.#newest
    this.#newest = new StateView(this.#db)
    this.#released = this.#released.then(() => oldest?.close())
  }

  /** Every record of the committed state, in the order of the tree: for audits. */
  records(): AsyncGenerator<StoredRecord> {
    return this.#newest.records()
  }

  /** Removes what an interrupted restore left, so that the ledger starts from its genesis. */
  async discardRestore(): Promise<void> {
    if (this.raw(RESTORING_KEY) === undefined) return
    await this.#db.clear()
    this.refresh()
  }

  /** Releases the views; the database stays the caller's. */
  async close(): Promise<void> {
    await this.#released
    await this.#previous?.close()
    await this.#newest.close()
  }
}

function writeOf(key: Uint8Array, value: Uint8Array | undefined): Write {
  return value === undefined ? { key } : { key, value }
}
