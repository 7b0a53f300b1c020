/**
 * Chooses how missing shards are computed: by matrix rows from any k shards, or by the FFT program from k shards in a
 * row, such as the data shards. A job is the same for every stripe that misses the same shards.
 */

import { type FftPlan, fftPlan, type StepKind } from './fft-plan.ts'
import { FIELD_SIZE } from './field.ts'
import { OUTPUTS_PER_PASS_MAX } from './kernel-memory.ts'
import { range } from './oracle.ts'
import type { ReedSolomonProfile } from './types.ts'

/** What is computed from shards that are there, or that an earlier step made. */
export type JobStep =
  | { kind: 'matrix'; known: readonly number[]; targets: readonly number[] }
  | { kind: 'fft'; plan: FftPlan }

export interface Job {
  /** Shards that must be there before. */
  reads: readonly number[]
  /** Shards that are there after. */
  writes: readonly number[]
  steps: readonly JobStep[]
}

// Measured nanoseconds per 16 bytes of share; only their ratios matter.
const STEP_COST: Record<StepKind, number> = {
  forward: 0.95,
  inverse: 0.97,
  'multiply-add': 0.85,
  xor: 0.39,
  copy: 0.3
}
const PRODUCT_COST = 0.5
/** Reading and splitting an input, once for every group of outputs. */
const INPUT_COST = 0.55
const OUTPUT_COST = 0.5

interface PricedSteps {
  steps: JobStep[]
  cost: number
}

/** Computes shards k..n-1 from shards 0..k-1. */
export function encodeJob({ k, n }: ReedSolomonProfile): Job {
  const targets = range(k, n)
  return { reads: range(0, k), writes: targets, steps: parityFromData(k, targets).steps }
}

/**
 * Computes the shards that are not present, in the cheapest of the ways that the present ones allow.
 * @param present n flags, at least k of them true
 * @param end only shards before this one are wanted: k for the data, n for all
 */
export function repairJob(
  { k, n }: ReedSolomonProfile,
  present: readonly boolean[],
  end: number
): Job {
  const known = range(0, n)
    .filter(shard => present[shard])
    .slice(0, k)
  const missing = range(0, end).filter(shard => !present[shard])
  const data = missing.filter(shard => shard < k)
  const parity = missing.filter(shard => shard >= k)
  const ways = [
    { reads: known, ...byMatrix(known, missing) },
    // Data shards come first in `known`, so once the missing ones are computed all of them are there.
    { reads: known, ...both(byMatrix(known, data), parityFromData(k, parity)) }
  ]
  const shift = shiftOf(k, present)
  if (shift !== null && missing.length > 0) {
    ways.push({ reads: range(0, k).map(i => shift ^ i), ...byFft(k, shift, missing) })
  }
  const { reads, steps } = ways.reduce((best, way) => (way.cost < best.cost ? way : best))
  return { reads, writes: missing, steps }
}

/** A shift for which the k shards shift ^ 0 .. shift ^ (k-1) are all present: the FFT can start from those. */
function shiftOf(k: number, present: readonly boolean[]): number | null {
  const points = range(0, k)
  const shift = range(0, FIELD_SIZE).find(base => points.every(i => present[base ^ i]))
  return shift ?? null
}

function parityFromData(k: number, targets: number[]): PricedSteps {
  const matrix = byMatrix(range(0, k), targets)
  const fft = byFft(k, 0, targets)
  return fft.cost < matrix.cost ? fft : matrix
}

function byFft(k: number, shift: number, targets: number[]): PricedSteps {
  if (targets.length === 0) return { steps: [], cost: 0 }
  const plan = fftPlan(k, shift, targets)
  const cost = plan.steps.reduce((sum, step) => sum + STEP_COST[step.kind], 0)
  return { steps: [{ kind: 'fft', plan }], cost }
}

function byMatrix(known: number[], targets: number[]): PricedSteps {
  if (targets.length === 0) return { steps: [], cost: 0 }
  const passes = Math.ceil(targets.length / OUTPUTS_PER_PASS_MAX)
  const perInput = PRODUCT_COST * targets.length + INPUT_COST * passes
  const cost = perInput * known.length + OUTPUT_COST * targets.length
  return { steps: [{ kind: 'matrix', known, targets }], cost }
}

function both(first: PricedSteps, second: PricedSteps): PricedSteps {
  return { steps: [...first.steps, ...second.steps], cost: first.cost + second.cost }
}
