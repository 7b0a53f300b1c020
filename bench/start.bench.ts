/**
 * What a worker costs before it does anything: wall time until a kernel has done its first work, in fresh processes,
 * and the WebAssembly memory of a worker that then encodes a segment (erasure code and BLAKE3 together).
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MIB } from '../src/base/limits.ts'
import { PROFILES } from '../src/storage/index.ts'
import { rowName } from './row-name.ts'
import { median, rounded, spreadOf } from './statistics.ts'
import type { Area, BenchContext, Row } from './types.ts'

const CHILD = fileURLToPath(new URL('children/kernel-start.ts', import.meta.url))
const START_MS_MAX = 10
const WORKER_WASM_MIB_MAX = 8

interface Start {
  milliseconds: number
  wasmBytes: number
}

export const area: Area = {
  name: 'start',
  about: 'cold start of the kernels and the WebAssembly memory of a worker',
  async *run(context) {
    for (const { k, n } of Object.values(PROFILES)) {
      const starts = await freshStarts(context, ['erasure', String(k), String(n)])
      const wasmMiB = rounded(Math.max(...starts.map(({ wasmBytes }) => wasmBytes)) / MIB)
      const name = rowName('start', 'erasure-kernel', { k, n })
      yield { ...startRow(name, starts), wasmMiB, limitMiB: WORKER_WASM_MIB_MAX }
    }
    for (const kernel of ['blake3', 'piece-cid']) {
      yield startRow(rowName('start', `${kernel}-kernel`), await freshStarts(context, [kernel]))
    }
  }
}

async function freshStarts(
  { rounds, signal }: BenchContext,
  args: readonly string[]
): Promise<Start[]> {
  const starts: Start[] = []
  for (let round = 0; round < rounds; round++) {
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, ...args], { signal })
    starts.push(JSON.parse(stdout) as Start)
  }
  return starts
}

function startRow(name: string, starts: readonly Start[]): Row {
  const milliseconds = starts.map(start => start.milliseconds)
  const middle = median(milliseconds)
  return {
    ...{ name, basis: 'wall', opsPerSecond: rounded(1e3 / middle) },
    ...{ milliseconds: rounded(middle), limitMilliseconds: START_MS_MAX },
    ...{ spread: rounded(spreadOf(milliseconds)), ratios: {}, ratioSpreads: {} },
    ...{ rounds: starts.length, guard: false }
  }
}
