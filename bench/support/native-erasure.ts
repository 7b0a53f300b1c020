/**
 * Native Reed-Solomon as a peer: ISA-L and klauspost, as bench/peers has them. A program gets a folder with
 *
 *   shards                      n shards of shareBytes, one after the other: what it has to give
 *   present                     n bytes: 1 for each shard that a decode has
 *   encode-matrix, decode-matrix  coefficients, row by row: one row per shard it gives, one column per shard it takes
 *   encode-from, encode-to, decode-from, decode-to  indexes of those shards, one byte each
 *
 * Its ratios depend on the instructions of the processor, so they are not in the committed baseline.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MIB } from '../../src/base/limits.ts'
import type { Profile } from '../../src/storage/index.ts'
import { createReedSolomon, type ReedSolomon } from '../../src/storage/reed-solomon/reed-solomon.ts'
import { compare, rowOf, skippedRow } from '../harness.ts'
import { rowName, sizeOf } from '../row-name.ts'
import type { BenchContext, Contestant, Row } from '../types.ts'
import { arenaWork, kernelOf } from './erasure-works.ts'
import {
  buildNative,
  type NativePeer,
  type NativeProgram,
  type NativeSource,
  startNative
} from './native-program.ts'
import { filled, presentFor, type Shards } from './shards.ts'
import { makeTempFolder } from './temp-folder.ts'

/** Data and parity together. */
const HOT_BYTES: number = 1 * MIB
const SHARE_STEP_BYTES = 64
const OPS = ['encode', 'decode'] as const
const LEVEL = 'relaxed-simd'

const SOURCES: readonly NativeSource[] = [
  {
    name: 'isal',
    command: ['gcc', '-O2', '-o', 'isal', 'isal.c', '-lisal'],
    needs: 'gcc and libisal-dev on x86-64'
  },
  {
    name: 'klauspost',
    command: ['go', 'build', '-o', 'klauspost', '.'],
    needs: 'go and its module proxy'
  }
]

export class NativeCodes {
  readonly #context: BenchContext
  readonly #programs: ReadonlyMap<string, NativeProgram | string>

  constructor(context: BenchContext, programs: ReadonlyMap<string, NativeProgram | string>) {
    this.#context = context
    this.#programs = programs
  }

  static async build(context: BenchContext): Promise<NativeCodes> {
    context.note('erasure: compiling native peers')
    const programs = new Map<string, NativeProgram | string>()
    for (const source of SOURCES) {
      programs.set(source.name, await buildNative(source, context.signal))
    }
    return new NativeCodes(context, programs)
  }

  async remove(): Promise<void> {
    for (const program of this.#programs.values()) {
      if (typeof program !== 'string') await program.remove()
    }
  }

  async *rows(profile: Profile): AsyncGenerator<Row> {
    const kernel = kernelOf(profile, LEVEL)
    for (const [peer, program] of this.#programs) {
      const reason = [kernel, program].find(value => typeof value === 'string')
      if (typeof kernel === 'string' || typeof program === 'string') {
        for (const op of OPS) yield skippedRow(nameOf(op, peer, profile), String(reason))
      } else {
        yield* this.#measured(peer, program, kernel)
      }
    }
  }

  async *#measured(peer: string, program: NativeProgram, kernel: ReedSolomon): AsyncGenerator<Row> {
    const { k, n } = kernel
    const perShare = Math.min(HOT_BYTES / n, kernel.arenaShareBytesMax)
    const shareBytes = Math.floor(perShare / SHARE_STEP_BYTES) * SHARE_STEP_BYTES
    const sample = filled({ k, n, shareBytes, runs: 1 })
    const native = await startWith(program, sample)
    try {
      const ours = arenaWork(kernel, LEVEL, OPS, sample)
      for (const op of OPS) {
        const theirs = native.levels.map(level => nativeContestant(native, peer, op, level))
        const rounds = await compare([ours.contestant(op), ...theirs], this.#context)
        yield rowOf(rounds, {
          ...{ name: nameOf(op, peer, kernel), ours: ours.name },
          peers: theirs.map(({ name }) => name),
          ...{ unit: 'MB', basis: 'cpu' }
        })
      }
    } finally {
      await native.stop()
    }
  }
}

function nameOf(op: string, peer: string, { k, n }: Profile): string {
  const parameters = { k, n, size: sizeOf(HOT_BYTES), api: 'arena', level: LEVEL }
  return rowName('erasure', `${op}-${peer}`, parameters)
}

function nativeContestant(native: NativePeer, peer: string, op: string, level: string): Contestant {
  const sample = (): ReturnType<Contestant['sample']> => native.sample(`${op} ${level}`)
  return { name: `${peer}-${level}`, prepare: async () => void (await sample()), sample }
}

async function startWith({ path }: NativeProgram, sample: Shards): Promise<NativePeer> {
  const { k, n, shareBytes, bytes } = sample
  const folder = await makeTempFolder()
  try {
    const write = (name: string, content: Iterable<number>): Promise<void> =>
      writeFile(join(folder.path, name), Uint8Array.from(content))
    await writeFile(join(folder.path, 'shards'), bytes)
    const present = presentFor('decode', sample)
    await write(
      'present',
      present.map(there => (there ? 1 : 0))
    )
    for (const [op, job] of Object.entries(jobsOf(sample, present))) {
      await write(`${op}-from`, job.from)
      await write(`${op}-to`, job.to)
      await write(`${op}-matrix`, job.matrix)
    }
    // It has read everything when it is ready.
    return await startNative(path, [folder.path, String(k), String(n), String(shareBytes)])
  } finally {
    await folder.remove()
  }
}

interface MatrixJob {
  from: number[]
  to: number[]
  matrix: Uint8Array
}

function jobsOf(profile: Profile, present: readonly boolean[]): Record<string, MatrixJob> {
  const { k, n } = profile
  const indexes = Array.from({ length: n }, (_, i) => i)
  const data = indexes.slice(0, k)
  const kept = indexes.filter(i => present[i]).slice(0, k)
  return {
    encode: jobOf(profile, data, indexes.slice(k)),
    decode: jobOf(
      profile,
      kept,
      data.filter(i => !present[i])
    )
  }
}

/** Coefficients are what the code makes of unit vectors: column j of k is all zeros but for shard from[j]. */
function jobOf({ k, n }: Profile, from: number[], to: number[]): MatrixJob {
  const units = new Uint8Array(n * k)
  for (const [j, index] of from.entries()) units[index * k + j] = 1
  const code = createReedSolomon({ k, n })
  const there = Array.from({ length: n }, (_, i) => from.includes(i))
  code.reconstruct(units, k, there)
  const matrix = new Uint8Array(to.length * k)
  for (const [row, index] of to.entries()) {
    matrix.set(units.subarray(index * k, (index + 1) * k), row * k)
  }
  return { from, to, matrix }
}
