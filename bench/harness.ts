/**
 * Measuring. All contestants of a comparison run in turn, round after round, in one process and one run, with the order
 * rotated by one each round; a ratio is taken within a round and the median over the rounds counts. So load from
 * elsewhere hits everybody alike, and no figure is ever compared with one of another run or machine.
 *
 *   cpuLoop     synchronous kernels: CPU time of this thread (process.threadCpuUsage). Other load does not count.
 *   cpuTask     the same for one asynchronous call
 *   opsLoop     small operations, possibly asynchronous: median latency on the wall, by tinybench
 *   timed       work that waits (disk, sockets): wall and CPU time of this whole process
 */
import { Bench } from 'tinybench'
import { assert } from '../src/base/assert.ts'
import { median, rounded, spreadOf } from './statistics.ts'
import type { Basis, BenchContext, Contestant, Row, Sample } from './types.ts'

/** Of every comparison but those that take minutes. */
export const ROUNDS_MIN = 5
/** The kernel counts a thread's CPU time in ticks of 4 ms: a sample of this length is good to 3 %. */
const CPU_SAMPLE_SECONDS = 0.15
const OPS_SAMPLE_MS = 100
const BYTES_PER_MB = 1e6

/** Samples of each contestant by round. */
export type Rounds = ReadonlyMap<string, readonly Sample[]>

/** Prepares everybody, then takes one sample of each per round. */
export async function compare(
  contestants: readonly Contestant[],
  { rounds, signal }: Pick<BenchContext, 'rounds' | 'signal'>
): Promise<Rounds> {
  assert(rounds >= 1, 'at least one round')
  for (const { prepare } of contestants) {
    signal.throwIfAborted()
    await prepare?.()
  }
  const samples = new Map(contestants.map(({ name }) => [name, [] as Sample[]]))
  assert(samples.size === contestants.length, 'contestants have different names')
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      signal.throwIfAborted()
      const { name, sample } = contestants[(turn + round) % contestants.length]!
      samples.get(name)!.push(await sample())
    }
  }
  return samples
}

export interface RowInit {
  name: string
  /** Contestant the row is about. */
  ours: string
  peers: readonly string[]
  unit: 'MB' | 'ops'
  basis: Basis
  /** Peers that do not run on this machine, and why. */
  missing?: Record<string, string>
  /** @default false */
  guard?: boolean
}

/**
 * The row of one contestant. On the wall basis each peer has a second ratio, `<peer>/cpu`, where both counted CPU time.
 */
export function rowOf(rounds: Rounds, init: RowInit): Row {
  const { name, ours, peers, unit, basis, missing = {}, guard = false } = init
  const samples = samplesOf(rounds, ours)
  const ratios: Record<string, number> = {}
  const ratioSpreads: Record<string, number> = {}
  for (const peer of peers) {
    const theirs = samplesOf(rounds, peer)
    for (const on of basesOf(basis, [...samples, ...theirs])) {
      const values = samples.map((sample, i) => rateOf(sample, on) / rateOf(theirs[i]!, on))
      const key = on === basis ? peer : `${peer}/${on}`
      ratios[key] = rounded(median(values))
      ratioSpreads[key] = rounded(spreadOf(values))
    }
  }
  const rates = samples.map(sample => rateOf(sample, basis))
  const facts = { spread: rounded(spreadOf(rates)), ratios, ratioSpreads, rounds: samples.length }
  const absent = Object.keys(missing).length > 0 ? { missing } : {}
  return { name, basis, ...speedOf(samples, unit, basis), ...facts, ...absent, guard }
}

function basesOf(basis: Basis, samples: readonly Sample[]): Basis[] {
  if (basis === 'cpu') return ['cpu']
  const counted = samples.every(({ cpuSeconds }) => cpuSeconds !== undefined)
  return counted ? ['wall', 'cpu'] : ['wall']
}

