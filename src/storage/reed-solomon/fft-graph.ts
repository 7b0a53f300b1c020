/**
 * A record of field operations in single assignment form: every operation makes new values, known zeros and products by
 * 0 or 1 vanish while recording, and what nobody needs is dropped afterwards.
 */
import { assert } from '../../base/assert.ts'

/** Index of a value; null is the value known to be zero. The inputs are 0..inputs-1. */
export type Value = number | null

/** A value that is not used. */
export const UNUSED = -1

export type OperationKind = 'forward' | 'inverse' | 'multiply-add' | 'xor'

/**
 * forward: d = u ^ scalar*v, e = d ^ v. inverse: e = u ^ v, d = u ^ scalar*e. multiply-add: d = u ^ scalar*v.
 * xor: d = u ^ v.
 */
export interface Operation {
  kind: OperationKind
  scalar: number
  u: number
  v: number
  d: number
  e: number
}

export class FftGraph {
  readonly inputs: number
  readonly operations: Operation[] = []
  #values: number

  constructor(inputs: number) {
    this.inputs = inputs
    this.#values = inputs
  }

  get values(): number {
    return this.#values
  }

  add(u: Value, v: Value): Value {
    if (u === null) return v
    if (v === null) return u
    return this.#record('xor', 0, u, v).d
  }

  /** u ^ scalar*v */
  multiplyAdd(u: Value, scalar: number, v: Value): Value {
    if (v === null || scalar === 0) return u
    if (scalar === 1) return this.add(u, v)
    // Known zeros are the highest coefficients, so the lower operand of a pair is never the zero one.
    assert(u !== null, 'the lower operand is not a known zero')
    return this.#record('multiply-add', scalar, u, v).d
  }

  /** [u ^ scalar*v, u ^ scalar*v ^ v] */
  forward(u: Value, scalar: number, v: Value): [Value, Value] {
    if (v === null) return [u, u]
    if (scalar === 0) return [u, this.add(u, v)]
    if (scalar === 1) return [this.add(u, v), u]
    assert(u !== null, 'the lower operand is not a known zero')
    const { d, e } = this.#record('forward', scalar, u, v)
    return [d, e]
  }

  /** Undoes `forward`: [u ^ scalar*(u ^ v), u ^ v] */
  inverse(u: Value, scalar: number, v: Value): [Value, Value] {
    if (scalar === 0) return [u, this.add(u, v)]
    if (scalar === 1) return [v, this.add(u, v)]
    assert(u !== null && v !== null, 'values are never known zeros')
    const { d, e } = this.#record('inverse', scalar, u, v)
    return [d, e]
  }

  /** The operations that `wanted` values need, in order, each reduced to the results that are used. */
  needed(wanted: readonly number[]): Operation[] {
    const used = new Set(wanted)
    const needed: Operation[] = []
    for (let i = this.operations.length - 1; i >= 0; i--) {
      const operation = reduce(this.operations[i]!, used)
      if (operation === null) continue
      used.add(operation.u).add(operation.v)
      needed.push(operation)
    }
    return needed.reverse()
  }

  #record(kind: OperationKind, scalar: number, u: number, v: number): Operation {
    const d = this.#values++
    const e = kind === 'forward' || kind === 'inverse' ? this.#values++ : UNUSED
    const operation = { kind, scalar, u, v, d, e }
    this.operations.push(operation)
    return operation
  }
}

/** A butterfly of which one result is used is a single multiply-add or XOR. */
function reduce(operation: Operation, used: ReadonlySet<number>): Operation | null {
  const { kind, d, e, scalar } = operation
  if (!used.has(d) && !used.has(e)) return null
  if (kind === 'forward' && !used.has(e)) {
    return { ...operation, kind: 'multiply-add', e: UNUSED }
  }
  if (kind === 'forward' && !used.has(d)) {
    return { ...operation, kind: 'multiply-add', scalar: scalar ^ 1, d: e, e: UNUSED }
  }
  if (kind === 'inverse' && !used.has(d)) return { ...operation, kind: 'xor', d: e, e: UNUSED }
  return operation
}
