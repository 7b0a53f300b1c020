/** What a benchmark gives and what it is given. MB is 10^6 bytes throughout. */

/** CPU time ("one core"), or the time on the wall: what `spread` and the ratios are about. */
export type Basis = 'cpu' | 'wall'

/** One line of the result; printed as JSON with --json. */
export interface Row {
  /** `area/op key=value …`, see row-name.ts. */
  name: string
  basis: Basis
  /** MB of payload per second of CPU, over all processes that take part. */
  cpuMBps?: number
  /** MB of payload per second on the wall; rows with basis "wall" only. */
  wallMBps?: number
  /** Operations per second, on the basis of the row. */
  opsPerSecond?: number
  /** Wall time of one operation; rows of the area `start` only. */
  milliseconds?: number
  limitMilliseconds?: number
  /** WebAssembly memory of one worker; rows of the area `start` only. */
  wasmMiB?: number
  /** Peak of resident memory above the idle process; rows of the area `memory` only. */
  growthMiB?: number
  idleMiB?: number
  peakMiB?: number
  limitMiB?: number
  /** Interquartile range of the rounds, divided by their median. */
  spread: number
  /** Median over the rounds of our rate divided by the peer's in the same round; above 1 we are faster. */
  ratios: Record<string, number>
  /** Peers without a ratio because they do not run on this machine, and why. */
  missing?: Record<string, string>
  /** Spread of each ratio. */
  ratioSpreads: Record<string, number>
  rounds: number
  /** The ratios are steady enough for the committed baseline. */
  guard: boolean
  /** Why nothing was measured. */
  skipped?: string
}

/** What one run of a contestant took. */
export interface Sample {
  /** Bytes of payload, or operations. */
  amount: number
  wallSeconds: number
  /** Left out where only the wall was looked at. */
  cpuSeconds?: number
}

/** Someone who does the work that is compared. */
export interface Contestant {
  name: string
  /** Untimed: compiles, warms up, finds how often to repeat. Runs once, before the first round. */
  prepare?: () => Promise<void> | void
  sample: () => Promise<Sample>
}

export interface BenchContext {
  /** Rounds per comparison, at least 5. */
  rounds: number
  /** Object size that was asked for with --size. */
  sizeBytes?: number | undefined
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
  /** A word to the person who waits; never on stdout. */
  note(text: string): void
}

export interface Area {
  name: string
  /** What is compared with what, in one line. */
  about: string
  /** Runs only when it is named with --only. @default false */
  onlyWhenNamed?: boolean
  run(context: BenchContext): AsyncGenerator<Row>
}
