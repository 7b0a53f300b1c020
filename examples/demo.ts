/**
 * Holdfast from end to end on this machine, as a user would do it: a network of twelve processes, a real file stored on
 * ten providers, proven and paid for, and read back after most of them failed. Every step checks its result.
 *
 *   npm run demo              for people
 *   npm run -s demo -- --json one JSON object per event, the last one is the summary
 *
 * Exit codes: 0 everything held, 1 something did not, 2 usage, 130 interrupted. Nothing stays behind in any case.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { formatBytes, formatMoney } from '../bin/format.ts'
import type { LedgerStatus } from '../src/index.ts'
import { provePeriods } from './demo/earn.ts'
import { holdfast } from './demo/holdfast.ts'
import { DemoNetwork } from './demo/network.ts'
import { createReport, type Report } from './demo/report.ts'
import { type Demo, putFile, showDeals, showPieces } from './demo/store.ts'
import { damage, getFile } from './demo/survive.ts'

const K = 4
const N = 10
const PERIOD = '5s'

const EXIT_FAILED = 1
const EXIT_USAGE = 2
const EXIT_INTERRUPTED = 130

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args.some(arg => arg !== '--json')) {
    process.stderr.write('usage: npm run demo [-- --json]\n')
    return EXIT_USAGE
  }
  const report = createReport(args.includes('--json'))
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => interrupt.abort(new Error('interrupted'))) // again: the end is under way
  }
  const net = await DemoNetwork.create()
  let summary: Record<string, unknown> = {}
  let failure: unknown
  try {
    summary = await tell(report, net, interrupt.signal)
  } catch (error) {
    failure = error
  }
  try {
    await net.end()
  } catch (error) {
    failure ??= error
  }
  if (failure === undefined) {
    finish(report, summary)
    return 0
  }
  const interrupted = interrupt.signal.aborted
  const reason = interrupted ? 'interrupted' : messageOf(failure)
  report.event('failed', { ok: false, reason }, `${reason}\neverything is stopped and removed`)
  return interrupted ? EXIT_INTERRUPTED : EXIT_FAILED
}

/** The whole story; returns what the summary says. */
async function tell(
  report: Report,
  net: DemoNetwork,
  signal: AbortSignal
): Promise<Record<string, unknown>> {
  const shape = `1 validator, ${N} providers, 1 client`
  report.event('start', { providers: N, folder: net.folder }, `${shape}, each a process of its own`)
  const network = await net.start(['--providers', String(N), '--period', PERIOD], signal)
  const { nodes, client } = network
  const { chainId, height } = await holdfast<LedgerStatus>(
    client.home,
    ['ledger', 'status'],
    signal
  )
  report.event(
    'up',
    { nodes, chainId, height },
    `network ${chainId} is up: ${nodes.length} processes, block ${height}, a period is ${PERIOD}`
  )
  const file = createRequire(import.meta.url).resolve('node/bin/node')
  const demo: Demo = { network, report, signal, file, path: '/demo/node', k: K, n: N }
  const stored = await putFile(demo)
  showPieces(demo, stored)
  await showDeals(demo)
  const { periods, paidUnits } = await provePeriods(demo)
  const hit = await damage(demo, stored)
  const sha256 = await getFile(demo, hit, join(net.folder, 'copy'))
  const failedProviders = { killed: hit.dead.length, damaged: 1 }
  return {
    bytes: stored.bytes,
    pieces: stored.pieces.length,
    periods,
    paidUnits,
    sha256,
    ...failedProviders
  }
}

function finish(report: Report, summary: Record<string, unknown>): void {
  const { bytes, pieces, periods, paidUnits, killed } = summary
  const seconds = (report.elapsedMs() / 1000).toFixed(1)
  const lines = [
    `${formatBytes(bytes as number)} in ${pieces} pieces on ${N} providers, proven in ${periods} periods,`,
    `${formatMoney(paidUnits as bigint)} paid; ${killed} providers killed and 1 damaged; the file came back bit for bit.`,
    `Everything is stopped and removed. ${seconds} s`
  ]
  report.event('summary', { ok: true, ...summary }, lines.join('\n'))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
