/** Last part of the demo: providers are killed, one disk rots, and the file still comes back bit for bit. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeLine } from '../../bin/devnet/run.ts'
import { formatBytes, formatTable } from '../../bin/format.ts'
import type { FailedProvider, PutResult } from '../../src/index.ts'
import { isAlive } from '../../src/node/control/token.ts'
import { flipBytes } from './disks.ts'
import { check, holdfast } from './holdfast.ts'
import { type Demo, namesOf } from './store.ts'

export interface Damage {
  dead: NodeLine[]
  damaged: NodeLine
}

const FLIP_EVERY_BYTES = 1_000_003
const DEATH_TIMEOUT_MS = 5_000
const POLL_MS = 20

/**
 * Kills n-k-1 providers and flips bytes on the disk of one more. The first pieces of the first segment are hit, data
 * pieces and one parity piece: nothing can be read there without decoding, and every provider hit is asked.
 */
export async function damage(demo: Demo, { pieces }: PutResult): Promise<Damage> {
  const { network, report, k, n } = demo
  const holders = pieces
    .filter(({ segment }) => segment === 0)
    .sort((a, b) => a.index - b.index)
    .map(({ provider }) => network.providers.find(({ peerId }) => peerId === provider)!)
  const dead = holders.slice(0, n - k - 1)
  const damaged = holders[n - k - 1]!
  for (const { pid } of dead) process.kill(pid, 'SIGKILL')
  await Promise.all(dead.map(untilDead))
  report.event(
    'killed',
    { providers: dead.map(({ name, peerId }) => ({ name, peerId })) },
    `SIGKILL: ${dead.map(({ name }) => name).join(', ')}`
  )
  const flips = await flipBytes(damaged.home, FLIP_EVERY_BYTES)
  check(flips > 0, `there are bytes to flip on ${damaged.name}`)
  report.event(
    'flipped',
    { name: damaged.name, peerId: damaged.peerId, flips },
    `${flips} bytes on the disk of ${damaged.name}`
  )
  return { dead, damaged }
}

async function untilDead({ name, pid }: NodeLine): Promise<void> {
  const endMs = performance.now() + DEATH_TIMEOUT_MS
  while (isAlive(pid)) {
    check(performance.now() < endMs, `${name} is dead`)
    await sleep(POLL_MS)
  }
}

interface GetResult {
  bytes: number
  failed: FailedProvider[]
}

/** Reads the file back, compares it, and checks that exactly the providers that failed are named. */
export async function getFile(
  demo: Demo,
  { dead, damaged }: Damage,
  copy: string
): Promise<string> {
  const { network, report, file, path, signal } = demo
  report.event('get', { path }, `${path} from the providers that are left`)
  const startedAt = performance.now()
  const result = await holdfast<GetResult>(network.client.home, ['get', path, '-o', copy], signal)
  const ms = Math.round(performance.now() - startedAt)
  const [expected, actual] = await Promise.all([sha256Of(file), sha256Of(copy)])
  check((await stat(copy)).size === result.bytes && expected === actual, 'the copy equals the file')
  report.event(
    'verified',
    { bytes: result.bytes, ms, sha256: actual },
    `${formatBytes(result.bytes)} read in ${(ms / 1000).toFixed(1)} s\nSHA-256 of the file ${expected}\nSHA-256 of the copy ${actual}: equal`
  )
  showFailed(demo, { dead, damaged }, result.failed)
  return actual
}

function showFailed(demo: Demo, { dead, damaged }: Damage, failed: FailedProvider[]): void {
  const nameOf = namesOf(demo.network)
  const named = new Set(failed.map(({ provider }) => provider))
  for (const { name, peerId } of [...dead, damaged]) check(named.has(peerId), `${name} is named`)
  check(named.size === dead.length + 1, 'nobody else is named')
  const table = formatTable(
    failed,
    [
      ['provider', ({ provider }) => nameOf(provider)],
      [
        'what happened',
        ({ provider }) => (provider === damaged.peerId ? 'bytes flipped' : 'killed')
      ],
      ['what the client saw', ({ reason }) => reason]
    ],
    'nobody'
  )
  const facts = { dead: dead.map(({ peerId }) => peerId), damaged: damaged.peerId, failed }
  demo.report.event('named', facts, `who failed\n${table}`)
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
