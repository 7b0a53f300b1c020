/** What a database has on disk, with every version of it, so that snapshots are free. */

export interface Operation {
  type: 'put' | 'del'
  key: Uint8Array
  value?: Uint8Array
}

/** As abstract-level takes it. */
export interface KeyRange {
  gte?: Uint8Array
  gt?: Uint8Array
  lt?: Uint8Array
  lte?: Uint8Array
  reverse?: boolean
  limit?: number
}

interface Version {
  version: number
  value: Uint8Array | undefined
}

export class DbImage {
  /** Keys in latin1, oldest version first. */
  readonly #entries = new Map<string, Version[]>()
  version = 0

  /** All of them or none. */
  apply(operations: readonly Operation[]): void {
    this.version++
    for (const { type, key, value } of operations) {
      const versions = this.#entries.get(idOf(key)) ?? []
      versions.push({ version: this.version, value: type === 'put' ? value : undefined })
      this.#entries.set(idOf(key), versions)
    }
  }

  get(key: Uint8Array, version: number): Uint8Array | undefined {
    return valueAt(this.#entries.get(idOf(key)) ?? [], version)
  }

  entries(range: KeyRange, version: number): [key: Uint8Array, value: Uint8Array][] {
    const { limit = -1, reverse = false } = range
    const found: [Uint8Array, Uint8Array][] = []
    for (const id of [...this.#entries.keys()].filter(key => isWithin(key, range)).sort()) {
      const value = valueAt(this.#entries.get(id)!, version)
      if (value !== undefined) found.push([new Uint8Array(Buffer.from(id, 'latin1')), value])
    }
    if (reverse) found.reverse()
    return limit < 0 ? found : found.slice(0, limit)
  }
}

function valueAt(versions: readonly Version[], version: number): Uint8Array | undefined {
  return versions.findLast(entry => entry.version <= version)?.value
}

function isWithin(id: string, { gte, gt, lt, lte }: KeyRange): boolean {
  return (
    (gte === undefined || id >= idOf(gte)) &&
    (gt === undefined || id > idOf(gt)) &&
    (lt === undefined || id < idOf(lt)) &&
    (lte === undefined || id <= idOf(lte))
  )
}

function idOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
