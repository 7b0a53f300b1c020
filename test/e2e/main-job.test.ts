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
import { Network, until } from './network.ts'
import { seededBytes, testSeed } from './seed.ts'

const PROVIDERS = 5
const PROFILE = '2/5'

describe('e2e: the main job', function () {
  this.timeout(300_000)
  const seed = testSeed()
  let net: Network

  before(async () => {
    net = await Network.start({ providers: PROVIDERS, period: '2s' })
  })

  after(async () => {
    await net.dispose()
  })

  it(`stores, proves, pays, survives and restarts (seed ${seed})`, async () => {
    const bytes = seededBytes(seed, 3_000_017)
    const file = net.file('source')
    await writeFile(file, bytes)

    const stored = await net.result<Stored>(['put', file, '/a/source', '--profile', PROFILE])
    assert.equal(stored.bytes, bytes.length)
    assert.equal(new Set(stored.pieces.map(({ provider }) => provider)).size, PROVIDERS)

    await until('every deal is proven and paid twice', async () => {
      const deals = await net.result<Deal[]>(['deals'])
      assert.equal(deals.length, PROVIDERS)
      assert.ok(deals.every(({ missedPeriods }) => missedPeriods === 0))
      return deals.every(deal => deal.provenPeriods >= 2 && BigInt(deal.paidUnits) > 0n)
    })

    const [first, second, damaged, fourth] = net.providers
    await net.kill(first!)
    await net.kill(second!)
    await flipFirstByteOfEachGroup(join(damaged!.home, 'pieces'))
    const copy = net.file('copy')
    const read = await net.result<Read>(['get', '/a/source', '-o', copy])
    assert.ok(bytes.equals(await readFile(copy)), 'the copy equals the source')
    const faulty = [first!, second!, damaged!].map(({ peerId }) => peerId)
    for (const { provider } of read.failed) assert.ok(faulty.includes(provider), 'an honest one')

    await net.kill(fourth!)
    const refused = await net.failure('UNRECOVERABLE', [
      'get',
      '/a/source',
      '-o',
      net.file('never')
    ])
    assert.match(refused.message, /shares needed/)
    assert.ok(!(await readdir(net.folder)).some(name => name.startsWith('never')))

    await net.powerCut()
    const again = net.file('again')
    await net.result(['get', '/a/source', '-o', again, '--range', '1000000-2000000'])
    assert.ok(bytes.subarray(1_000_000, 2_000_001).equals(await readFile(again)))
    await net.result(['rm', '/a/source'])
    assert.deepEqual(await net.result(['ls', '/']), [])
  })
})

interface Stored {
  bytes: number
  pieces: { provider: string }[]
}

interface Read {
  failed: { provider: string }[]
}

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
