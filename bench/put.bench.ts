/**
 * The CPU work of a put at 29/80: every stripe encrypted, erasure-coded and hashed into the commitments of its pieces.
 *
 *   encode       one thread, CPU time, against SHA-256 of node:crypto over the same plaintext
 *   two-workers  the client's worker pool with two threads against the same with one; wall time, so that other load
 *                counts; needs two cores that are free
 */
import { availableParallelism } from 'node:os'
import { MIB } from '../src/base/limits.ts'
import { type EncodeJob, encodeSegment } from '../src/node/client/encode-job.ts'
import type { SegmentTasks } from '../src/node/client/segment-tasks.ts'
import { WorkerPool } from '../src/node/workers/pool.ts'
import { arenaBytes, PROFILES, segmentLayout } from '../src/storage/index.ts'
import { compare, cpuLoop, cpuTask, rowOf, skippedRow, timed } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { randomBytes } from './support/bytes.ts'
import { streamingSha256 } from './support/hash-peers.ts'
import type { Area, BenchContext, Contestant, Row } from './types.ts'

const PROFILE = PROFILES.large
const SEGMENT_BYTES: number = 32 * MIB
/** What a file is read in. */
const READ_BYTES: number = 1 * MIB
/** Segments at once, and how many a sample has. */
const ARENAS = 2
const SEGMENTS = 8
const WORKER = new URL('../src/node/client/segment-worker.ts', import.meta.url)

export const area: Area = {
  name: 'put',
  about: 'encrypting, coding and committing a segment against SHA-256, and two workers against one',
  async *run(context) {
    yield* oneThread(context)
    yield* twoWorkers(context)
  }
}

async function* oneThread(context: BenchContext): AsyncGenerator<Row> {
  const job = encodeJob()
  const sha256 = streamingSha256(READ_BYTES)
  const ours = cpuTask('encode', async () => {
    await encodeSegment(job)
    return SEGMENT_BYTES
  })
  const peer = cpuLoop('node-sha256', SEGMENT_BYTES, () => sha256(job.plain))
  const name = putName('encode', SEGMENT_BYTES)
  yield rowOf(await compare([ours, peer], context), {
    ...{ name, ours: 'encode', peers: ['node-sha256'], unit: 'MB', basis: 'cpu', guard: true }
  })
}

async function* twoWorkers(context: BenchContext): AsyncGenerator<Row> {
  const name = putName('two-workers', SEGMENTS * SEGMENT_BYTES)
  if (availableParallelism() < 2) {
    yield skippedRow(name, 'needs two cores')
    return
  }
  const jobs = Array.from({ length: ARENAS }, encodeJob)
  const pools = [1, 2].map(workersMax => new WorkerPool<SegmentTasks>({ url: WORKER, workersMax }))
  try {
    const [one, two] = pools.map((pool, i) => pooled(`${i + 1}-worker`, pool, jobs)) as [
      Contestant,
      Contestant
    ]
    const rounds = await compare([two, one], context)
    yield rowOf(rounds, { name, ours: two.name, peers: [one.name], unit: 'MB', basis: 'wall' })
  } finally {
    for (const pool of pools) await pool.close()
  }
}

/** As many segments in flight as there are arenas, with one worker as with two. */
function pooled(
  name: string,
  pool: WorkerPool<SegmentTasks>,
  jobs: readonly EncodeJob[]
): Contestant {
  const work = async (): Promise<number> => {
    let started = 0
    const fed = jobs.map(async job => {
      while (started++ < SEGMENTS) await pool.run('encode', job)
    })
    await Promise.all(fed)
    return SEGMENTS * SEGMENT_BYTES
  }
  return { name, prepare: async () => void (await work()), sample: () => timed(work) }
}

/** In memory that threads share, as the client has it. */
function encodeJob(): EncodeJob {
  const layout = segmentLayout(PROFILE, SEGMENT_BYTES)
  const plain = sharedBytes(SEGMENT_BYTES)
  plain.set(randomBytes(SEGMENT_BYTES))
  const arena = sharedBytes(arenaBytes(layout))
  return { profile: PROFILE, plain, key: new Uint8Array(32).fill(3), arena }
}

function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length))
}

function putName(op: string, bytes: number): string {
  return rowName('put', op, { k: PROFILE.k, n: PROFILE.n, size: sizeOf(bytes) })
}
