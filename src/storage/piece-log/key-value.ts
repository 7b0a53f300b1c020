/** The ordered key-value store under the piece index, and `level` behind it. The tests have one that forgets. */
import { Level } from 'level'
import { HoldfastError } from '../../base/errors.ts'

export interface KeyValue {
  /** @throws HoldfastError HOME_IN_USE, STORE_READ_ONLY when it cannot be read */
  open(): Promise<void>
  close(): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  /**
   * All or nothing, and in order: after a power cut some last batches may be missing, never one before another that is
   * there. With `sync` all are durable once resolved. The end of the process alone loses nothing.
   */
  write(operations: readonly KeyOperation[], sync: boolean): Promise<void>
  /** Ascending keys from `first` to `last`, both included, as of the first step. */
  entries(first: Uint8Array, last: Uint8Array): AsyncIterable<[Uint8Array, Uint8Array]>
}

/** No value: delete. */
export interface KeyOperation {
  readonly key: Uint8Array
  readonly value?: Uint8Array
}

export function levelKeyValue(folder: string): KeyValue {
  const db = new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view'
  })
  return {
    open: () => openLevel(db),
    close: () => db.close(),
    get: key => db.get(key),
    getMany: keys => db.getMany([...keys]),
    write: (operations, sync) => {
      const batch = operations.map(({ key, value }) =>
        value === undefined
          ? ({ type: 'del', key } as const)
          : ({ type: 'put', key, value } as const)
      )
      return db.batch(batch, { sync })
    },
    entries: (gte, lte) => db.iterator({ gte, lte })
  }
}

async function openLevel(db: Level<Uint8Array, Uint8Array>): Promise<void> {
  try {
    await db.open()
  } catch (error) {
    const code = (error as { cause?: { code?: unknown } }).cause?.code
    if (code === 'LEVEL_LOCKED') {
      throw new HoldfastError('HOME_IN_USE', 'another process has opened the piece store', {
        cause: error
      })
    }
    throw new HoldfastError('STORE_READ_ONLY', 'the piece index cannot be opened', {
      cause: error,
      hint: 'check its disk; if the index is damaged, delete its folder: it is rebuilt from the logs'
    })
  }
}
