import assert from 'node:assert/strict'
import { encodeDocument } from '../../../src/base/codec.ts'
import type { HoldfastError } from '../../../src/base/errors.ts'
import { verifyRecord } from '../../../src/ledger/light/record.ts'
import type { Account } from '../../../src/ledger/types/records.ts'
import { serveFollowers } from '../../../src/node/chain/follow.ts'
import { RECORDS_MAX } from '../../../src/node/chain/light-messages.ts'
import { lightPeer } from '../../../src/node/chain/light-source.ts'
import {
  FOLLOW_PROTOCOL,
  LIGHT_PROTOCOL,
  SNAPSHOT_PROTOCOL
} from '../../../src/node/net/protocols.ts'
import { request } from '../../../src/node/net/rpc.ts'
import { client, extend, provider } from '../../ledger/snapshot-support.ts'
import type { MemoryNet } from '../memory-net.ts'
import { HEIGHT, SNAPSHOT_HEIGHT, SyncWorld } from './support.ts'

describe('what replicas serve', () => {
  let world: SyncWorld
  let server: MemoryNet
  let asker: MemoryNet
  before(async () => {
    world = await SyncWorld.open(0)
  })
  beforeEach(() => {
    world.newNetwork()
    server = world.honest('server')
    asker = world.join('asker')
  })
  after(() => world?.close())

  const { signal } = new AbortController()
  const ask = (protocol: string, body: unknown): Promise<unknown> =>
    request(asker, server.peerId, protocol, body)

  it('light blocks and records that verify', async () => {
    const peer = lightPeer(asker, server.peerId)
    const newest = await peer.lightBlock('newest', signal)
    assert.equal(newest.header.height, world.source.replica.height)
    const nobody = new Uint8Array(32)
    const { headerHeight, records } = await peer.records(
      [client.publicKey, nobody].map(key => ({ table: 'accounts', key })),
      signal
    )
    assert.equal(headerHeight, newest.header.height)
    const [mine, none] = records.map(record => verifyRecord(newest.header, record))
    assert.ok((mine!.value as Account).balanceUnits > 0n)
    assert.equal(none?.value, undefined)
    assert.throws(() => verifyRecord(newest.header, { ...records[0]!, key: provider.publicKey }), {
      code: 'PROOF_INVALID'
    })
  })

  it('a block that is decided in a moment', async () => {
    const { replica } = world.source
    const next = replica.height + 1n
    const coming = lightPeer(asker, server.peerId).lightBlock(next, signal)
    const payload = { to: provider.publicKey, amountUnits: 1n }
    await extend(world.source, [client, { kind: 'transfer', payload }])
    assert.equal((await coming).header.height, next)
  })

  it('refuse what is too much, unknown or malformed', async () => {
    const key = client.publicKey
    const many = Array.from({ length: RECORDS_MAX + 1 }, () => ({ table: 'accounts', key }))
    const refused: [string, unknown, string][] = [
      [LIGHT_PROTOCOL, { op: 'records', records: many }, 'PROTOCOL_VIOLATION'],
      [LIGHT_PROTOCOL, { op: 'records', records: [] }, 'PROTOCOL_VIOLATION'],
      [
        LIGHT_PROTOCOL,
        { op: 'records', records: [{ table: 'accounts', key: new Uint8Array(65) }] },
        'PROTOCOL_VIOLATION'
      ],
      [LIGHT_PROTOCOL, { op: 'records', records: [{ table: 'none', key }] }, 'INVALID_ARGUMENT'],
      [LIGHT_PROTOCOL, { op: 'records', records: new Uint8Array(8_000) }, 'FRAME_TOO_LARGE'],
      [LIGHT_PROTOCOL, { op: 'block', height: 0 }, 'PROTOCOL_VIOLATION'],
      [LIGHT_PROTOCOL, { op: 'block', height: 1_000 }, 'NOT_FOUND'],
      [LIGHT_PROTOCOL, { op: 'all' }, 'PROTOCOL_VIOLATION'],
      [SNAPSHOT_PROTOCOL, { op: 'chunk', height: 1, index: 0 }, 'NOT_FOUND'],
      [SNAPSHOT_PROTOCOL, { op: 'chunk', height: Number(SNAPSHOT_HEIGHT), index: 99 }, 'NOT_FOUND'],
      [SNAPSHOT_PROTOCOL, { op: 'chunk', height: 8, index: -1 }, 'PROTOCOL_VIOLATION'],
      [SNAPSHOT_PROTOCOL, { op: 'chunk', height: 8, index: 0, more: 1 }, 'PROTOCOL_VIOLATION']
    ]
    for (const [protocol, body, code] of refused) {
      await assert.rejects(ask(protocol, body), { code }, JSON.stringify(body))
    }
  })

  it('refuse a peer that asks too often, and nobody else', async () => {
    for (const [protocol, body] of [
      [LIGHT_PROTOCOL, { op: 'block' }],
      [SNAPSHOT_PROTOCOL, { op: 'list' }]
    ] as const) {
      // the clock of the world stands still
      const codes = new Set<string>()
      for (let i = 0; i < 600; i++) {
        const code = await ask(protocol, body).then(
          () => 'ok',
          (error: HoldfastError) => error.code
        )
        codes.add(code)
      }
      assert.deepEqual([...codes], ['ok', 'REMOTE_REFUSED'])
      await request(world.join('other'), server.peerId, protocol, body)
    }
  })

  it('end the stream of a follower that wants blocks which are gone', async () => {
    const { replica } = world.source
    const pruned = new Proxy(replica, {
      get: (target, name) => {
        if (name === 'block') return () => undefined
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
    })
    const net = world.join('pruned')
    serveFollowers({ net, replica: pruned, logger: world.logger })
    const channel = await asker.open(net.peerId, FOLLOW_PROTOCOL)
    await channel.writeFrame(encodeDocument({ from: 1 }))
    await assert.rejects(channel.readFrame(1_000), { code: 'UNREACHABLE' })
    assert.ok(replica.height >= HEIGHT)
  })
})
