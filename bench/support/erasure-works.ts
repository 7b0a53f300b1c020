/**
 * Everybody who encodes and decodes 64 MiB in the area `erasure`. Each proves once, before it is measured, that it
 * gives the parity of the package and restores wiped data.
 */
import { assert } from '../../src/base/assert.ts'
import { equal } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { KIB, MIB } from '../../src/base/limits.ts'
import { createErasureCode, type ErasureCode, type Profile } from '../../src/storage/index.ts'
import { shareBytesOf } from '../../src/storage/profile.ts'
import {
  createReedSolomon,
  type Implementation,
  type ReedSolomon,
  type ReedSolomonArena
} from '../../src/storage/reed-solomon/reed-solomon.ts'
import { cpuLoop } from '../harness.ts'
import type { RowParameters } from '../row-name.ts'
import type { Contestant } from '../types.ts'
import { newInstance, packageEncode, packageReconstruct } from './rs-package.ts'
import {
  DECODE_OPS,
  type ErasureOp,
  filled,
  presentFor,
  runOf,
  type Shards,
  shareOf
} from './shards.ts'

export const INPUT_BYTES: number = 64 * MIB
const ALL_OPS: readonly ErasureOp[] = ['encode', ...DECODE_OPS]
const MAIN_OPS: readonly ErasureOp[] = ['encode', 'decode']
const ARENA_SHARE_BYTES_MAX: number = 64 * KIB
/** The package is slow: enough stripes for one sample at the widest profile. */
const PEER_STRIPES = 8

export interface ErasureWork {
  name: string
  parameters: RowParameters
  /** Where it takes part: the slow ones not everywhere. */
  ops: readonly ErasureOp[]
  contestant(op: ErasureOp): Contestant
}

export interface ErasureWorks {
  ours: ErasureWork[]
  peers: ErasureWork[]
  /** What does not run on this machine, and why. */
  missing: (Pick<ErasureWork, 'parameters' | 'ops'> & { reason: string })[]
}

export async function erasureWorks(profile: Profile): Promise<ErasureWorks> {
  const whole = wholeShards(profile)
  const stripes = stripeShards(profile)
  const ours = [stripesWork(await createErasureCode(profile), stripes)]
  const missing: ErasureWorks['missing'] = []
  const add = (level: Implementation, api: string, ops: readonly ErasureOp[]): void => {
    const kernel = kernelOf(profile, level)
    if (typeof kernel === 'string') {
      missing.push({ parameters: { api, level }, ops, reason: kernel })
    } else if (api === 'copy') {
      ours.push(copyWork(kernel, level, whole, ops))
    } else {
      const shareBytes = Math.min(ARENA_SHARE_BYTES_MAX, kernel.arenaShareBytesMax)
      ours.push(arenaWork(kernel, level, ops, filled({ ...profile, shareBytes, runs: 1 })))
    }
  }
  add('relaxed-simd', 'copy', MAIN_OPS)
  add('relaxed-simd', 'arena', ALL_OPS)
  add('simd', 'arena', MAIN_OPS)
  const inStripes = Math.min(PEER_STRIPES, stripes.runs)
  const peers = [
    packageWork('subspace-wasm', whole, MAIN_OPS),
    packageWork('subspace-stripes', stripes, ALL_OPS, inStripes)
  ]
  return { ours, peers, missing }
}

/** 64 MiB as one long run. */
function wholeShards({ k, n }: Profile): Shards {
  return filled({ k, n, shareBytes: Math.floor(INPUT_BYTES / k), runs: 1 })
}

/** 64 MiB in the stripes of src/storage. */
function stripeShards(profile: Profile): Shards {
  const { k, n } = profile
  const shareBytes = shareBytesOf(profile)
  return filled({ k, n, shareBytes, runs: Math.floor(INPUT_BYTES / (k * shareBytes)) })
}

