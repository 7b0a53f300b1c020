/**
 * Pending changes over a reader. Overlays stack: a transaction writes into its own, which is merged into the block's
 * when it succeeds and dropped when it fails. Everything is synchronous.
 */
import { view } from '../../base/bytes.ts'
import { recordKey, type Table } from './tables.ts'

/** Raw record bytes by record key. */
export interface RecordReader {
  read(record: Uint8Array): Uint8Array | undefined
}

export interface RecordChange {
  record: Uint8Array
  /** Absent: deleted. */
  value?: Uint8Array
}

export class Overlay implements RecordReader {
  readonly #below: RecordReader
  readonly #changes = new Map<string, RecordChange>()

  constructor(below: RecordReader) {
    this.#below = below
  }

  read(record: Uint8Array): Uint8Array | undefined {
    const id = idOf(record)
    let layer: RecordReader = this
    while (layer instanceof Overlay) {
      const change = layer.#changes.get(id)
      if (change !== undefined) return change.value
      layer = layer.#below
    }
    return layer.read(record)
  }

  get<V>(table: Table<V>, key: Uint8Array): V | undefined {
    const bytes = this.read(recordKey(table, key))
    return bytes === undefined ? undefined : table.type.deserialize(bytes)
  }

  put<V>(table: Table<V>, key: Uint8Array, value: V): void {
    const record = recordKey(table, key)
    this.#changes.set(idOf(record), { record, value: table.type.serialize(value) })
  }

  delete(table: Table<unknown>, key: Uint8Array): void {
    const record = recordKey(table, key)
    this.#changes.set(idOf(record), { record })
  }

  /** Adds all changes of `above`. */
  merge(above: Overlay): void {
    for (const [id, change] of above.#changes) this.#changes.set(id, change)
  }

  changes(): RecordChange[] {
    return [...this.#changes.values()]
  }
}

/** Bytes as a map key. */
export function idOf(bytes: Uint8Array): string {
  return view(bytes).toString('latin1')
}
