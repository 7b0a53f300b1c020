/** The part of `level` that the ledger uses, over a simulated disk: every write is one durable, atomic operation. */
import type { LedgerDb } from '../../src/ledger/state/store.ts'
import type { KeyRange, Operation } from './db-image.ts'
import type { Disk, Process } from './disk.ts'

interface Snapshot {
  version: number
  close(): Promise<void>
}

interface ReadOptions {
  snapshot?: Snapshot
}

export function simDb(disk: Disk, process: Process): LedgerDb {
  const { db } = disk
  const versionOf = ({ snapshot }: ReadOptions = {}): number => snapshot?.version ?? db.version
  const write = (operations: readonly Operation[]): Promise<void> =>
    disk.durable(process, () => db.apply(operations))
  async function* iterator(
    range: KeyRange & ReadOptions
  ): AsyncGenerator<[Uint8Array, Uint8Array]> {
    yield* db.entries(range, versionOf(range))
  }
  async function* values(range: KeyRange & ReadOptions): AsyncGenerator<Uint8Array> {
    for (const [, value] of db.entries(range, versionOf(range))) yield value
  }
  const sim = {
    snapshot: (): Snapshot => ({ version: db.version, close: async () => {} }),
    getSync: (key: Uint8Array, options?: ReadOptions) => db.get(key, versionOf(options)),
    get: async (key: Uint8Array, options?: ReadOptions) => db.get(key, versionOf(options)),
    batch: write,
    put: (key: Uint8Array, value: Uint8Array) => write([{ type: 'put', key, value }]),
    del: (key: Uint8Array) => write([{ type: 'del', key }]),
    clear: (range: KeyRange = {}) =>
      write(db.entries(range, db.version).map(([key]) => ({ type: 'del', key }))),
    iterator,
    values,
    close: async () => {}
  }
  return sim as unknown as LedgerDb
}
