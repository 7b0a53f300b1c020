/**
 * Consensus between validators that are processes of their own on loopback, under transfers: how long from a block's
 * time to the moment a client's replica has it final, how long between blocks, and transfers per second from one
 * wallet that waits for each of 32 at once. All processes share this machine's cores.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { rowName } from './row-name.ts'
import { startDevnet } from './support/devnet.ts'
import type { Area, BenchContext, Row } from './types.ts'

const SIZES = [1, 4, 16]
const BLOCKS = 30
const TRANSFERS_AT_ONCE = 32
const POLL_MS = 5

type Network = Awaited<ReturnType<typeof startDevnet>>

export const area: Area = {
  name: 'consensus',
  about:
    'time to finality, time between blocks and transfers per second with 1, 4 and 16 validators',
  onlyWhenNamed: true,
  async *run(context) {
    for (const validators of SIZES) {
      const network = await startDevnet(0, context.signal, validators)
      try {
        yield* rowsOf(network, validators, context)
      } finally {
        await network.stop()
      }
    }
  }
}

async function* rowsOf(network: Network, n: number, { signal }: BenchContext): AsyncGenerator<Row> {
  const load = startLoad(network)
  const { finalMs, betweenMs, seconds } = await watch(network, signal)
  const transfers = await load.stop()
  const common = { basis: 'wall' as const, ratios: {}, ratioSpreads: {}, rounds: 1, guard: false }
  const spread = (values: readonly number[]): number =>
    (quantile(values, 0.75) - quantile(values, 0.25)) / quantile(values, 0.5)
  const measures = { finality: finalMs, 'block-time': betweenMs }
  for (const [op, values] of Object.entries(measures)) {
    for (const [level, at] of [
      ['p50', 0.5],
      ['p99', 0.99]
    ] as const) {
      const name = rowName('consensus', op, { n, level })
      yield {
        ...common,
        name,
        milliseconds: Math.round(quantile(values, at)),
        spread: spread(values)
      }
    }
  }
  const name = rowName('consensus', 'transfer', { n })
  yield { ...common, name, opsPerSecond: Math.round((transfers / seconds) * 10) / 10, spread: 0 }
}

/** Looks at each new block as soon as the client's replica has it. */
async function watch(
  { api }: Network,
  signal: AbortSignal
): Promise<{ finalMs: number[]; betweenMs: number[]; seconds: number }> {
  const finalMs: number[] = []
  const betweenMs: number[] = []
  const start = performance.now()
  let { height } = await api.ledgerStatus()
  let lastMs: number | undefined
  while (finalMs.length < BLOCKS) {
    const now = (await api.ledgerStatus()).height
    const seenMs = Date.now()
    if (now === height) {
      await sleep(POLL_MS, undefined, { signal })
      continue
    }
    height = now
    const atMs = Date.parse((await api.ledgerBlock(height)).time)
    finalMs.push(seenMs - atMs)
    if (lastMs !== undefined) betweenMs.push(atMs - lastMs)
    lastMs = atMs
  }
  return { finalMs, betweenMs, seconds: (performance.now() - start) / 1_000 }
}

function startLoad({ api }: Network): { stop(): Promise<number> } {
  let isOn = true
  let sent = 0
  const send = async (): Promise<void> => {
    const { address } = await api.walletAddress()
    while (isOn) {
      await api.walletSend(address, 1n)
      if (isOn) sent++
    }
  }
  const running = Promise.allSettled(Array.from({ length: TRANSFERS_AT_ONCE }, send))
  return {
    stop: async () => {
      isOn = false
      await running
      return sent
    }
  }
}

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))]!
}
