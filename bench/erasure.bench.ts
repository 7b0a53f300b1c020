/**
 * Reed-Solomon of 64 MiB against the wasm package of npm. CPU time of one thread; MB are payload.
 *
 *   encode       all parity shards
 *   decode       what a get sees: exactly k shards arrived, as few of them data shards as possible, the others any ones
 *   decode-run   the easy case: the same data shards are missing and every parity shard is there, so k shards in a row
 *                are, and the kernel can take its FFT instead of matrix rows
 *
 *   api=stripes  ErasureCode of src/storage, stripe after stripe, as put and get run it
 *   api=copy     the kernel of src/storage/reed-solomon, one call over 64 MiB of shards
 *   api=arena    the same kernel on one stripe in its own memory: nothing is copied, everything is in the cache
 *
 * Two peers, both the package: `subspace-wasm` gets the 64 MiB in one call, as its users call it; `subspace-stripes`
 * gets our stripes, which suits its cache better and is the like for like of api=stripes.
 *
 *   encode-isal, decode-isal, encode-klauspost, decode-klauspost
 *                against native code on one core, where it can be compiled: ISA-L of the system in C, klauspost in Go.
 *                1 MiB of shards, data and parity, that stays in the cache on both sides; MB are payload. "best" is
 * what
 *                the library chooses for this processor.
 */
import { PROFILES, type Profile } from '../src/storage/index.ts'
import { compare, rowOf, skippedRow } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { type ErasureWork, erasureWorks, INPUT_BYTES } from './support/erasure-works.ts'
import { NativeCodes } from './support/native-erasure.ts'
import { DECODE_OPS, type ErasureOp } from './support/shards.ts'
import type { Area, BenchContext, Row } from './types.ts'

export const area: Area = {
  name: 'erasure',
  about: 'Reed-Solomon encode and decode against reed-solomon-erasure.wasm',
  async *run(context) {
    for (const profile of Object.values(PROFILES)) yield* benchProfile(profile, context)
    const natives = await NativeCodes.build(context)
    try {
      for (const profile of Object.values(PROFILES)) yield* natives.rows(profile)
    } finally {
      await natives.remove()
    }
  }
}

async function* benchProfile(profile: Profile, context: BenchContext): AsyncGenerator<Row> {
  const works = await erasureWorks(profile)
  for (const op of ['encode', ...DECODE_OPS] as const) {
    const takesPart = ({ ops }: { ops: readonly ErasureOp[] }): boolean => ops.includes(op)
    const ours = works.ours.filter(takesPart)
    const peers = works.peers.filter(takesPart)
    const contestants = [...ours, ...peers].map(work => work.contestant(op))
    const rounds = await compare(contestants, context)
    for (const work of ours) {
      yield rowOf(rounds, {
        name: nameOf(op, profile, work),
        ours: work.name,
        peers: peers.map(({ name }) => name),
        ...{ unit: 'MB', basis: 'cpu', guard: true }
      })
    }
    for (const work of works.missing.filter(takesPart)) {
      yield skippedRow(nameOf(op, profile, work), work.reason)
    }
  }
}

function nameOf(
  op: ErasureOp,
  { k, n }: Profile,
  { parameters }: Pick<ErasureWork, 'parameters'>
): string {
  return rowName('erasure', op, { k, n, size: sizeOf(INPUT_BYTES), ...parameters })
}
