/** Writes a job into the memory of a kernel, as the tables and programs that wasm/assembly reads. */
import { assert } from '../../base/assert.ts'
import { type FftPlan, type Place, type StepKind, temporaryIndex } from './fft-plan.ts'
import { NIBBLE_TABLE_BYTES } from './field.ts'
import type { Job, JobStep } from './jobs.ts'
import type { Kernel } from './kernel.ts'
import {
  ADDRESS_BYTES,
  columnBytesFor,
  type KernelLayout,
  LINE_BYTES,
  OPERATION_BYTES,
  OUTPUTS_PER_PASS_MAX,
  PLAN_TEMPORARIES_MAX,
  roundUp,
  type ShardRegion
} from './kernel-memory.ts'
import { lagrangeRows } from './rows.ts'

const KIND_CODE: Record<StepKind, number> = {
  forward: 0,
  inverse: 1,
  'multiply-add': 2,
  xor: 3,
  copy: 4
}

/** The inputs of one column stay in the second-level cache while all groups of outputs pass over them. */
const MATRIX_COLUMN_BYTES = 8192

/** Runs the job on the first `bytes` bytes of every shard, and at most up to the end of their last line. */
export type BoundJob = (bytes: number) => void

interface Target {
  kernel: Kernel
  layout: KernelLayout
  region: ShardRegion
}

/** Bytes that `bindJob` writes. */
export function jobBytes(job: Job): number {
  return job.steps.reduce((sum, step) => sum + roundUp(stepBytes(step), LINE_BYTES), 0)
}

function stepBytes(step: JobStep): number {
  if (step.kind === 'fft') return step.plan.steps.length * OPERATION_BYTES
  const { known, targets } = step
  return listBytes(known, targets) + known.length * targets.length * NIBBLE_TABLE_BYTES
}

/** The tables behind the lists of addresses begin with a line. */
function listBytes(known: readonly number[], targets: readonly number[]): number {
  return roundUp((known.length + targets.length) * ADDRESS_BYTES, LINE_BYTES)
}

/**
 * @param address where the job is written, a multiple of LINE_BYTES; stays untouched while the bound job is in use
 * @param region the shards it works on
 */
export function bindJob(
  job: Job,
  kernel: Kernel,
  layout: KernelLayout,
  region: ShardRegion,
  address: number
): BoundJob {
  const target = { kernel, layout, region }
  let at = address
  const steps = job.steps.map(step => {
    const run = bindStep(step, target, at)
    at += roundUp(stepBytes(step), LINE_BYTES)
    return run
  })
  return bytes => {
    const wholeLines = roundUp(bytes, LINE_BYTES)
    for (const run of steps) run(wholeLines)
  }
}

function bindStep(step: JobStep, target: Target, address: number): BoundJob {
  return step.kind === 'fft'
    ? bindProgram(step.plan, target, address)
    : bindMatrix(step.known, step.targets, target, address)
}

function bindProgram(plan: FftPlan, target: Target, address: number): BoundJob {
  const { kernel, layout, region } = target
  assert(plan.temporaries <= PLAN_TEMPORARIES_MAX, 'the temporaries fit their place')
  const columnBytes = columnBytesFor(plan.temporaries)
  const length = (plan.steps.length * OPERATION_BYTES) / ADDRESS_BYTES
  const words = new Uint32Array(kernel.memory.buffer, address, length)
  const addressOf = (place: Place): number => {
    const index = temporaryIndex(place)
    // Odd: does not advance with the column.
    return index === null
      ? region.base + place * region.strideBytes
      : layout.temporaries + index * columnBytes + 1
  }
  plan.steps.forEach(({ kind, scalar, u, v, d, e }, i) => {
    const places = [d, e, u, v].map(addressOf)
    const operation = [KIND_CODE[kind], ...places, scalar * NIBBLE_TABLE_BYTES]
    words.set(operation, i * operation.length)
  })
  const end = address + words.byteLength
  return bytes => kernel.runProgram(address, end, bytes, columnBytes)
}

function bindMatrix(
  known: readonly number[],
  targets: readonly number[],
  { kernel, region }: Target,
  address: number
): BoundJob {
  const addresses = [...known, ...targets].map(shard => region.base + shard * region.strideBytes)
  new Uint32Array(kernel.memory.buffer, address, addresses.length).set(addresses)
  const outputs = address + known.length * ADDRESS_BYTES
  const tables = address + listBytes(known, targets)
  writeTables(lagrangeRows(known, targets), kernel, tables)
  return bytes =>
    kernel.runMatrix(
      address,
      known.length,
      outputs,
      targets.length,
      tables,
      bytes,
      MATRIX_COLUMN_BYTES
    )
}

/** Group by group of outputs, input by input: the product table of each coefficient. */
function writeTables(rows: readonly Uint8Array[], kernel: Kernel, address: number): void {
  const memory = new Uint8Array(kernel.memory.buffer)
  let at = address
  for (const group of groupsOf(rows)) {
    for (let input = 0; input < rows[0]!.length; input++) {
      for (const row of group) {
        const table = row[input]! * NIBBLE_TABLE_BYTES
        memory.copyWithin(at, table, table + NIBBLE_TABLE_BYTES)
        at += NIBBLE_TABLE_BYTES
      }
    }
  }
}

/** As few groups as possible, of equal size, larger ones first: the same cut as in wasm/assembly/rs-matrix.ts. */
function groupsOf<Row>(rows: readonly Row[]): Row[][] {
  const count = Math.ceil(rows.length / OUTPUTS_PER_PASS_MAX)
  const groups: Row[][] = []
  let first = 0
  for (let left = count; left > 0; left--) {
    const size = Math.ceil((rows.length - first) / left)
    groups.push(rows.slice(first, first + size))
    first += size
  }
  return groups
}
