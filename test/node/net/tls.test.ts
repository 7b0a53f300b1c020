import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ConnectionEncrypter, MessageStream, Stream } from '@libp2p/interface'
import { tls as stockTls } from '@libp2p/tls'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { sha256 } from '../../../src/base/hash.ts'
import { KIB, MIB } from '../../../src/base/limits.ts'
import { StreamChannel } from '../../../src/node/net/channel.ts'
import { SEND_CHUNK_BYTES } from '../../../src/node/net/limits.ts'
import { gatedMuxer } from '../../../src/node/net/muxer-gate.ts'
import { TLS_PROTOCOL } from '../../../src/node/net/tls/encrypter.ts'
import { SLOT_BYTES, SOCKET_QUEUE_BYTES } from '../../../src/node/net/tls/limits.ts'
import type { Channel } from '../../../src/node/net/types.ts'
import { SEED, seededRandom, until } from './support.ts'
import {
  componentsOf,
  type Identity,
  identity,
  idOf,
  receive,
  sendAll,
  testWires
} from './tls-support.ts'

const BULK_BYTES = 64 * MIB
const REMOTE = { peerId: 'test', peerKey: new Uint8Array(32) }

describe('node/net/tls', () => {
  const wires = testWires()
  afterEach(() => wires.close())

  /** Both ends of a fresh connection, encrypted by these two. */
  async function secured(
    dialler: ConnectionEncrypter,
    listener: ConnectionEncrypter
  ): Promise<[MessageStream, MessageStream]> {
    const [near, far] = await wires.pair()
    const [a, b] = await Promise.all([dialler.secureOutbound(near), listener.secureInbound(far)])
    return [a.connection, b.connection]
  }

  const stock = (who: Identity): ConnectionEncrypter => stockTls()(componentsOf(who.key))

  it('proves both peers to each other, the expected ones too', async () => {
    const [a, b] = [await identity(), await identity()]
    for (const known of [false, true]) {
      const [near, far] = await wires.pair()
      const [atA, atB] = await Promise.all([
        a.tls.secureOutbound(near, known ? { remotePeer: idOf(b) } : {}),
        b.tls.secureInbound(far, known ? { remotePeer: idOf(a) } : {})
      ])
      assert.ok(atA.remotePeer.equals(idOf(b)) && atB.remotePeer.equals(idOf(a)))
    }
  })

  for (const [name, dial, listen] of [
    ['itself', (who: Identity) => who.tls, (who: Identity) => who.tls],
    ['stock @libp2p/tls, dialling it', (who: Identity) => who.tls, stock],
    ['stock @libp2p/tls, dialled by it', stock, (who: Identity) => who.tls]
  ] as const) {
    it(`carries 64 MiB both ways at once with ${name}`, async function () {
      this.timeout(60_000)
      const [near, far] = await secured(dial(await identity()), listen(await identity()))
      const random = seededRandom(SEED)
      const [up, down] = [random.bytes(BULK_BYTES), random.bytes(BULK_BYTES)]
      const received = Promise.all([receive(far, up.length), receive(near, down.length)])
      await Promise.all([sendAll(near, up, 100_000), sendAll(far, down, 300_000)])
      const [gotUp, gotDown] = await received
      assert.deepEqual(sha256(gotUp), sha256(up), `seed ${SEED}`)
      assert.deepEqual(sha256(gotDown), sha256(down), `seed ${SEED}`)
    })
  }

  it('holds little on both sides while the reader is paused, and loses nothing', async function () {
    this.timeout(20_000)
    const [near, far] = await secured((await identity()).tls, (await identity()).tls)
    const bytes = seededRandom(SEED).bytes(32 * MIB)
    const received = receive(far, bytes.length)
    far.pause()
    const pieceBytes = 64 * KIB
    const sending = sendAll(near, bytes, pieceBytes)
    await until('the kernel is full', () => near.writableNeedsDrain)
    for (let n = 0; n < 50; n += 1) await new Promise(setImmediate)
    assert.ok(near.writableNeedsDrain, 'the writer really waits')
    assert.ok(near.writeBufferLength <= pieceBytes)
    assert.equal(far.readBufferLength, 0)
    far.resume()
    assert.ok((await sending) <= pieceBytes)
    assert.deepEqual(sha256(await received), sha256(bytes), `seed ${SEED}`)
  })

  it('does not fill memory for a peer that asks without reading', async () => {
    const [near, far] = await secured((await identity()).tls, (await identity()).tls)
    const opened = once(gatedMuxer(yamux()()).createStreamMuxer(far), 'stream')
    near.pause()
    near.send(windowUpdate(1))
    const [{ detail }] = (await opened) as [{ detail: Stream }]
    const endless = sendForever(new StreamChannel(detail, REMOTE))
    let heldMax = 0
    for (let n = 0; n < 400; n += 1) {
      near.send(windowUpdate(0))
      await new Promise(setImmediate)
      heldMax = Math.max(heldMax, far.writeBufferLength)
    }
    assert.ok(far.writableNeedsDrain, 'the connection really is full')
    assert.ok(heldMax <= 2 * SEND_CHUNK_BYTES, `${heldMax} bytes wait for the socket`)
    far.abort(new Error('enough'))
    await endless
  })

  it('delivers everything that was sent before a close, from either side', async () => {
    for (const dialler of [true, false]) {
      const [one, other] = await wires.pair()
      const [a, b] = [await identity(), await identity()]
      const [near, far] = await Promise.all([a.tls.secureOutbound(one), b.tls.secureInbound(other)])
      const [from, to] = dialler ? [near, far] : [far, near]
      const bytes = seededRandom(SEED).bytes(8 * MIB)
      const received = receive(to.connection, bytes.length)
      from.connection.send(bytes)
      // as libp2p does: the transport, not the encrypted stream
      await (dialler ? one : other).close()
      assert.deepEqual(sha256(await received), sha256(bytes))
      await until(
        'both ends are closed',
        () => one.status === 'closed' && other.status === 'closed'
      )
    }
  })

  it('tells the other side of an abort', async () => {
    const [near, far] = await secured((await identity()).tls, (await identity()).tls)
    const ended = once(far, 'close')
    near.abort(new Error('enough'))
    await ended
    assert.notEqual(far.status, 'open')
    assert.throws(() => near.send(Uint8Array.of(1)))
  })

  it('runs over connections without a socket, with the same backpressure', async function () {
    this.timeout(20_000)
    const [a, b] = [await identity(), await identity()]
    const [one, other] = multiaddrConnectionPair()
    const [near, far] = await Promise.all([
      a.tls.secureOutbound(one, { remotePeer: idOf(b) }),
      b.tls.secureInbound(other)
    ])
    assert.ok(far.remotePeer.equals(idOf(a)))
    const bytes = seededRandom(SEED).bytes(4 * MIB)
    const received = receive(far.connection, bytes.length)
    far.connection.pause()
    const sending = sendAll(near.connection, bytes, 64 * KIB)
    for (let n = 0; n < 50; n += 1) await new Promise(setImmediate)
    assert.ok(near.connection.writableNeedsDrain, 'the writer really waits')
    assert.ok(other.readBufferLength <= SLOT_BYTES + SOCKET_QUEUE_BYTES)
    far.connection.resume()
    await sending
    assert.deepEqual(sha256(await received), sha256(bytes))
    await near.connection.close()
    await until('the other end is closed', () => other.status !== 'open')
  })

  it('is announced as the protocol of the specification', async () => {
    assert.equal((await identity()).tls.protocol, TLS_PROTOCOL)
    assert.equal(TLS_PROTOCOL, stock(await identity()).protocol)
  })
})

/** A yamux frame for stream 1 that allows 256 KiB more. */
function windowUpdate(flags: number): Uint8Array {
  const frame = Buffer.alloc(12)
  frame.writeUInt8(1, 1)
  frame.writeUInt16BE(flags, 2)
  frame.writeUInt32BE(1, 4)
  frame.writeUInt32BE(256 * KIB, 8)
  return frame
}

async function sendForever(channel: Channel): Promise<void> {
  try {
    for (;;) await channel.write(new Uint8Array(SEND_CHUNK_BYTES), { timeoutMs: Infinity })
  } catch {
    // ends with the connection
  }
}