function speedOf(
  samples: readonly Sample[],
  unit: RowInit['unit'],
  basis: Basis
): Pick<Row, 'opsPerSecond' | 'cpuMBps' | 'wallMBps'> {
  const middle = (on: Basis): number => median(samples.map(sample => rateOf(sample, on)))
  if (unit === 'ops') return { opsPerSecond: rounded(middle(basis)) }
  const cpuMBps = rounded(middle('cpu') / BYTES_PER_MB)
  return basis === 'cpu'
    ? { cpuMBps }
    : { cpuMBps, wallMBps: rounded(middle('wall') / BYTES_PER_MB) }
}

export function skippedRow(name: string, reason: string): Row {
  return {
    ...{ name, basis: 'cpu', spread: 0, ratios: {}, ratioSpreads: {}, rounds: 0, guard: false },
    skipped: reason
  }
}

function samplesOf(rounds: Rounds, contestant: string): readonly Sample[] {
  const samples = rounds.get(contestant)
  assert(samples !== undefined, `nobody is called ${contestant}`)
  return samples
}

function rateOf({ amount, wallSeconds, cpuSeconds }: Sample, basis: Basis): number {
  const seconds = basis === 'cpu' ? cpuSeconds : wallSeconds
  assert(seconds !== undefined, 'CPU time was counted')
  return amount / seconds
}

/** A synchronous kernel, repeated until a sample is long enough. @param amount payload bytes or operations per call */
export function cpuLoop(
  name: string,
  amount: number,
  work: () => void,
  sampleSeconds: number = CPU_SAMPLE_SECONDS
): Contestant {
  let calls = 1
  const run = (): Required<Sample> => {
    const startMs = performance.now()
    const start = process.threadCpuUsage()
    for (let i = 0; i < calls; i++) work()
    const { user, system } = process.threadCpuUsage(start)
    const wallSeconds = (performance.now() - startMs) / 1e3
    return { amount: amount * calls, wallSeconds, cpuSeconds: (user + system) / 1e6 }
  }
  return {
    name,
    prepare: () => {
      for (;;) {
        const { cpuSeconds } = run()
        if (cpuSeconds >= sampleSeconds) return
        const wanted = (calls * sampleSeconds * 1.1) / Math.max(cpuSeconds, 1e-3)
        calls = Math.ceil(Math.min(wanted, calls * 16))
      }
    },
    sample: async () => run()
  }
}

/** The same for work that is asynchronous and waits for nobody but this thread; one call is one sample. */
export function cpuTask(name: string, work: () => Promise<number>): Contestant {
  const sample = async (): Promise<Required<Sample>> => {
    const startMs = performance.now()
    const start = process.threadCpuUsage()
    const amount = await work()
    const { user, system } = process.threadCpuUsage(start)
    const wallSeconds = (performance.now() - startMs) / 1e3
    return { amount, wallSeconds, cpuSeconds: (user + system) / 1e6 }
  }
  return { name, prepare: async () => void (await sample()), sample }
}

/** A small operation; one call is one operation. Wall time only. */
export function opsLoop(name: string, work: () => unknown): Contestant {
  const run = async (warmup: boolean): Promise<Sample> => {
    const bench = new Bench({ time: OPS_SAMPLE_MS, iterations: 8, warmup, throws: true })
    bench.add(name, work)
    const [task] = await bench.run()
    const result = task!.result
    assert(result.state === 'completed', `${name} was not measured: ${result.state}`)
    const seconds = result.latency.p50 / 1e3
    return { amount: 1, wallSeconds: seconds }
  }
  return { name, prepare: async () => void (await run(true)), sample: () => run(false) }
}

/** CPU microseconds used so far by processes besides this one. */
export type OtherCpu = () => Promise<number>

/** Runs work that waits. @param work gives the payload bytes or operations it has done */
export async function timed(
  work: () => Promise<number>,
  other?: OtherCpu
): Promise<Required<Sample>> {
  const otherStart = (await other?.()) ?? 0
  const start = process.cpuUsage()
  const startMs = performance.now()
  const amount = await work()
  const wallSeconds = (performance.now() - startMs) / 1e3
  const { user, system } = process.cpuUsage(start)
  const otherMicros = ((await other?.()) ?? 0) - otherStart
  return { amount, wallSeconds, cpuSeconds: (user + system + otherMicros) / 1e6 }
}
