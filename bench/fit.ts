/**
 * What the measured rows mean for somebody who wants to run a provider or a client on this machine, in plain words.
 * Estimates: CPU costs of the parts of a journey add up, and a part that was not measured is said to be missing.
 */
import { assert } from '../src/base/assert.ts'
import { defaultParams, devnetParams, type Params } from '../src/ledger/index.ts'
import { PROFILES } from '../src/storage/index.ts'
import type { Row } from './types.ts'

/** Areas whose rows are needed. */
export const FIT_AREAS: readonly string[] = [
  ...['commitment', 'aead', 'proof', 'erasure', 'ledger', 'store', 'transfer']
]

/** A proof may take this part of its period; the rest is for a busy machine, the network and the block it goes into. */
const PERIOD_PART_MAX = 0.1
/** Two seeks of a slow hard disk per leaf, index and file: the bench itself reads from the page cache. */
const SEEK_SECONDS_PER_LEAF = 2 * 0.015
/** Part of one core that following the ledger may take. */
const LEDGER_CORE_PART = 0.1
const DEVNET_PERIOD_MS = 5_000

/** Sentences, one per line. @throws AssertionError when a row is missing */
export function fitOf(rows: readonly Row[]): string[] {
  const rate = rateIn(rows)
  return [...proofLines(rate), ledgerLine(rate), ...providerLines(rate), ...clientLines(rate)]
}

type Rate = (namePrefix: string, field?: 'cpu' | 'wall') => number

/** Bytes or operations per second of the first row whose name starts so. */
function rateIn(rows: readonly Row[]): Rate {
  return (prefix, field = 'cpu') => {
    const row = rows.find(({ name, skipped }) => name.startsWith(prefix) && skipped === undefined)
    assert(row !== undefined, `no row ${prefix} was measured`)
    const MBps = field === 'cpu' ? row.cpuMBps : row.wallMBps
    const value = row.opsPerSecond ?? (MBps === undefined ? undefined : MBps * 1e6)
    assert(value !== undefined, `${row.name} has no such rate`)
    return value
  }
}

function proofLines(rate: Rate): string[] {
  const leafSeconds = 1 / rate('proof/open-leaf') + 1 / rate('store/read-group')
  const seconds = (leaves: number, seek: number): number => leaves * (leafSeconds + seek)
  const networks: [string, Params][] = [
    ['the default network', defaultParams()],
    ['a devnet with periods of 5 s', devnetParams({ periodMs: DEVNET_PERIOD_MS })]
  ]
  return networks.map(([network, params]) => {
    const cached = seconds(params.leavesPerProof, 0)
    const slow = seconds(params.leavesPerProof, SEEK_SECONDS_PER_LEAF)
    const period = (params.periodHeights * params.blockIntervalMs) / 1e3
    const allowed = period * PERIOD_PART_MAX
    const verdict =
      slow <= allowed
        ? 'this machine meets the deadline, even with a slow hard disk'
        : cached <= allowed
          ? 'this machine meets the deadline if its disk answers quickly (an SSD)'
          : 'this machine is too slow for it'
    return (
      `Proofs on ${network}: one per ${spoken(period)}, whatever the amount stored; ${params.leavesPerProof} leaves take ` +
      `${spoken(cached)} here, ${spoken(slow)} with a slow hard disk: ${verdict}.`
    )
  })
}

function ledgerLine(rate: Rate): string {
  const params = defaultParams()
  const periodSeconds = (params.periodHeights * params.blockIntervalMs) / 1e3
  const providers = Math.floor(rate('ledger/proof') * periodSeconds * LEDGER_CORE_PART)
  return (
    `Ledger: ${whole(rate('ledger/transfer'))} transfers or ${whole(rate('ledger/proof'))} proofs per second; with a tenth of ` +
    `its time it follows the daily proofs of ${providers.toLocaleString('en')} providers.`
  )
}

function providerLines(rate: Rate): string[] {
  // Half of the CPU time of a transfer is the receiver's.
  const receive = 1 / (0.5 / rate('transfer/net') + 1 / rate('commitment/') + 1 / rate('store/put'))
  const serve = 1 / (0.5 / rate('transfer/net') + 1 / rate('store/get'))
  return [
    `As a provider, per core: it can take about ${mega(receive)} MB/s and serve about ${mega(serve)} MB/s; ` +
      `its disk stores ${mega(rate('store/put', 'wall'))} MB/s durably.`
  ]
}

function clientLines(rate: Rate): string[] {
  return Object.values(PROFILES).map(({ k, n }) => {
    const code = (op: string): number => rate(`erasure/${op} k=${k} n=${n} size=64MiB api=stripes`)
    const aead = (op: string): number => rate(`aead/${op} k=${k} n=${n}`)
    const perPieceByte = 1 / rate('commitment/') + 0.5 / rate('transfer/net')
    const put = 1 / (1 / aead('seal') + 1 / code('encode') + (n / k) * perPieceByte)
    const get = 1 / (1 / aead('open') + 1 / code('decode') + perPieceByte)
    return `As a client at ${k}/${n}, per core: put about ${mega(put)} MB/s and get about ${mega(get)} MB/s of your data.`
  })
}

function mega(bytesPerSecond: number): string {
  return whole(bytesPerSecond / 1e6)
}

function whole(value: number): string {
  return value < 10 ? value.toPrecision(2) : Math.round(value).toLocaleString('en')
}

function spoken(seconds: number): string {
  if (seconds >= 3_600) return `${Number((seconds / 3_600).toPrecision(3))} h`
  if (seconds >= 1) return `${Number(seconds.toPrecision(2))} s`
  return `${Number((seconds * 1e3).toPrecision(2))} ms`
}
