/**
 * How much the client daemon grows while it stores and reads one large object: its peak of resident memory over what it
 * had when idle, before its first put. The peak is the kernel's own (VmHWM, started anew before each operation)
 * together with samples every 100 ms. The object is generated as it is sent and hashed as it comes back; nothing of
 * it is kept.
 */
import { createHash } from 'node:crypto'
import { setInterval } from 'node:timers/promises'
import { assert } from '../src/base/assert.ts'
import { GIB } from '../src/base/limits.ts'
import { skippedRow, timed } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { median, rounded } from './statistics.ts'
import { randomStream } from './support/bytes.ts'
import { startDevnet } from './support/devnet.ts'
import { forgetPeak, hasProcessFacts, memoryOf, NO_PROCESS_FACTS } from './support/process-facts.ts'
import type { Area, Row, Sample } from './types.ts'

/** What a client may grow by; the row says so when it is more. */
export const GROWTH_MIB_MAX = 300
const K = 4
const N = 10
const SAMPLE_MS = 100
const IDLE_SAMPLES = 30
const BYTES_PER_MB = 1e6
/** --size sets another one. */
const OBJECT_BYTES: number = 1 * GIB
const PATH = '/memory'

export const area: Area = {
  name: 'memory',
  about: `growth of the client daemon over idle during a put and a get of ${sizeOf(OBJECT_BYTES)}`,
  onlyWhenNamed: true,
  async *run(context) {
    const { sizeBytes: objectBytes = OBJECT_BYTES } = context
    const nameOf = (op: string): string =>
      rowName('memory', op, { k: K, n: N, size: sizeOf(objectBytes) })
    if (!hasProcessFacts) {
      for (const op of ['put', 'get']) yield skippedRow(nameOf(op), NO_PROCESS_FACTS)
      return
    }
    context.note(`memory: starting ${N + 2} processes`)
    const devnet = await startDevnet(N, context.signal)
    try {
      const { api, client, cpuMicros } = devnet
      const idleMiB = await idleMemory(client.pid, context.signal)
      const measure = async (op: string, work: () => Promise<number>): Promise<Row> => {
        const { peakMiB, sample } = await peakDuring(client.pid, () => timed(work, cpuMicros))
        return memoryRow(nameOf(op), { idleMiB, peakMiB, sample })
      }
      const sent = createHash('sha256')
      yield await measure('put', async () => {
        const source = hashed(randomStream(objectBytes), sent)
        const { bytes } = await api.put({
          path: PATH,
          bytes: objectBytes,
          source,
          profile: `${K}/${N}`
        })
        return bytes
      })
      const received = createHash('sha256')
      yield await measure('get', async () => {
        const { body } = await api.get({ path: PATH })
        let bytes = 0
        for await (const chunk of hashed(body, received)) bytes += chunk.length
        return bytes
      })
      assert(sent.digest('hex') === received.digest('hex'), 'the same bytes came back')
    } finally {
      await devnet.stop()
    }
  }
}

async function* hashed(
  source: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk)
    yield chunk
  }
}

/** Median over three seconds in which nobody asks the client for anything. */
async function idleMemory(pid: number, signal: AbortSignal): Promise<number> {
  const samples: number[] = []
  for await (const _ of setInterval(SAMPLE_MS, undefined, { signal })) {
    samples.push((await memoryOf(pid)).residentMiB)
    if (samples.length === IDLE_SAMPLES) break
  }
  return median(samples)
}

async function peakDuring(
  pid: number,
  work: () => Promise<Required<Sample>>
): Promise<{ peakMiB: number; sample: Required<Sample> }> {
  await forgetPeak(pid)
  const ended = new AbortController()
  let highestMiB = 0
  const sampling = (async () => {
    for await (const _ of setInterval(SAMPLE_MS, undefined, { signal: ended.signal })) {
      highestMiB = Math.max(highestMiB, (await memoryOf(pid)).residentMiB)
    }
  })().catch((error: unknown) => {
    if (!ended.signal.aborted) throw error
  })
  try {
    const sample = await work()
    const { peakMiB } = await memoryOf(pid)
    return { peakMiB: Math.max(peakMiB, highestMiB), sample }
  } finally {
    ended.abort()
    await sampling
  }
}

function memoryRow(
  name: string,
  { idleMiB, peakMiB, sample }: { idleMiB: number; peakMiB: number; sample: Required<Sample> }
): Row {
  const { amount, cpuSeconds, wallSeconds } = sample
  return {
    name,
    basis: 'wall',
    cpuMBps: rounded(amount / cpuSeconds / BYTES_PER_MB),
    wallMBps: rounded(amount / wallSeconds / BYTES_PER_MB),
    growthMiB: rounded(peakMiB - idleMiB),
    idleMiB: rounded(idleMiB),
    peakMiB: rounded(peakMiB),
    limitMiB: GROWTH_MIB_MAX,
    ...{ spread: 0, ratios: {}, ratioSpreads: {}, rounds: 1, guard: false }
  }
}
