/**
 * The main job with real processes, sockets and disks:
 *
 *   client ── put 2/5 ──> p1 p2 p3 p4 p5        proven, paid
 *          <── get ────── ✗  ✗  ≠  p4 p5        two killed, one disk damaged
 *   everything stopped, started again: the same bytes
 */
import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createDevnet, type Devnet } from './devnet.ts'
import { seededBytes, testSeed } from './seed.ts'

const PROVIDERS = 5
const PROFILE = '2/5'

describe('e2e: the main job', function () {
  this.timeout(300_000)
  const seed = testSeed()
  let net: Devnet

  before(async () => {
    net = await createDevnet({ providers: PROVIDERS, period: '2s' })
  })

  after(async () => {
    await net.remove()
  })

  it(`stores, proves, pays, survives and restarts (seed ${seed})`, async () => {
    const bytes = seededBytes(seed, 3_000_017)
    const file = join(net.folder, 'source')
    await writeFile(file, bytes)

    const stored = await net.client(['put', file, '/a/source', '--profile', PROFILE])
    assert.equal(stored['bytes'], bytes.length)
    const pieces = stored['pieces'] as { provider: string }[]
    assert.equal(new Set(pieces.map(({ provider }) => provider)).size, PROVIDERS)

    const deals = await net.until(['deals'], rows =>
      (rows as Deal[]).every(deal => deal.provenPeriods >= 2 && BigInt(deal.paidUnits) > 0n)
    )
    assert.equal((deals as Deal[]).length, PROVIDERS)
    assert.ok((deals as Deal[]).every(({ missedPeriods }) => missedPeriods === 0))

    await net.kill('provider-1')
    await net.kill('provider-2')
    const damaged = net.node('provider-3')
    await flipFirstByteOfEachGroup(join(damaged.home, 'pieces'))
    const copy = join(net.folder, 'copy')
    const read = await net.client(['get', '/a/source', '-o', copy])
    assert.ok(bytes.equals(await readFile(copy)), 'the copy equals the source')
    const failed = (read['failed'] as { provider: string }[]).map(({ provider }) => provider)
    assert.ok(
      failed.length === 0 || failed.every(id => net.idsOf([1, 2, 3]).includes(id)),
      'nobody honest is blamed'
    )

    await net.kill('provider-4')
    const refused = await net.run(['get', '/a/source', '-o', join(net.folder, 'never')])
    assert.equal(refused.code, 1)
    assert.match(refused.err, /shares needed/)
    assert.ok(!(await readdir(net.folder)).some(name => name.startsWith('never')))

    await net.restart()
    const again = join(net.folder, 'again')
    await net.client(['get', '/a/source', '-o', again, '--range', '1000000-2000000'])
    assert.ok(bytes.subarray(1_000_000, 2_000_001).equals(await readFile(again)))
    await net.client(['rm', '/a/source'])
    assert.deepEqual(await net.client(['ls', '/']), [])
  })
})

interface Deal {
  provenPeriods: number
  missedPeriods: number
  paidUnits: string
}

/** Damages every 16 KiB of every piece of a provider. */
async function flipFirstByteOfEachGroup(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = await readFile(path)
    for (let at = 0; at < bytes.length; at += 16_384) bytes[at] = bytes[at]! ^ 0xff
    await writeFile(path, bytes)
  }
}
