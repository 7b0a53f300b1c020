/**
 * From the recorded transform to a program for the kernel: dead code gone, every value at a place. Known shards are
 * read where they lie, each wanted shard is written once, directly; all else lives in as few temporaries as possible,
 * so that a column of them stays in the first-level cache.
 */
import { assert } from '../../base/assert.ts'
import { recordTransform } from './additive-fft.ts'
import { type Operation, UNUSED } from './fft-graph.ts'

/** Where a value lies: shard index (>= 0), or temporary t as -1 - t. */
export type Place = number

export type StepKind = 'forward' | 'inverse' | 'multiply-add' | 'xor' | 'copy'

/** An operation whose operands are places; see Operation for what each kind computes. copy: d = u. */
export interface Step {
  kind: StepKind
  scalar: number
  u: Place
  v: Place
  d: Place
  e: Place
}

export interface FftPlan {
  steps: Step[]
  temporaries: number
}

export function temporary(index: number): Place {
  return -1 - index
}

/** The index of a temporary, or null for a shard. */
export function temporaryIndex(place: Place): number | null {
  return place < 0 ? -1 - place : null
}

/**
 * The program that computes shards from k others: those at shift ^ 0, shift ^ 1, .. shift ^ (k-1). A shift of 0 means:
 * from the data shards.
 * @param k number of data shards, 1..256
 * @param shift 0..255
 * @param wanted indexes of shards, none of them among the k
 */
export function fftPlan(k: number, shift: number, wanted: readonly number[]): FftPlan {
  const { graph, valueAt } = recordTransform(k, shift, wanted)
  const results = wanted.map(shard => {
    const value = valueAt(shard)
    assert(value !== null, 'every shard depends on any k others')
    return { shard, value }
  })
  const operations = graph.needed(results.map(result => result.value))
  const inputs = Array.from({ length: k }, (_, i): [number, Place] => [i, shift ^ i])
  return placeValues(operations, results, new Map(inputs))
}

interface Result {
  shard: number
  value: number
}

function placeValues(
  operations: Operation[],
  results: Result[],
  places: Map<number, Place>
): FftPlan {
  const copies: Step[] = []
  for (const { shard, value } of results) {
    const place = places.get(value)
    if (place === undefined) places.set(value, shard)
    else copies.push({ kind: 'copy', scalar: 0, u: place, v: place, d: shard, e: shard })
  }
  const temporaries = new Temporaries(places, lastUses(operations))
  const steps = operations.map((operation, index): Step => {
    const u = temporaries.placeOf(operation.u)
    const v = temporaries.placeOf(operation.v)
    // Operands that die here free their place first: the kernel reads 64 bytes of both before it writes any.
    temporaries.release([operation.u, operation.v], index)
    const d = temporaries.assign(operation.d)
    const e = operation.e === UNUSED ? d : temporaries.assign(operation.e)
    temporaries.release([operation.d, operation.e], index)
    return { kind: operation.kind, scalar: operation.scalar, u, v, d, e }
  })
  return { steps: [...steps, ...copies], temporaries: temporaries.count }
}

/** For each value the index of the last operation that reads it. */
function lastUses(operations: Operation[]): Map<number, number> {
  const last = new Map<number, number>()
  for (const [index, { u, v }] of operations.entries()) last.set(u, index).set(v, index)
  return last
}

/** Hands out temporaries; the one freed last goes first, because it is the warmest. */
class Temporaries {
  count = 0
  readonly #places: Map<number, Place>
  readonly #lastUses: ReadonlyMap<number, number>
  readonly #free: Place[] = []

  constructor(places: Map<number, Place>, uses: ReadonlyMap<number, number>) {
    this.#places = places
    this.#lastUses = uses
  }

  placeOf(value: number): Place {
    const place = this.#places.get(value)
    assert(place !== undefined, 'a value is made before it is read')
    return place
  }

  assign(value: number): Place {
    const known = this.#places.get(value)
    if (known !== undefined) return known
    const place = this.#free.pop() ?? temporary(this.count++)
    this.#places.set(value, place)
    return place
  }

  /** Frees the temporaries of those values that nobody reads after operation `index`. */
  release(values: readonly number[], index: number): void {
    for (const value of new Set(values)) {
      const place = this.#places.get(value)
      if (place === undefined || temporaryIndex(place) === null) continue
      if ((this.#lastUses.get(value) ?? index) <= index) {
        this.#free.push(place)
        this.#places.delete(value)
      }
    }
  }
}
