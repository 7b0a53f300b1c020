/**
 * The additive FFT of Lin, Chung and Han ("Novel polynomial basis and its application to Reed-Solomon erasure codes",
 * FOCS 2014) over the basis 1, 2, 4, ..: because the points of the code are the numbers 0..n-1, that is the span of
 * this basis, it evaluates the very polynomial of rows.ts. Written symbolically: it records what is to be computed.
 *
 * W_0(x) = x, W_{i+1}(x) = W_i(x) * (W_i(x) ^ W_i(2^i)); skew_i(x) = W_i(x) / W_i(2^i). A polynomial of 2^(i+1)
 * coefficients splits as f = f0 + skew_i * f1, and skew_i is constant on the coset {beta ^ j: j < 2^i}, for any beta.
 */
import { assert } from '../../base/assert.ts'
import { FftGraph, type Value } from './fft-graph.ts'
import { divide, multiply } from './field.ts'

const LEVELS = 8

/** skews[i][x] = skew_i(x) */
const SKEWS: readonly Uint8Array[] = skews()

function skews(): Uint8Array[] {
  let vanishing = Uint8Array.from({ length: 1 << LEVELS }, (_, x) => x)
  return Array.from({ length: LEVELS }, (_, level) => {
    const unit = vanishing[1 << level]!
    const skew = vanishing.map(w => divide(w, unit))
    vanishing = vanishing.map(w => multiply(w, w ^ unit))
    return skew
  })
}

export interface Recording {
  graph: FftGraph
  /** The value at a point of the code; only points that were wanted. */
  valueAt(point: number): Value
}

/**
 * Records how the values at some points follow from those at k others: input i is the value at the point shift ^ i.
 * @param wanted points in 0..255
 */
export function recordTransform(k: number, shift: number, wanted: readonly number[]): Recording {
  const graph = new FftGraph(k)
  const level = Math.ceil(Math.log2(k))
  const size = 1 << level
  const known = Array.from({ length: k }, (_, i) => i)
  const zeros = new Array<Value>(size - k).fill(null)
  const first = interpolate(graph, level, shift, known, zeros)
  const cosets = new Map<number, Value[]>([[0, first.values]])
  for (const coset of wanted.map(point => (point ^ shift) >> level)) {
    if (cosets.has(coset)) continue
    cosets.set(coset, evaluate(graph, level, shift ^ (coset << level), first.coefficients))
  }
  const valueAt = (point: number): Value => {
    const index = point ^ shift
    const values = cosets.get(index >> level)
    assert(values !== undefined, 'the point was wanted')
    return values[index & (size - 1)]!
  }
  return { graph, valueAt }
}

/** Values of the polynomial at the points beta ^ j, j = 0 .. 2^level - 1. */
function evaluate(graph: FftGraph, level: number, beta: number, coefficients: Value[]): Value[] {
  if (level === 0) return coefficients
  const half = 1 << (level - 1)
  const skew = SKEWS[level - 1]![beta]!
  const left: Value[] = []
  const right: Value[] = []
  for (let j = 0; j < half; j++) {
    const [u, v] = graph.forward(coefficients[j]!, skew, coefficients[j + half]!)
    left.push(u)
    right.push(v)
  }
  return [
    ...evaluate(graph, level - 1, beta, left),
    ...evaluate(graph, level - 1, beta ^ half, right)
  ]
}

interface Polynomial {
  coefficients: Value[]
  values: Value[]
}

/**
 * The truncated inverse transform (after van der Hoeven): a polynomial on the points beta ^ j whose first z values and
 * whose coefficients from z on are known, z = known.length, completed to all coefficients and all values.
 */
function interpolate(
  graph: FftGraph,
  level: number,
  beta: number,
  known: Value[],
  rest: Value[]
): Polynomial {
  const z = known.length
  assert(z + rest.length === 1 << level, 'as many equations as unknowns')
  if (z === 0) return { coefficients: rest, values: evaluate(graph, level, beta, rest) }
  if (level === 0) return { coefficients: known, values: known }
  return z <= 1 << (level - 1)
    ? interpolateLeft(graph, level, beta, known, rest)
    : interpolateBoth(graph, level, beta, known, rest)
}

/** No value of the right half is known: f1 is. */
function interpolateLeft(
  graph: FftGraph,
  level: number,
  beta: number,
  known: Value[],
  rest: Value[]
): Polynomial {
  const half = 1 << (level - 1)
  const z = known.length
  const skew = SKEWS[level - 1]![beta]!
  const upper = rest.slice(half - z)
  const leftRest = rest.slice(0, half - z).map((c, i) => graph.multiplyAdd(c, skew, upper[z + i]!))
  const left = interpolate(graph, level - 1, beta, known, leftRest)
  const lower = left.coefficients.map((c, j) =>
    j < z ? graph.multiplyAdd(c, skew, upper[j]!) : rest[j - z]!
  )
  const right = left.coefficients.map((c, j) => graph.add(c, upper[j]!))
  return {
    coefficients: [...lower, ...upper],
    values: [...left.values, ...evaluate(graph, level - 1, beta ^ half, right)]
  }
}

/** All values of the left half are known, and some of the right. */
function interpolateBoth(
  graph: FftGraph,
  level: number,
  beta: number,
  known: Value[],
  rest: Value[]
): Polynomial {
  const half = 1 << (level - 1)
  const rightKnown = known.length - half
  const skew = SKEWS[level - 1]![beta]!
  const left = interpolate(graph, level - 1, beta, known.slice(0, half), [])
  const rightRest = rest.map((c, i) => graph.add(left.coefficients[rightKnown + i]!, c))
  const right = interpolate(graph, level - 1, beta ^ half, known.slice(half), rightRest)
  const lower: Value[] = []
  const upper: Value[] = []
  for (let j = 0; j < half; j++) {
    const l = left.coefficients[j]!
    if (j < rightKnown) {
      const [f0, f1] = graph.inverse(l, skew, right.coefficients[j]!)
      lower.push(f0)
      upper.push(f1)
    } else {
      const f1 = rest[j - rightKnown]!
      lower.push(graph.multiplyAdd(l, skew, f1))
      upper.push(f1)
    }
  }
  return { coefficients: [...lower, ...upper], values: [...left.values, ...right.values] }
}
