/** Own measurements: they move the score, fade, and are there after a restart. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { utf8 } from '../../../src/base/bytes.ts'
import { MIB } from '../../../src/base/limits.ts'
import { LedgerFactsBook } from '../../../src/node/client/ledger-facts.ts'
import { QualityBook } from '../../../src/node/client/quality.ts'
import { openDatabase } from '../../../src/node/open-database.ts'
import { makeTempFolder, removeTempFolder } from '../../storage/temp-folder.ts'
import { ProviderWorld } from '../provider/support.ts'

const PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const HOUR_MS = 3_600_000

describe('quality book', () => {
  let nowMs: number
  const clock = { nowMs: () => nowMs }
  beforeEach(() => {
    nowMs = 1_000 * HOUR_MS
  })

  it('rewards service and speed, and punishes failures until they fade', () => {
    const book = new QualityBook(clock)
    assert.equal(book.score(PEER), 500)
    for (let i = 0; i < 20; i++) book.recordTransfer(PEER, 8 * MIB, 1000)
    book.recordLatency(PEER, 20)
    const fast = book.score(PEER)
    assert.ok(fast > 700, `${fast}`)
    for (let i = 0; i < 10; i++) book.recordFailure(PEER, 'lied')
    const spoiled = book.score(PEER)
    assert.ok(spoiled < 450, `${spoiled}`)
    assert.equal(book.failures(PEER).length, 10)
    nowMs += 6 * HOUR_MS
    assert.ok(book.score(PEER) > spoiled + 200)
    nowMs -= 12 * HOUR_MS
    assert.ok(book.score(PEER) >= 1, 'a clock that was set back')
  })

  it('keeps bounded lists and texts', () => {
    const book = new QualityBook(clock)
    for (let i = 0; i < 100; i++) book.recordFailure(PEER, 'x'.repeat(10_000))
    assert.equal(book.failures(PEER).length, 16)
    assert.equal(book.failures(PEER)[0]!.reason.length, 200)
  })

  it('is there after a restart, less what cannot be read', async () => {
    const folder = await makeTempFolder()
    try {
      const db = await openDatabase(join(folder, 'measures'))
      const before = new QualityBook(clock, { db })
      await before.open()
      before.recordTransfer(PEER, MIB, 333)
      before.recordLatency(PEER, 17)
      before.recordFailure(PEER, 'late')
      await before.close()
      await db.put('broken', utf8('not a document'))
      const after = new QualityBook(clock, { db })
      await after.open()
      assert.deepEqual(after.measurements(PEER), before.measurements(PEER))
      assert.deepEqual(after.failures(PEER), before.failures(PEER))
      assert.equal(await db.get('broken'), undefined)
      await after.close()
      await db.close()
    } finally {
      await removeTempFolder(folder)
    }
  })

  it('joins what the ledger says of a provider', async () => {
    const world = await ProviderWorld.make()
    try {
      const { replica, provider, client } = world
      const ledger = new LedgerFactsBook(replica, client.wallet.publicKey)
      const book = new QualityBook(clock, { ledger })
      assert.equal(book.facts(client.net.peerId), undefined, 'no provider')
      assert.equal(book.facts(provider.net.peerId)!.provenPeriods, 0)
      await world.toPeriod(3n)
      assert.equal(book.facts(provider.net.peerId)!.agePeriods, 3)
      assert.equal(book.score(provider.net.peerId), 500, 'age alone is nothing')
      const rates = ledger.rates([provider.wallet.publicKey])
      assert.ok(rates.failuresPerYear > 0.07 && rates.failuresPerYear <= 0.08)
      assert.equal(ledger.isGone(provider.wallet.publicKey), false)
    } finally {
      await world.close()
    }
  })
})