interface RunCode {
  encode(shards: Uint8Array, shareBytes: number): void
  reconstructData(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void
}

/** Contestants that run a code over all runs, or the first `runs` of them. */
function runsWork(
  work: Omit<ErasureWork, 'contestant'>,
  code: RunCode,
  shards: Shards,
  runs: number = shards.runs
): ErasureWork {
  const { k, shareBytes } = shards
  checkCode(code, runOf(shards, 0), shards)
  const all = Array.from({ length: runs }, (_, run) => runOf(shards, run))
  const contestant = (op: ErasureOp): Contestant => {
    const present = presentFor(op, shards)
    const each = (run: Uint8Array): void =>
      op === 'encode'
        ? code.encode(run, shareBytes)
        : code.reconstructData(run, shareBytes, present)
    return cpuLoop(work.name, runs * k * shareBytes, () => all.forEach(each))
  }
  return { ...work, contestant }
}

/** On a copy, because the code may not do what it should. */
function checkCode(code: RunCode, run: Uint8Array, { k, n, shareBytes }: Shards): void {
  const copy = run.slice()
  copy.fill(0, k * shareBytes)
  code.encode(copy, shareBytes)
  assert(equal(copy, run), 'the same parity as the package')
  for (const op of DECODE_OPS) {
    const present = presentFor(op, { k, n })
    for (let i = 0; i < n; i++) {
      if (!present[i]) copy.fill(0, i * shareBytes, (i + 1) * shareBytes)
    }
    code.reconstructData(copy, shareBytes, present)
    const dataBytes = k * shareBytes
    assert(equal(copy.subarray(0, dataBytes), run.subarray(0, dataBytes)), 'the data is restored')
    copy.set(run)
  }
}

function stripesWork(code: ErasureCode, stripes: Shards): ErasureWork {
  const work = { name: 'stripes', parameters: { api: 'stripes' }, ops: ALL_OPS }
  return runsWork(work, code, stripes)
}

function copyWork(
  kernel: ReedSolomon,
  level: Implementation,
  whole: Shards,
  ops: readonly ErasureOp[]
): ErasureWork {
  return runsWork({ name: `copy ${level}`, parameters: { api: 'copy', level }, ops }, kernel, whole)
}

function packageWork(
  name: string,
  shards: Shards,
  ops: readonly ErasureOp[],
  runs?: number
): ErasureWork {
  const instance = newInstance()
  const code: RunCode = {
    encode: run => packageEncode(instance, run, shards),
    reconstructData: (run, _, present) => packageReconstruct(run, shards, present)
  }
  return runsWork({ name, parameters: {}, ops }, code, shards, runs)
}

/** @param sample one run; its length is the arena's */
export function arenaWork(
  kernel: ReedSolomon,
  level: Implementation,
  ops: readonly ErasureOp[],
  sample: Shards
): ErasureWork {
  const { k, shareBytes } = sample
  const arena = kernel.arena(shareBytes)
  for (let i = 0; i < k; i++) arena.shard(i).set(shareOf(sample, i))
  checkArena(arena, sample)
  const name = `arena ${level}`
  const contestant = (op: ErasureOp): Contestant => {
    const present = presentFor(op, kernel)
    const work = op === 'encode' ? () => arena.encode() : () => arena.reconstructData(present)
    return cpuLoop(name, k * shareBytes, work)
  }
  return { name, parameters: { api: 'arena', level }, ops, contestant }
}

function checkArena(arena: ReedSolomonArena, sample: Shards): void {
  const { k, n } = sample
  arena.encode()
  for (let i = 0; i < n; i++) {
    assert(equal(arena.shard(i), shareOf(sample, i)), 'the same parity as the package')
  }
  for (const op of DECODE_OPS) {
    const present = presentFor(op, sample)
    for (let i = 0; i < k; i++) if (!present[i]) arena.shard(i).fill(0)
    arena.reconstructData(present)
    for (let i = 0; i < k; i++) {
      assert(equal(arena.shard(i), shareOf(sample, i)), 'the data is restored')
    }
  }
}

/** The kernel, or why it does not run here. */
export function kernelOf(profile: Profile, implementation: Implementation): ReedSolomon | string {
  try {
    return createReedSolomon(profile, { implementation })
  } catch (error) {
    if (!HoldfastError.is(error, 'INVALID_ARGUMENT')) throw error
    return error.hint === undefined ? error.message : `${error.message}: ${error.hint}`
  }
}
