/**
 * SIGKILL at the worst moments. What was acknowledged is there afterwards; what was not leaves nothing behind.
 *
 *   client ── 34 MiB of stdin, held open ──> daemon ── first segment ──> providers
 *                                              ✗ here, or                   ✗ here
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MIB } from '../../src/base/limits.ts'
import type { FailedProvider, ListEntry, PutResult } from '../../src/node/control/types.ts'
import type { CliResult } from '../bin/run-cli.ts'
import { assertOneLedger } from './audit.ts'
import { failureOf, Network, type NetworkNode, PROGRAM, until } from './network.ts'
import { seededBytes, testSeed } from './seed.ts'

/** More than one segment, so that pieces travel while the daemon still waits for the end. */
const LONG_BYTES: number = 34 * MIB
const GROUP_BYTES = 16_384

describe('a network whose processes are killed', function () {
  this.timeout(300_000)
  const seed = testSeed()
  let net: Network
  const objects = new Map<string, Uint8Array>()
  before(async () => {
    net = await Network.start({
      providers: 6,
      period: '3s',
      // what nobody names is given up after half a minute instead of a day
      env: { HOLDFAST_CLIENT_PROFILE: '3/5', HOLDFAST_LEASE_MS: '20000' }
    })
  })
  after(() => net?.dispose())

  /** Bytes of pieces that are durable at each provider. */
  const used = (): Promise<number[]> =>
    Promise.all(net.providers.map(async ({ api }) => (await api.providerStatus()).usedBytes))

  async function put(path: string, length: number): Promise<PutResult> {
    const bytes = seededBytes(seed + objects.size, length)
    await writeFile(net.file('in'), bytes)
    const result = await net.result<PutResult>(['put', net.file('in'), path])
    objects.set(path, bytes)
    return result
  }

  /** Every acknowledged object, bit for bit; returns who failed. */
  async function assertAllThere(): Promise<Set<string>> {
    const named = new Set<string>()
    const list = await net.result<ListEntry[]>(['ls', '-r'])
    assert.deepEqual(list.map(({ path }) => path).sort(), [...objects.keys()].sort())
    for (const [path, bytes] of objects) {
      const args = ['get', path, '-o', net.file('out')]
      const { failed } = await net.result<{ failed: FailedProvider[] }>(args)
      assert.ok((await readFile(net.file('out'))).equals(bytes), path)
      for (const { provider } of failed) named.add(provider)
    }
    return named
  }

  interface OpenPut {
    /** The rest of the bytes, and the end. */
    finish(): void
    done: Promise<CliResult>
  }

  /** A put from stdin that has all but the last byte, and of which some pieces are durable already. */
  async function openPut(path: string, bytes: Uint8Array): Promise<OpenPut> {
    const before = await used()
    const child = spawn(process.execPath, [PROGRAM, 'put', '-', path, '--json'], {
      env: { ...process.env, HOLDFAST_HOME: net.client.home }
    })
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.stdin.on('error', () => {}) // the daemon may be gone before the end
    const done = once(child, 'close').then(([code]): CliResult => {
      const stdout = Buffer.concat(out)
      const stderr = Buffer.concat(err).toString()
      return { code: code as number | null, stdout, stderr, json: () => JSON.parse(`${stdout}`) }
    })
    child.stdin.write(bytes.subarray(0, -1))
    await until('some pieces are durable', async () => {
      return (await used()).some((bytesNow, i) => bytesNow > before[i]!)
    })
    return { finish: () => child.stdin.end(bytes.subarray(-1)), done }
  }

  it(`stores before anything happens (seed ${seed})`, async () => {
    await put('/before', 1_500_001)
    await assertAllThere()
  })

  it('finishes or refuses a put whose provider dies in the middle, and loses nothing', async () => {
    const bytes = seededBytes(seed + 100, LONG_BYTES)
    const before = await used()
    const open = await openPut('/middle', bytes)
    const now = await used()
    const victim = net.providers.find((_, i) => now[i]! > before[i]!)!
    await net.kill(victim)
    open.finish()
    const done = await open.done
    if (done.code !== 0) {
      failureOf(done, 'PUT_INCOMPLETE')
      await net.failure('NOT_FOUND', ['stat', '/middle'])
      await net.result(['put', '-', '/middle'], { input: bytes })
    }
    objects.set('/middle', bytes)
    const named = await assertAllThere()
    for (const provider of named) assert.equal(provider, victim.peerId, 'nobody alive is blamed')
    await net.restart(victim)
    await assertCaughtUp(victim)
    await assertAllThere()
  })

  /** Its replica has the blocks that were made while it was down. */
  async function assertCaughtUp(node: NetworkNode): Promise<void> {
    const { height } = await net.client.api.ledgerStatus()
    const expected = await net.client.api.ledgerBlock(height)
    await until(`${node.name} has block ${height}`, async () => {
      return (await node.api.ledgerStatus()).height >= height
    })
    assert.deepEqual(await node.api.ledgerBlock(height), expected)
  }

  it('gives back the pieces of a put whose daemon dies in the middle, and lists nothing of it', async () => {
    const before = await used()
    const open = await openPut('/half', seededBytes(seed + 101, LONG_BYTES))
    await net.kill(net.client)
    failureOf(await open.done, 'NOT_RUNNING')
    await net.failure('NOT_RUNNING', ['ls'])
    await net.restart(net.client)
    await assertAllThere()
    await until('the pieces of the half put are gone', async () => {
      return (await used()).every((bytes, i) => bytes <= before[i]!)
    })
    await assertAllThere()
  })

  it('goes on after its validator was killed', async () => {
    const { height } = await net.validator.api.ledgerStatus()
    await net.kill(net.validator)
    await assertAllThere()
    await net.restart(net.validator)
    await until('new blocks reach the client', async () => {
      return (await net.client.api.ledgerStatus()).height > height + 3
    })
    await put('/after', 100_000)
    await assertAllThere()
  })

  it('reads around two disks with flipped bytes, and blames nobody else', async () => {
    const damaged = net.providers.slice(1, 3)
    for (const { home } of damaged) await flipEveryGroup(join(home, 'pieces'))
    const ids = new Set(damaged.map(({ peerId }) => peerId))
    for (const provider of await assertAllThere()) assert.ok(ids.has(provider), provider)
  })

  it('has everything again after a power cut', async () => {
    await net.powerCut()
    await assertAllThere()
    await put('/last', 50_000)
    await assertAllThere()
  })

  it('has one ledger on every machine, and every unit of the genesis in it', async () => {
    await net.stop()
    await assertOneLedger(net.nodes.map(({ home }) => home))
  })
})

/** Damages every 16 KiB of every piece. */
async function flipEveryGroup(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile())
  assert.ok(files.length > 0, 'there is something to damage')
  for (const { parentPath, name } of files) {
    const bytes = await readFile(join(parentPath, name))
    for (let at = 0; at < bytes.length; at += GROUP_BYTES) bytes[at]! ^= 0xff
    await writeFile(join(parentPath, name), bytes)
  }
}
