import assert from 'node:assert/strict'
import { Mempool, type MempoolLimits } from '../../src/ledger/mempool.ts'
import { decodeTx } from '../../src/ledger/transaction.ts'
import { newFolder, nextBlock, type OpenReplica, openReplica, txOf } from './replica-support.ts'
import { keyOf, testGenesis } from './support.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')
const NAMES = ['v0']
const genesis = testGenesis({ alice: 1_000n, bob: 1_000n, v0: 10n }, {}, { v0: 1n })
const body = { kind: 'transfer' as const, payload: { to: bob.publicKey, amountUnits: 1n } }

describe('Mempool', () => {
  const folder = newFolder()
  let opened: OpenReplica
  let number = 0

  beforeEach(async () => {
    opened = await openReplica(`${folder.path}/${number++}`, genesis)
  })
  afterEach(async () => await opened.close())
  after(() => folder.remove())

  function setup(limits: Partial<MempoolLimits> = {}) {
    const { replica } = opened
    const pool = new Mempool(replica, limits)
    const tx = (nonce: bigint, changes = {}, key = alice) =>
      txOf(replica, key, body, { nonce, ...changes })
    const next = async (txs: Uint8Array[] = pool.candidates(1_000_000)) => {
      const { block, cert } = nextBlock(replica, NAMES, txs)
      await replica.applyFinalized(block, cert)
      return block.txs.length
    }
    const noncesOf = (txs: Uint8Array[]) => txs.map(bytes => decodeTx(bytes).tx.nonce)
    return { replica, pool, tx, next, noncesOf }
  }

  it('offers what can follow, in nonce order, everybody in turn', () => {
    const { pool, tx, noncesOf } = setup()
    for (const nonce of [2n, 0n, 1n, 5n]) pool.add(tx(nonce))
    pool.add(tx(0n, {}, bob))
    assert.deepEqual(noncesOf(pool.candidates(1_000_000)), [0n, 0n, 1n, 2n])
    assert.equal(pool.nextNonce(alice.publicKey), 3n)
    assert.equal(pool.nextNonce(bob.publicKey), 1n)
    assert.equal(pool.size, 5)
    assert.equal(noncesOf(pool.candidates(500)).length, 2)
  })

  it('takes the same transaction again without effect', () => {
    const { pool, tx } = setup()
    const first = pool.add(tx(0n))
    assert.deepEqual([first.added, pool.add(tx(0n)).added, pool.size], [true, false, 1])
    assert.ok(pool.has(first.hash))
  })

  it('replaces for a tenth more', () => {
    const { pool, tx } = setup()
    pool.add(tx(0n, { maxFeeUnits: 100n }))
    assert.throws(() => pool.add(tx(0n, { maxFeeUnits: 109n })), { code: 'TX_INVALID' })
    pool.add(tx(0n, { maxFeeUnits: 110n }))
    assert.equal(pool.size, 1)
    assert.equal(pool.bytes, tx(0n).length)
  })

  it('refuses what is malformed, used, expired, unaffordable or too far ahead', async () => {
    const { pool, tx, next } = setup()
    await next([tx(0n)])
    assert.throws(() => pool.add(new Uint8Array(10)), { code: 'TX_INVALID' })
    assert.throws(() => pool.add(tx(0n)), { code: 'TX_INVALID' })
    assert.throws(() => pool.add(tx(1n, { expiryHeight: 1n })), { code: 'TX_EXPIRED' })
    assert.throws(() => pool.add(tx(0n, {}, keyOf('nobody'))), { code: 'INSUFFICIENT_FUNDS' })
    assert.throws(() => pool.add(tx(65n)), { code: 'TX_INVALID', retryable: true })
  })

  it('keeps fees of all waiting transactions within the balance', () => {
    const { pool, tx } = setup({ senderTxsMax: 1_000 })
    let added = 0
    assert.throws(
      () => {
        for (; ; added++) pool.add(tx(BigInt(added)))
      },
      { code: 'INSUFFICIENT_FUNDS' }
    )
    assert.equal(added, Math.floor(1_000 / 7))
  })

  it('is bounded in count and bytes', () => {
    const { pool, tx } = setup({ txsMax: 2 })
    pool.add(tx(0n))
    pool.add(tx(1n))
    assert.throws(() => pool.add(tx(2n)), { code: 'TX_INVALID', retryable: true })
    pool.close()
    const small = setup({ bytesMax: 2 * tx(0n).length })
    small.pool.add(tx(0n))
    small.pool.add(tx(1n))
    assert.throws(() => small.pool.add(tx(2n)), { code: 'TX_INVALID', retryable: true })
  })

  it('forgets what was included, expired or became unaffordable', async () => {
    const { pool, tx, next } = setup()
    pool.add(tx(0n))
    pool.add(tx(1n, { expiryHeight: 2n }))
    pool.add(tx(3n))
    pool.add(tx(0n, {}, bob))
    assert.equal(await next([pool.candidates(9_999)[0]!]), 1)
    assert.equal(pool.size, 3)
    assert.equal(await next([]), 0)
    assert.equal(pool.size, 2)
    const all = { kind: 'transfer' as const, payload: { to: alice.publicKey, amountUnits: 990n } }
    assert.equal(await next([txOf(opened.replica, bob, all)]), 1)
    assert.deepEqual([pool.size, pool.hashes().length], [1, 1])
  })
})
