/**
 * The main job through the command and real processes: store, list, read, prove, pay, replace, remove.
 *
 *   validator-1 <- provider-1 … provider-6 <- client-1        profile 3/6: every provider holds one piece
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import type {
  Balance,
  DealRow,
  ListEntry,
  PutResult,
  QuoteResult,
  SendResult,
  StatResult
} from '../../src/node/control/types.ts'
import { assertOneLedger } from './audit.ts'
import { Network, until } from './network.ts'
import { seededBytes, testSeed } from './seed.ts'

/** Money crosses JSON as text. */
type Text<T> = { [K in keyof T]: T[K] extends bigint ? string : T[K] }

describe('a network that stores files', function () {
  this.timeout(240_000)
  const seed = testSeed()
  let net: Network
  const objects = new Map<string, Uint8Array>()
  before(async () => {
    net = await Network.start({
      providers: 6,
      period: '3s',
      env: { HOLDFAST_CLIENT_PROFILE: '3/6' }
    })
  })
  after(() => net?.dispose())

  let made = 0
  const bytesOf = (length: number): Uint8Array => seededBytes(seed + made++, length)

  async function put(path: string, bytes: Uint8Array, ...flags: string[]): Promise<PutResult> {
    const file = net.file('in')
    await writeFile(file, bytes)
    const result = await net.result<PutResult>(['put', file, path, ...flags])
    objects.set(path, bytes)
    return result
  }

  async function assertReads(path: string): Promise<void> {
    const file = net.file('out')
    const { bytes, failed } = await net.result<{ bytes: number; failed: unknown[] }>([
      'get',
      path,
      '-o',
      file
    ])
    assert.deepEqual([bytes, failed], [objects.get(path)!.length, []])
    assert.ok((await readFile(file)).equals(objects.get(path)!), path)
  }

  const usedBytes = async (): Promise<number> => {
    const all = await Promise.all(net.providers.map(({ api }) => api.providerStatus()))
    return all.reduce((sum, status) => sum + status.usedBytes, 0)
  }
  const piecesBytes = ({ pieces }: PutResult): number =>
    pieces.reduce((sum, piece) => sum + piece.bytes, 0)

  it(`says what a file would cost before it is stored (seed ${seed})`, async () => {
    const quote = await net.result<Text<QuoteResult>>(['quote', '2500001'])
    assert.deepEqual([quote.bytes, quote.profile, quote.providers.length], [2_500_001, '3/6', 6])
    assert.ok(quote.storedBytes >= 2 * 2_500_001)
    assert.equal(BigInt(quote.costUnits), BigInt(quote.costUnitsPerPeriod) * BigInt(quote.periods))
    const twice = await net.result<Text<QuoteResult>>(['quote', '2500001', '--periods', '10'])
    assert.equal(BigInt(twice.costUnits), BigInt(quote.costUnitsPerPeriod) * 10n)
  })

  it('stores files of odd sizes and gives them back bit for bit', async () => {
    for (const [path, length] of [
      ['/empty', 0],
      ['/one', 1],
      ['/docs/large', 2_500_001]
    ] as const) {
      const { bytes, profile, pieces } = await put(path, bytesOf(length))
      assert.deepEqual([bytes, profile], [length, '3/6'])
      const providers = new Set(pieces.map(({ provider }) => provider))
      assert.equal(providers.size, pieces.length, 'every piece somewhere else')
      await assertReads(path)
    }
  })

  it('takes stdin, and writes stdout and ranges', async () => {
    const bytes = bytesOf(300_000)
    const { segments } = await net.result<PutResult>(['put', '-', '/docs/ä/piped'], {
      input: bytes
    })
    assert.equal(segments, 1)
    objects.set('/docs/ä/piped', bytes)
    const whole = await net.run(['cat', '/docs/ä/piped'])
    assert.ok(whole.code === 0 && whole.stdout.equals(bytes), whole.stderr)
    for (const [first, last] of [
      [0, 0],
      [65_000, 231_777],
      [299_999, 299_999],
      [299_000, 999_999]
    ]) {
      const range = ['get', '/docs/ä/piped', '-o', '-', '--range', `${first}-${last}`]
      const { stdout, stderr } = await net.run(range)
      assert.ok(stdout.equals(bytes.subarray(first, last! + 1)), `${first}-${last}: ${stderr}`)
    }
  })

  it('lists and describes what it stores', async () => {
    const top = await net.result<ListEntry[]>(['ls'])
    assert.deepEqual(
      top.map(({ path, bytes, folder }) => [path, bytes, folder === true]),
      [
        ['/docs/', 2_800_001, true],
        ['/empty', 0, false],
        ['/one', 1, false]
      ]
    )
    const all = await net.result<ListEntry[]>(['ls', '/', '-r'])
    assert.deepEqual(all.map(({ path }) => path).sort(), [...objects.keys()].sort())
    const stat = await net.result<StatResult>(['stat', '/docs/large'])
    assert.deepEqual([stat.bytes, stat.profile, stat.pieces.length], [2_500_001, '3/6', 6])
    for (const { provider, deal } of stat.pieces) {
      assert.ok(net.providers.some(({ peerId }) => peerId === provider))
      assert.match(deal, /^[0-9a-f]{64}$/)
    }
  })

  it('sends money', async () => {
    const to = net.validator
    const { available: before } = await to.api.walletBalance()
    const { address } = await to.api.walletAddress()
    const sent = await net.result<Text<SendResult>>(['wallet', 'send', address, '12.5'])
    assert.equal(sent.units, '12500000000')
    await until('it has arrived', async () => {
      const { available } = await to.api.walletBalance()
      const gainUnits = available - before
      // the validator also earns the fees of the blocks in between
      return gainUnits >= 12_500_000_000n && gainUnits < 12_600_000_000n
    })
    const balance = await net.result<Text<Balance>>(['wallet', 'balance'])
    assert.ok(BigInt(balance.escrow) > 0n)
  })

  it('proves what it holds, every period, and is paid for it', async () => {
    const look = (): Promise<DealRow[]> => net.client.api.deals()
    await until('every deal is proven and paid', async () => {
      const deals = await look()
      return (
        deals.length === 6 && deals.every(deal => deal.provenPeriods >= 2 && deal.paidUnits > 0n)
      )
    })
    const deals = await net.result<Text<DealRow>[]>(['deals'])
    for (const { missedPeriods, provider, state } of deals) {
      assert.deepEqual([missedPeriods, state], [0, 'open'], provider)
    }
    const paid = new Map(deals.map(deal => [deal.provider, BigInt(deal.paidUnits)]))
    for (const { name, peerId, api } of net.providers) {
      assert.ok((paid.get(peerId) ?? 0n) > 0n, name)
      const { provenPeriods } = await api.providerStatus()
      assert.ok(provenPeriods >= 2, name)
    }
  })

  it('replaces and removes, and gets its space back', async () => {
    const taken = await net.failure('ALREADY_EXISTS', ['put', net.file('in'), '/docs/large'])
    assert.match(taken.hint ?? '', /--force/)
    await assertReads('/docs/large')
    const replaced = await put('/docs/large', bytesOf(700_001), '--force')
    await assertReads('/docs/large')
    for (const path of ['/empty', '/one', '/docs/ä/piped']) {
      assert.equal((await net.result<{ path: string }>(['rm', path])).path, path)
      objects.delete(path)
    }
    await net.failure('NOT_FOUND', ['get', '/one', '-o', net.file('gone')])
    const left = await net.result<ListEntry[]>(['ls', '-r'])
    assert.deepEqual(
      left.map(({ path }) => path),
      ['/docs/large']
    )
    const expected = piecesBytes(replaced)
    await until(
      `the providers hold ${expected} bytes`,
      async () => (await usedBytes()) === expected
    )
    await assertReads('/docs/large')
  })

  it('has one ledger on every machine, and every unit of the genesis in it', async () => {
    await net.stop()
    const facts = await assertOneLedger(net.nodes.map(({ home }) => home))
    assert.equal(facts.length, 8)
  })
})
