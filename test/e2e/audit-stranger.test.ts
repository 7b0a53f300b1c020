/**
 * A stranger audits: a fresh home, no money, no role that counts.
 *
 *   validator-1 <- provider-1 … provider-6 <- client-1        profile 3/6: every provider holds one piece
 */
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MIB } from '../../src/base/limits.ts'
import type { EvidenceReport } from '../../src/evidence/index.ts'
import type { AuditResult, PutResult, StatResult } from '../../src/node/control/types.ts'
import type { CliResult } from '../bin/run-cli.ts'
import { Network, type NetworkNode, until } from './network.ts'
import { seededBytes, testSeed } from './seed.ts'

const GROUP_BYTES = 16_384

describe('e2e: an audit by a stranger', function () {
  this.timeout(240_000)
  const seed = testSeed()
  let net: Network
  let home: string
  let map: string
  let deal: string

  before(async () => {
    net = await Network.start({ providers: 6, period: '2s' })
    home = net.file('stranger')
  })

  after(async () => {
    if (home !== undefined) await net.run(['stop'], { home })
    await net?.dispose()
  })

  const audit = (subject: string): Promise<CliResult> => net.run(['audit', subject], { home })
  const failing = ({ providers }: AuditResult): string[] =>
    providers.filter(({ ok }) => !ok).map(({ provider }) => provider)

  it(`finds an object whole, with nothing but its map (seed ${seed})`, async () => {
    const file = net.file('source')
    await writeFile(file, seededBytes(seed, 4_000_003))
    const put = await net.result<PutResult>(['put', file, '/a', '--profile', '3/6'])
    const stat = await net.result<StatResult>(['stat', '/a'])
    assert.equal(stat.repairMap, put.repairMap)
    map = stat.repairMap!
    deal = stat.pieces[0]!.deal
    await net.result(['init', '--network-of', net.client.home, '--role', 'client'], { home })
    await net.result(['start', '--detach'], { home })
    const { available } = await net.result<{ available: string }>(['wallet', 'balance'], { home })
    assert.equal(available, '0')

    const done = await audit(map)
    assert.equal(done.code, 0, done.stderr)
    const result = done.json() as AuditResult
    assert.deepEqual([result.ok, result.profile, result.providersToLose], [true, '3/6', 4])
    assert.equal(result.providers.length, 6)
    assert.ok(result.confidence >= 0.9999 && result.transferredBytes < 2 * MIB)
  })

  it('audits a deal against the ledger', async () => {
    await until('the deal is on the ledger', async () => (await audit(deal)).code === 0)
    const result = (await audit(deal)).json() as AuditResult
    assert.deepEqual([result.kind, result.providers.length], ['deal', 1])
  })

  it('has evidence that needs no network', async () => {
    const file = net.file('evidence')
    await until('something is proven', async () => {
      await net.result(['evidence', 'export', '--object', map, '-o', file], { home })
      const { deals } = await net.result<EvidenceReport>(['evidence', 'verify', file], { home })
      return deals.every(({ provenPeriods }) => provenPeriods > 0)
    })
    const report = await net.result<EvidenceReport>(['evidence', 'verify', file], { home })
    assert.deepEqual([report.deals.length, report.object?.heldPieces], [6, 6])
    assert.equal(report.object?.repairMap, map)
    const bytes = await readFile(file)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(file, bytes)
    const refused = await net.run(['evidence', 'verify', file], { home })
    assert.deepEqual([refused.code, refused.stdout.length], [1, 0])
  })

  it('names a provider whose disk was spoilt, and one that was killed', async () => {
    const [spoilt, killed] = net.providers
    await spoil(spoilt!)
    const first = await audit(map)
    assert.equal(first.code, 1)
    assert.deepEqual(failing(first.json() as AuditResult), [spoilt!.peerId])
    await net.kill(killed!)
    const second = await audit(map)
    assert.equal(second.code, 1)
    const named = failing(second.json() as AuditResult)
    assert.deepEqual(named.sort(), [spoilt!.peerId, killed!.peerId].sort())
    for (const { reason, ok } of (second.json() as AuditResult).providers) {
      assert.equal(reason === undefined, ok)
    }
  })

  it('leaves no map behind for an object that was removed', async () => {
    await net.result(['rm', '/a'])
    await until('nobody keeps the map', async () => {
      const { stderr, code } = await net.run(['repair-map', 'show', map], { home })
      return code === 1 && stderr.includes('NOT_FOUND')
    })
  })
})

/** Flips a byte in every 16 KiB of all that a provider stores. */
async function spoil({ home }: NetworkNode): Promise<void> {
  const folder = join(home, 'pieces')
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = await readFile(path)
    for (let at = 100; at < bytes.length; at += GROUP_BYTES) bytes[at]! ^= 0xff
    await writeFile(path, bytes)
  }
}
