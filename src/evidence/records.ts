/** The verified records of a bundle. Every one has to be asked for: nothing rides along that nobody looks at. */
import { toHex } from '../base/bytes.ts'
import { invalid } from './bundle.ts'

interface Kept {
  table: string
  key: Uint8Array
  value: unknown
  used: boolean
}

export class Records {
  readonly #kept = new Map<string, Kept>()

  add(table: string, key: Uint8Array, value: unknown): void {
    this.#kept.set(nameOf(table, key), { table, key, value, used: false })
  }

  /** The record, decoded; undefined when the bundle does not have it. */
  take(table: string, key: Uint8Array): unknown {
    const found = this.#kept.get(nameOf(table, key))
    if (found !== undefined) found.used = true
    return found?.value
  }

  /** Keys of all records of a table, in the order of the bundle. */
  keysOf(table: string): Uint8Array[] {
    return [...this.#kept.values()].filter(kept => kept.table === table).map(({ key }) => key)
  }

  /** @throws HoldfastError PROOF_INVALID */
  assertAllUsed(): void {
    const idle = [...this.#kept.values()].find(({ used }) => !used)
    if (idle !== undefined) throw invalid(`has a record of ${idle.table} that says nothing`)
  }
}

function nameOf(table: string, key: Uint8Array): string {
  return `${table}/${toHex(key)}`
}
