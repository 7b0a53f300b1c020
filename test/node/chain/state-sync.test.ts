import assert from 'node:assert/strict'
import { toHex } from '../../../src/base/bytes.ts'
import { HoldfastError } from '../../../src/base/errors.ts'
import { encodeLightBlock } from '../../../src/ledger/light/types.ts'
import { LIGHT_PROTOCOL, SNAPSHOT_PROTOCOL } from '../../../src/node/net/protocols.ts'
import { serve } from '../../../src/node/net/rpc.ts'
import type { OpenLedger } from '../../ledger/snapshot-support.ts'
import type { MemoryNet } from '../memory-net.ts'
import { HEIGHT, SNAPSHOT_HEIGHT, SyncWorld } from './support.ts'

interface Asked {
  op: string
  height?: number
  index?: number
}

describe('state sync', function () {
  this.timeout(60_000)
  let world: SyncWorld
  before(async () => {
    world = await SyncWorld.open()
  })
  beforeEach(() => world.newNetwork())
  after(() => world?.close())

  const never = new AbortController().signal

  async function applyRest(ledger: OpenLedger): Promise<void> {
    for (const { block, cert } of world.source.blocks.slice(Number(ledger.replica.height))) {
      await ledger.replica.applyFinalized(block, cert)
    }
    assert.equal(ledger.replica.height, HEIGHT)
    const [ours, theirs] = [ledger.replica, world.source.replica].map(each => each.head().appHash)
    assert.equal(toHex(ours!), toHex(theirs!))
  }

  /** Answers with the snapshots of the source, every chunk changed by `forge`. */
  function snapshotLiar(name: string, forge: (chunk: Uint8Array) => Uint8Array): Asked[] {
    const net = world.join(name)
    const { replica } = world.source
    const asked: Asked[] = []
    serveLightOf(net)
    serve(net, SNAPSHOT_PROTOCOL, {}, async body => {
      const { op, height, index } = body as Asked
      if (op === 'list') {
        const [info] = replica.snapshots.list()
        const { height: at, appHash, chunks, bytes } = info!
        return { snapshots: [{ height: Number(at), appHash, chunks, bytes: Number(bytes) }] }
      }
      asked.push(body as Asked)
      return { chunk: forge((await replica.snapshots.chunk(BigInt(height!), index!))!) }
    })
    return asked
  }

  function serveLightOf(net: MemoryNet): void {
    serve(net, LIGHT_PROTOCOL, {}, async body => {
      const { height = Number(HEIGHT) } = body as Asked
      return { block: encodeLightBlock(world.source.replica.light.block(BigInt(height))!) }
    })
  }

  const linesOf = (event: string): Record<string, unknown>[] =>
    world.lines.filter(line => line.event === event).map(({ facts }) => facts)

  it('begins with a snapshot and goes on with the blocks above', async () => {
    const peers = ['a', 'b', 'c', 'd'].map(name => world.honest(name))
    const { ledger, sync, net } = await world.fresh()
    const seen: unknown[] = []
    ledger.replica.onBlock(() => seen.push(sync.progress))
    assert.equal(await sync.run(never), true)
    assert.equal(ledger.replica.height, SNAPSHOT_HEIGHT)
    assert.equal(sync.progress, undefined)
    const steps = linesOf('state-sync.progress').map(({ chunks, chunksTotal }) => [
      chunks,
      chunksTotal
    ])
    assert.deepEqual(steps, [
      [1, 2],
      [2, 2]
    ])
    // several peers were asked
    assert.ok(new Set(net.dialled).size >= 3, `${net.dialled.length} of ${peers.length}`)
    await applyRest(ledger)
    await ledger.replica.audit()
  })

  it('names a peer that sends wrong chunks, and does not ask it again', async () => {
    const asked = snapshotLiar('liar', chunk => {
      const wrong = chunk.slice()
      wrong[wrong.length - 1]! ^= 1
      return wrong
    })
    for (const name of ['a', 'b', 'c']) world.honest(name)
    const { ledger, sync } = await world.fresh()
    assert.equal(await sync.run(never), true)
    const named = linesOf('state-sync.wrong-chunk')
    const [liar] = world.network.nets.keys()
    assert.ok(asked.length > 0, 'the liar was asked')
    assert.ok(named.length > 0 && named.every(({ peer }) => peer === liar))
    // never after it was named: a chunk was asked of it at most once
    assert.equal(new Set(asked.map(({ index }) => index)).size, asked.length)
    await applyRest(ledger)
  })

  it('gets along with a peer that forges headers', async () => {
    const forger = world.join('a-forger')
    serve(forger, LIGHT_PROTOCOL, {}, async body => {
      const { height = 1_000_000 } = body as Asked
      const block = world.source.replica.light.block(HEIGHT)!
      const header = { ...block.header, height: BigInt(height), appHash: new Uint8Array(32) }
      return { block: encodeLightBlock({ ...block, header }) }
    })
    for (const name of ['a', 'b', 'c']) world.honest(name)
    const { ledger, sync } = await world.fresh()
    assert.equal(await sync.run(never), true)
    assert.ok(linesOf('state-sync.peer').some(({ peer }) => peer === forger.peerId))
    await applyRest(ledger)
  })

  it('executes all blocks when nobody has a snapshot that is true', async () => {
    for (const name of ['a', 'b', 'c']) snapshotLiar(name, chunk => chunk.slice(1))
    const { ledger, sync } = await world.fresh()
    assert.equal(await sync.run(never), false)
    const [failed] = linesOf('state-sync.failed')
    assert.equal(failed?.['code'], 'SNAPSHOT_INVALID')
    assert.equal(ledger.replica.height, 0n)
    await applyRest(ledger)
  })

  it('says that there are too few witnesses, and executes all blocks', async () => {
    for (const name of ['a', 'b']) world.honest(name)
    const { ledger, sync } = await world.fresh()
    assert.equal(await sync.run(never), false)
    assert.equal(linesOf('state-sync.failed')[0]?.['code'], 'TOO_FEW_WITNESSES')
    await applyRest(ledger)
  })

  it('ends when the node stops, and the next start begins anew', async () => {
    const stop = new AbortController()
    snapshotLiar('a', chunk => {
      stop.abort(new HoldfastError('ABORTED', 'stopping'))
      return chunk
    })
    for (const name of ['b', 'c']) serveLightOf(world.join(name))
    const { ledger, sync } = await world.fresh()
    await assert.rejects(sync.run(stop.signal), { code: 'ABORTED' })
    await ledger.replica.reopen()
    assert.equal(ledger.replica.height, 0n)
    await applyRest(ledger)
  })

  it('leaves a replica that is close to the blocks', async () => {
    for (const name of ['a', 'b', 'c']) world.honest(name)
    const { sync } = await world.fresh(Number(HEIGHT))
    assert.equal(await sync.run(never), false)
    assert.deepEqual(world.lines, [])
  })
})
