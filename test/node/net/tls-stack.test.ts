import assert from 'node:assert/strict'
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection, ConnectionEncrypter, Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { tls as stockTls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { sha256 } from '../../../src/base/hash.ts'
import { signingKeyFromSeed } from '../../../src/base/keys.ts'
import { MIB } from '../../../src/base/limits.ts'
import { StreamChannel } from '../../../src/node/net/channel.ts'
import { remoteOf } from '../../../src/node/net/peer-book.ts'
import { createStack } from '../../../src/node/net/stack.ts'
import {
  addressOf,
  NETWORK_ID,
  nextSeed,
  SEED,
  seededRandom,
  TEST_PROTOCOL,
  testNets
} from './support.ts'

const PIECE_STREAMS = 4

describe('node/net/tls in a node', () => {
  const nets = testNets()
  const nodes: Libp2p[] = []
  afterEach(async () => {
    await nets.stopAll()
    for (const node of nodes.splice(0)) await node.stop()
  })

  async function started(node: Libp2p): Promise<Libp2p> {
    nodes.push(node)
    await node.start()
    return node
  }

  async function ours(): Promise<Libp2p> {
    const key = signingKeyFromSeed(nextSeed())
    const listen = ['/ip4/127.0.0.1/tcp/0']
    const fixed = { announce: [], networkId: NETWORK_ID, userAgent: 'test', datastore: undefined }
    const stack = await createStack({ key, listen, ...fixed, isForeign: () => false })
    return await started(stack as unknown as Libp2p)
  }

  async function stock(encrypter: (components: never) => ConnectionEncrypter): Promise<Libp2p> {
    return await started(
      await createLibp2p({
        start: false,
        addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
        transports: [tcp()],
        connectionEncrypters: [encrypter as never],
        streamMuxers: [yamux()]
      })
    )
  }

  /** Sends a piece over a stream of `connection`, gets it back, and compares. */
  async function echoed(from: Libp2p, to: Libp2p): Promise<Connection> {
    await to.handle(TEST_PROTOCOL, async (stream, connection) => {
      const far = new StreamChannel(stream, remoteOf(connection))
      await far.write(await far.readExactly(piece.length))
      await far.close()
    })
    const piece = seededRandom(SEED).bytes(8 * MIB)
    const connection = await from.dial(to.getMultiaddrs()[0]!)
    const stream = await connection.newStream(TEST_PROTOCOL)
    const near = new StreamChannel(stream, remoteOf(connection))
    const sent = near.write(piece)
    assert.deepEqual(sha256(await near.readExactly(piece.length)), sha256(piece), `seed ${SEED}`)
    await sent
    return connection
  }

  it('is what two nodes choose', async () => {
    assert.equal((await echoed(await ours(), await ours())).encryption, '/tls/1.0.0')
  })

  it('serves and dials nodes with stock TLS', async () => {
    const [near, far] = [await ours(), await stock(stockTls())]
    assert.equal((await echoed(near, far)).encryption, '/tls/1.0.0')
    assert.equal((await echoed(await stock(stockTls()), near)).encryption, '/tls/1.0.0')
  })

  it('leaves Noise to nodes that know nothing else', async () => {
    const [near, far] = [await ours(), await stock(noise() as never)]
    assert.equal((await echoed(near, far)).encryption, '/noise')
    assert.equal((await echoed(await stock(noise() as never), near)).encryption, '/noise')
  })

  it('carries four piece streams at once, each way', async function () {
    this.timeout(30_000)
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    const piece = seededRandom(SEED).bytes(16 * MIB)
    b.handle(TEST_PROTOCOL, async channel => {
      const got = await channel.readExactly(piece.length)
      await channel.writeFrame(sha256(got))
      await channel.write(got)
    })
    await a.connect(addressOf(b))
    const upload = async (): Promise<void> => {
      const channel = await a.open(b.peerId, TEST_PROTOCOL)
      await channel.write(piece)
      assert.deepEqual(
        new Uint8Array((await channel.readFrame(32))!),
        new Uint8Array(sha256(piece))
      )
      assert.deepEqual(sha256(await channel.readExactly(piece.length)), sha256(piece))
      await channel.close()
    }
    await Promise.all(Array.from({ length: PIECE_STREAMS }, upload))
  })

  it('half-closes streams both ways', async () => {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    b.handle(TEST_PROTOCOL, async channel => {
      const parts: Uint8Array[] = []
      for (;;) {
        const part = await channel.readSome(1000)
        if (part === undefined) break
        parts.push(part)
      }
      await channel.write(Buffer.concat(parts))
    })
    await a.connect(addressOf(b))
    const channel = await a.open(b.peerId, TEST_PROTOCOL)
    await channel.write(Uint8Array.of(1, 2, 3))
    await channel.closeWrite()
    assert.deepEqual(await channel.readExactly(3), Uint8Array.of(1, 2, 3))
    assert.equal(await channel.readSome(1), undefined)
  })
})
