import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addressOf } from '../../../src/base/address.ts'
import { toHex } from '../../../src/base/bytes.ts'
import { encodeLightBlock } from '../../../src/ledger/light/types.ts'
import { AUTHENTICATED_TABLES } from '../../../src/ledger/state/tables.ts'
import { recordToWire } from '../../../src/node/chain/light-messages.ts'
import { LightLedger, type LightLedgerInit } from '../../../src/node/light/light-ledger.ts'
import { LIGHT_PROTOCOL } from '../../../src/node/net/protocols.ts'
import { serve } from '../../../src/node/net/rpc.ts'
import { client } from '../../ledger/snapshot-support.ts'
import { SyncWorld } from './support.ts'

describe('the ledger by a light client', () => {
  let world: SyncWorld
  let folder: string
  before(async () => {
    world = await SyncWorld.open(0)
  })
  beforeEach(async () => {
    world.newNetwork()
    folder = await mkdtemp(join(tmpdir(), 'holdfast-light-'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  after(() => world?.close())

  const { signal } = new AbortController()
  const light = (): string => join(folder, 'light.json')

  function open(init: Partial<LightLedgerInit> = {}): LightLedger {
    const { genesis } = world.source.replica
    return new LightLedger(
      { home: folder, signal, peersMs: 300, ...init },
      { net: world.join('light', []), genesis, paths: { light: light() }, clock: world.clock }
    )
  }

  it('is that of a replica one block below the head, and is remembered', async () => {
    for (const name of ['a', 'b', 'c']) world.honest(name)
    const { replica } = world.source
    const { light: facts, ...status } = await open().status()
    const height = replica.height - 1n
    assert.deepEqual(status, {
      chainId: replica.network.chainId,
      height: Number(height),
      blockHash: toHex(replica.block(replica.height)!.header.parentHash),
      appHash: toHex(replica.stateHashAt(height)!),
      validators: 4,
      faultsTolerated: 1,
      period: Number(height / BigInt(replica.params.periodHeights))
    })
    assert.deepEqual([facts.headerHeight, facts.witnesses], [Number(replica.height), 2])
    const stored = JSON.parse(await readFile(light(), 'utf8')) as { height: number }
    assert.equal(stored.height, facts.headerHeight)
    // from what is stored
    assert.equal((await open().validators()).validators.length, 4)
  })

  it('names a peer that changes a record, and believes another', async () => {
    const { replica } = world.source
    const liar = world.join('liar')
    serve(liar, LIGHT_PROTOCOL, {}, async body => {
      const { records, height } = body as {
        records?: { table: string; key: Uint8Array }[]
        height?: number
      }
      // its headers are true
      if (records === undefined) {
        return { block: encodeLightBlock(replica.light.block(BigInt(height!))!) }
      }
      const served = records.map(({ table, key }) => replica.light.record(table, key)!)
      const { type } = AUTHENTICATED_TABLES.get('accounts')!
      const value = type.serialize({
        balanceUnits: 10n ** 18n,
        nonce: 0n,
        escrowUnits: 0n,
        collateralUnits: 0n
      })
      return {
        height: Number(served[0]!.headerHeight),
        records: served.map(({ record }) => ({ ...recordToWire(record), value }))
      }
    })
    for (const name of ['a', 'b', 'c']) world.honest(name)
    const address = addressOf(client.publicKey)
    const account = await open().account(address)
    assert.ok(account.light.faulty.some(({ id }) => id === liar.peerId))
    assert.ok(account.available < 10n ** 18n && account.available > 0n)
    assert.equal(account.height, Number(replica.height - 1n))
  })

  it('says how many witnesses are missing', async () => {
    for (const name of ['a', 'b']) world.honest(name)
    await assert.rejects(open().status(), { code: 'TOO_FEW_WITNESSES', hint: /--witnesses 1/ })
    assert.equal((await open({ witnesses: 1 }).status()).light.witnesses, 1)
  })
})
