/** First half of the demo: the file is put, and we look at where its pieces went and under which deals. */
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatBytes, formatMoney, formatTable } from '../../bin/format.ts'
import type { DealRow, PutResult } from '../../src/index.ts'
import { loggedBytes } from './disks.ts'
import { check, holdfast } from './holdfast.ts'
import type { Network } from './network.ts'
import { bytesOf, type Report } from './report.ts'

export interface Demo {
  readonly network: Network
  readonly report: Report
  readonly signal: AbortSignal
  /** The file, and the path it is stored under. */
  readonly file: string
  readonly path: string
  readonly k: number
  readonly n: number
}

const PROGRESS_INTERVAL_MS = 1_000

/** Stores the file, showing how much of it is on the disks of the providers. */
export async function putFile(demo: Demo): Promise<PutResult> {
  const { report, network, file, path, k, n, signal } = demo
  const { size } = await stat(file)
  report.event(
    'put',
    { file, path, bytes: size, profile: `${k}/${n}` },
    `${file} (${formatBytes(size)}) to ${path}, any ${k} of ${n} pieces are enough`
  )
  const done = new AbortController()
  const watching = watchDisks(demo, size, done.signal)
  let result: PutResult
  try {
    const args = ['put', file, path, '--profile', `${k}/${n}`]
    result = await holdfast<PutResult>(network.client.home, args, signal)
  } finally {
    done.abort()
    await watching
  }
  check(result.bytes === size, `all ${size} bytes are stored`)
  const { segments, manifest, pieces } = result
  report.event(
    'stored',
    { bytes: size, segments, pieces: pieces.length, manifest },
    `${formatBytes(size)} durable as ${pieces.length} pieces in ${segments} segments, manifest ${manifest}`
  )
  return result
}

async function watchDisks(demo: Demo, bytes: number, done: AbortSignal): Promise<void> {
  const { network, report, k, n } = demo
  const homes = network.providers.map(({ home }) => home)
  let before = -1
  for (;;) {
    await sleep(PROGRESS_INTERVAL_MS, undefined, { signal: done }).catch(() => {})
    if (done.aborted) return
    const stored = await loggedBytes(homes)
    if (stored === before) continue
    before = stored
    const onDisks = Math.min(bytes, Math.floor((stored * k) / n))
    report.progress(
      'put',
      { onDisksBytes: onDisks, bytes, pieceBytes: stored },
      `${bytesOf(onDisks, bytes)} on the disks of the providers`
    )
  }
}

/** Who has which piece: one row per provider, one column per segment. */
export function showPieces({ network, report, n }: Demo, { pieces, segments }: PutResult): void {
  for (let segment = 0; segment < segments; segment++) {
    const holders = pieces
      .filter(piece => piece.segment === segment)
      .map(({ provider }) => provider)
    check(
      holders.length === n && new Set(holders).size === n,
      `the ${n} pieces of segment ${segment} are on ${n} different providers`
    )
  }
  const pieceOf = (provider: string, segment: number): string => {
    const found = pieces.find(row => row.provider === provider && row.segment === segment)
    return found === undefined ? '-' : `${found.index} …${found.pieceId.slice(-4)}`
  }
  const columns = Array.from({ length: segments }, (_, segment) => {
    return [`seg ${segment}`, ({ peerId }: { peerId: string }) => pieceOf(peerId, segment)] as const
  })
  const table = formatTable(
    network.providers,
    [
      ['provider', ({ name }) => name],
      ['peer', ({ peerId }) => `…${peerId.slice(-8)}`],
      ...columns
    ],
    'no pieces'
  )
  report.event(
    'pieces',
    { pieces },
    `who has which piece: its index in the segment, the end of its id\n${table}`
  )
}

/** One deal per provider, open on the ledger. */
export async function showDeals({ network, report, signal, n }: Demo): Promise<DealRow[]> {
  const deals = await holdfast<DealRow[]>(network.client.home, ['deals'], signal)
  check(
    deals.length === n &&
      deals.every(({ state, escrowUnits }) => state === 'open' && escrowUnits > 0n),
    `there are ${n} open deals with money in escrow`
  )
  const nameOf = namesOf(network)
  const table = formatTable(
    deals,
    [
      ['provider', ({ provider }) => nameOf(provider)],
      ['deal', ({ id }) => `${id.slice(0, 12)}…`],
      ['escrow', ({ escrowUnits }) => formatMoney(escrowUnits)],
      ['collateral', ({ collateralUnits }) => formatMoney(collateralUnits)],
      ['until period', ({ endPeriod }) => endPeriod]
    ],
    'no deals'
  )
  report.event('deals', { deals }, `one deal per provider, signed by both, on the ledger\n${table}`)
  return deals
}

/** The name of a node by its peer id. */
export function namesOf({ nodes }: Network): (peerId: string) => string {
  const names = new Map(nodes.map(({ peerId, name }) => [peerId, name]))
  return peerId => names.get(peerId) ?? peerId
}
