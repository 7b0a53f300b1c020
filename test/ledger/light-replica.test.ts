/** Light clients against a real replica whose validator set changes. */
import assert from 'node:assert/strict'
import { utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { genesisHashOf } from '../../src/ledger/genesis.ts'
import { createLightClient } from '../../src/ledger/light/client.ts'
import { summaryOf } from '../../src/ledger/light/genesis-summary.ts'
import { encodeProofFile, verifyProofFile } from '../../src/ledger/light/proof-file.ts'
import { verifyRecord } from '../../src/ledger/light/record.ts'
import { trustGenesis } from '../../src/ledger/light/trust.ts'
import { numbered, ONLY } from '../../src/ledger/state/tables.ts'
import type { Account } from '../../src/ledger/types/records.ts'
import {
  addValidator,
  client,
  extendTo,
  Ledgers,
  lightSourceOf,
  NAMES,
  openDeals,
  snapshotGenesis
} from './snapshot-support.ts'

const { signal } = new AbortController()

describe('light clients of a replica', () => {
  const ledgers = new Ledgers()
  afterEach(() => ledgers.close())

  it('follow it over a change of the set, and check its records', async () => {
    const genesis = snapshotGenesis()
    const source = await ledgers.open(genesis)
    const { replica } = source
    await openDeals(source, 2)
    await addValidator(source)
    await extendTo(source, 14n)
    const light = createLightClient({ trusted: trustGenesis(genesis) })
    const update = await light.update({
      primary: lightSourceOf(replica, 'p'),
      witnesses: [lightSourceOf(replica, 'w1'), lightSourceOf(replica, 'w2')],
      nowMs: BigInt(replica.head().timeMs),
      signal
    })
    assert.equal(light.trusted.height, 14n)
    assert.equal(light.trusted.validators.length, NAMES.length + 1)
    for (let height = 1n; height <= 14n; height++) {
      const expected = height < 12n ? NAMES.length : NAMES.length + 1
      assert.equal(replica.light.block(height)!.validators.length, expected, `${height}`)
    }
    assert.equal(replica.light.block(0n), undefined)
    assert.equal(replica.light.block(15n), undefined)

    const { header } = light.trusted.block!
    const account = replica.light.record('accounts', client.publicKey)!
    assert.equal(account.headerHeight, 14n)
    const verified = verifyRecord(header, account.record)
    assert.equal(verified.height, 13n)
    // block 14 took a transfer of 14 and its fee
    const before = (verified.value as Account).balanceUnits
    assert.ok(before > replica.account(client.publicKey).availableUnits + 14n)
    const count = replica.light.record('clientDealCounts', client.publicKey)!.record
    assert.equal(verifyRecord(header, count).value, 2)
    const none = replica.light.record('clientDeals', numbered(client.publicKey, 2))!.record
    assert.equal(verifyRecord(header, none).value, undefined)
    assert.throws(() => replica.light.record('nothing', ONLY), { code: 'INVALID_ARGUMENT' })
    assert.throws(() => replica.light.record('accounts', new Uint8Array(64)), {
      code: 'INVALID_ARGUMENT'
    })

    const bytes = encodeProofFile({
      genesis: summaryOf(genesis),
      blocks: update.path,
      record: account.record
    })
    const rules = {
      nowMs: BigInt(replica.head().timeMs),
      trustingPeriodMs: 1_000_000n,
      clockDriftMs: 0n
    }
    const file = verifyProofFile(bytes, { genesisHash: genesisHashOf(genesis) }, rules)
    assert.deepEqual(file.value, verified.value)
    assert.throws(() => verifyProofFile(bytes, { genesisHash: sha256(utf8('another')) }, rules), {
      code: 'WRONG_NETWORK'
    })
  })

  it('get no record before the first block after a start', async () => {
    const path = ledgers.newPath()
    const db = await ledgers.openDb(path)
    const genesis = snapshotGenesis()
    const first = await ledgers.open(genesis, { db })
    assert.equal(first.replica.light.record('totals', ONLY), undefined)
    await extendTo(first, 1n)
    assert.equal(first.replica.light.record('totals', ONLY)?.headerHeight, 1n)
    await extendTo(first, 3n)
    assert.equal(first.replica.light.record('totals', ONLY)?.headerHeight, 3n)
    const again = await ledgers.open(genesis, { db })
    assert.equal(again.replica.light.record('totals', ONLY), undefined)
    await extendTo(again, 4n)
    assert.equal(again.replica.light.record('totals', ONLY)?.headerHeight, 4n)
  })
})
