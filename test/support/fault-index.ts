/** A key-value store in memory that keeps the order of its batches, and forgets the last ones when the power goes. */
import { compare, fromHex, toHex } from '../../src/base/bytes.ts'
import type { KeyOperation, KeyValue } from '../../src/storage/piece-log/key-value.ts'
import type { SeededRandom } from '../storage/random.ts'
import { errno, PowerLine } from './fault-disk.ts'

export class FaultIndex implements KeyValue {
  readonly power: PowerLine
  /** Every write fails with this code. */
  refusal: string | undefined
  readonly #random: SeededRandom
  #now = new Map<string, Uint8Array>()
  #durable = new Map<string, Uint8Array>()
  #unsynced: (readonly KeyOperation[])[] = []

  constructor(random: SeededRandom, power: PowerLine = new PowerLine()) {
    this.#random = random
    this.power = power
  }

  async open(): Promise<void> {
    this.power.assertOn()
  }

  async close(): Promise<void> {}

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.power.assertOn()
    return this.#now.get(toHex(key))
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.power.assertOn()
    return keys.map(key => this.#now.get(toHex(key)))
  }

  async write(operations: readonly KeyOperation[], sync: boolean): Promise<void> {
    this.power.assertOn()
    if (this.refusal !== undefined) throw errno(this.refusal)
    const copies = operations.map(({ key, value }) => ({
      key: key.slice(),
      ...(value && { value: new Uint8Array(value) })
    }))
    this.#unsynced.push(copies)
    apply(this.#now, copies)
    if (this.power.step()) throw errno('EPOWER')
    if (!sync) return
    this.#durable = new Map(this.#now)
    this.#unsynced = []
  }

  async *entries(first: Uint8Array, last: Uint8Array): AsyncGenerator<[Uint8Array, Uint8Array]> {
    this.power.assertOn()
    const all = [...this.#now].map(([key, value]): [Uint8Array, Uint8Array] => [
      fromHex(key),
      value
    ])
    const within = all.filter(([key]) => compare(key, first) >= 0 && compare(key, last) <= 0)
    yield* within.sort(([a], [b]) => compare(a, b))
  }

  /** What is there when the power comes back: all batches up to one of the last. */
  afterCrash(power: PowerLine = new PowerLine()): FaultIndex {
    const index = new FaultIndex(this.#random, power)
    index.#now = new Map(this.#durable)
    const kept = this.#random.below(this.#unsynced.length + 1)
    for (const operations of this.#unsynced.slice(0, kept)) apply(index.#now, operations)
    index.#durable = new Map(index.#now)
    return index
  }

  /** The same for another process: nothing is lost. */
  afterKill(power: PowerLine = new PowerLine()): FaultIndex {
    const index = new FaultIndex(this.#random, power)
    index.#now = new Map(this.#now)
    index.#durable = new Map(this.#now)
    return index
  }
}

function apply(map: Map<string, Uint8Array>, operations: readonly KeyOperation[]): void {
  for (const { key, value } of operations) {
    if (value === undefined) map.delete(toHex(key))
    else map.set(toHex(key), value)
  }
}
