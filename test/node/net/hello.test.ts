import assert from 'node:assert/strict'
import { encodeDocument } from '../../../src/base/codec.ts'
import { HoldfastError } from '../../../src/base/errors.ts'
import { signingKeyFromSeed } from '../../../src/base/keys.ts'
import { parseAddress } from '../../../src/node/net/addresses.ts'
import { StreamChannel } from '../../../src/node/net/channel.ts'
import { decodeHello } from '../../../src/node/net/hello.ts'
import { UNACCEPTED_BYTES_MAX } from '../../../src/node/net/limits.ts'
import { remoteOf } from '../../../src/node/net/peer-book.ts'
import { HELLO_PROTOCOL, STREAM_ACCEPTED } from '../../../src/node/net/protocols.ts'
import { createStack, type Stack } from '../../../src/node/net/stack.ts'
import {
  addressOf,
  NETWORK_ID,
  nextSeed,
  rejectsWith,
  SEED,
  seededRandom,
  TEST_PROTOCOL,
  testNets,
  until
} from './support.ts'

const OTHER_NETWORK = 'cd'.repeat(32)

describe('node/net/hello', () => {
  const nets = testNets()
  const stacks: Stack[] = []
  afterEach(async () => {
    await nets.stopAll()
    await Promise.all(stacks.splice(0).map(async stack => await stack.stop()))
  })

  /** A libp2p node without our rules on top. */
  async function rawStack(): Promise<Stack> {
    const stack = await createStack({
      key: signingKeyFromSeed(nextSeed()),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      announce: [],
      networkId: NETWORK_ID,
      userAgent: 'raw',
      datastore: undefined,
      isForeign: () => false
    })
    await stack.start()
    stacks.push(stack)
    return stack
  }

  it('tells both sides roles and keys', async () => {
    const a = await nets.start({ roles: ['client'] })
    const b = await nets.start({ roles: ['provider', 'validator'] })
    const met: string[] = []
    const forget = a.onPeer(peerId => met.push(peerId))
    assert.equal(await a.connect(addressOf(b)), b.peerId)
    await until('b knows a', () => b.connected().length === 1)
    assert.deepEqual(a.connected()[0]?.roles, ['provider', 'validator'])
    assert.deepEqual(b.connected()[0]?.roles, ['client'])
    assert.deepEqual(a.connected()[0]?.addresses, b.addresses())
    await a.connect(addressOf(b))
    assert.deepEqual(met, [b.peerId], 'once per peer')
    forget()
    b.handle(TEST_PROTOCOL, async channel => {
      assert.deepEqual(channel.remote, { peerId: a.peerId, peerKey: a.peerKey })
      await channel.writeFrame(channel.remote.peerKey)
    })
    const channel = await a.open(b.peerId, TEST_PROTOCOL)
    assert.deepEqual(channel.remote, { peerId: b.peerId, peerKey: b.peerKey })
    assert.deepEqual(await channel.readFrame(32), a.peerKey)
  })

  it('refuses another network on both sides', async () => {
    const a = await nets.start()
    const b = await nets.start({ networkId: OTHER_NETWORK })
    const error = await rejectsWith('WRONG_NETWORK', a.connect(addressOf(b)))
    assert.equal(error.details['actual'], OTHER_NETWORK)
    await rejectsWith('WRONG_NETWORK', b.connect(addressOf(a)))
    assert.deepEqual([a.connected(), b.connected()], [[], []])
    // known to be foreign by now: not even dialled
    await a.addAddresses(b.peerId, b.addresses())
    await rejectsWith('WRONG_NETWORK', a.open(b.peerId, TEST_PROTOCOL))
  })

  it('drops a peer whose hello is malformed, and survives it', async () => {
    const random = seededRandom(SEED)
    const net = await nets.start()
    const raw = await rawStack()
    for (let i = 0; i < 8; i += 1) {
      const connection = await raw.dial(parseAddress(addressOf(net)), { force: true })
      const stream = await connection.newStream(HELLO_PROTOCOL)
      const channel = new StreamChannel(stream, remoteOf(connection))
      const bytes = random.bytes(random.below(200))
      await (i % 2 === 0 ? channel.writeFrame(bytes) : channel.write(bytes))
      await channel.closeWrite()
      await until(`dropped, seed ${SEED}`, () => connection.status !== 'open')
    }
    assert.deepEqual(net.connected(), [])
    await (await nets.start()).connect(addressOf(net))
  })

  it('takes only a hello', () => {
    const addresses = ['/ip4/127.0.0.1/tcp/1']
    const hello = { networkId: NETWORK_ID, roles: ['provider'], agent: 'x/1', addresses }
    assert.deepEqual(decodeHello(encodeDocument({ ...hello, later: 1 })), hello)
    const bad = [
      { ...hello, networkId: 'zz' },
      { ...hello, roles: ['Provider'] },
      { ...hello, roles: Array.from({ length: 17 }, () => 'a') },
      { ...hello, agent: '\u001b[31m' },
      { ...hello, agent: 'a'.repeat(129) },
      { ...hello, addresses: ['localhost:1'] },
      [],
      null
    ]
    for (const value of bad) {
      assert.throws(
        () => decodeHello(encodeDocument(value)),
        error => HoldfastError.is(error, 'PROTOCOL_VIOLATION')
      )
    }
  })

  it('sends no more than a window before the handler listens', async () => {
    const [opener, acceptor] = await Promise.all([rawStack(), rawStack()])
    const streams: { send: (bytes: Uint8Array) => boolean; readBufferLength: number }[] = []
    await acceptor.handle(TEST_PROTOCOL, stream => {
      streams.push(stream)
    })
    const connection = await opener.dial(acceptor.getMultiaddrs())
    const stream = await connection.newStream(TEST_PROTOCOL)
    const channel = new StreamChannel(stream, remoteOf(connection))
    await rejectsWith('TIMEOUT', channel.write(new Uint8Array(2 ** 20), { timeoutMs: 100 }))
    const received = streams[0]!.readBufferLength
    assert.ok(received > 0 && received <= UNACCEPTED_BYTES_MAX, `${received} bytes`)

    const second = await connection.newStream(TEST_PROTOCOL)
    const patient = new StreamChannel(second, remoteOf(connection))
    const written = patient.write(new Uint8Array(2 ** 20))
    await until('two streams', () => streams.length === 2)
    streams[1]!.send(Uint8Array.of(STREAM_ACCEPTED))
    await written
  })

  it('refuses a stream that does not start as it must', async () => {
    const [opener, acceptor] = await Promise.all([rawStack(), rawStack()])
    await acceptor.handle(TEST_PROTOCOL, stream => {
      stream.send(Uint8Array.of(STREAM_ACCEPTED + 1, 9, 9))
    })
    const connection = await opener.dial(acceptor.getMultiaddrs())
    const stream = await connection.newStream(TEST_PROTOCOL)
    const channel = new StreamChannel(stream, remoteOf(connection))
    await rejectsWith('PROTOCOL_VIOLATION', channel.readSome(10))
  })
})
