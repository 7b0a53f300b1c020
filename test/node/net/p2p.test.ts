import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoldfastError } from '../../../src/base/errors.ts'
import { signingKeyFromSeed } from '../../../src/base/keys.ts'
import { peerIdOf, peerKeyOf } from '../../../src/node/net/peer-id.ts'
import {
  addressOf,
  nextSeed,
  rejectsWith,
  SEED,
  seededRandom,
  TEST_PROTOCOL,
  testNets,
  until
} from './support.ts'

const CHILD = new URL('./child-peer.ts', import.meta.url)

describe('node/net/p2p', () => {
  const nets = testNets()
  afterEach(() => nets.stopAll())

  it('keeps its PeerId over a restart and finds its peers again by itself', async () => {
    const datastorePath = await mkdtemp(join(tmpdir(), 'holdfast-net-'))
    const key = signingKeyFromSeed(nextSeed())
    const friend = await nets.start()
    try {
      const before = await nets.start({ key, datastorePath })
      assert.equal(before.peerId, peerIdOf(key.publicKey))
      assert.deepEqual(before.peerKey, key.publicKey)
      await before.connect(addressOf(friend))
      await before.stop()
      await until('friend saw it leave', () => friend.connected().length === 0)
      const after = await nets.start({ key, datastorePath })
      assert.equal(after.peerId, before.peerId)
      friend.handle(TEST_PROTOCOL, async channel => channel.writeFrame(Uint8Array.of(1)))
      const channel = await after.open(friend.peerId, TEST_PROTOCOL)
      assert.deepEqual(await channel.readFrame(1), Uint8Array.of(1))
      await after.stop()
    } finally {
      await rm(datastorePath, { recursive: true })
    }
  })

  it('reports a taken port as PORT_IN_USE', async () => {
    const first = await nets.start()
    const [taken] = addressOf(first).split('/p2p/')
    const second = await nets.create({ listen: [taken!] })
    const error = await rejectsWith('PORT_IN_USE', second.start())
    assert.deepEqual(error.details['listen'], [taken])
  })

  it('dials a bootstrap address until it answers, and again when all peers are gone', async () => {
    const key = signingKeyFromSeed(nextSeed())
    const first = await nets.start({ key })
    const [listen] = addressOf(first).split('/p2p/')
    await first.stop()
    const late = await nets.start({ bootstrap: [listen!] })
    const second = await nets.start({ key, listen: [listen!] })
    await until('found', () => late.connected().length === 1)
    await second.stop()
    await until('lost', () => late.connected().length === 0)
    await nets.start({ key, listen: [listen!] })
    await until('found again', () => late.connected().length === 1)
  })

  it('names what went wrong when a peer cannot be reached', async () => {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    const gone = await nets.start()
    const address = addressOf(gone)
    await gone.stop()
    await rejectsWith('UNREACHABLE', a.connect(address))
    await rejectsWith('UNREACHABLE', a.open(gone.peerId, TEST_PROTOCOL, { timeoutMs: 2000 }))
    await rejectsWith('INVALID_ARGUMENT', a.connect('/ip4/999.0.0.1/tcp/1'))
    await rejectsWith('INVALID_ARGUMENT', a.connect('127.0.0.1:80'))
    await rejectsWith('INVALID_ARGUMENT', a.connect(addressOf(a)))
    await rejectsWith('INVALID_ARGUMENT', a.open('12D3KooWnope', TEST_PROTOCOL))
    await a.connect(addressOf(b))
    await rejectsWith('REMOTE_REFUSED', a.open(b.peerId, '/holdfast/nothing/1.0.0'))
    const signal = AbortSignal.abort()
    await rejectsWith('ABORTED', a.open(b.peerId, TEST_PROTOCOL, { signal }))
  })

  it('opens channels both ways over one connection, and after a disconnect', async () => {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    for (const net of [a, b]) {
      net.handle(TEST_PROTOCOL, async channel => channel.writeFrame(channel.remote.peerKey))
    }
    await a.connect(addressOf(b))
    for (let round = 0; round < 2; round += 1) {
      const there = await a.open(b.peerId, TEST_PROTOCOL)
      const back = await b.open(a.peerId, TEST_PROTOCOL)
      assert.deepEqual(await there.readFrame(32), a.peerKey)
      assert.deepEqual(await back.readFrame(32), b.peerKey)
      await a.disconnect(b.peerId)
    }
  })

  it('keeps one of two connections when both sides dial at once', async function () {
    this.timeout(15_000)
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    a.handle(TEST_PROTOCOL, async channel => channel.writeFrame(Uint8Array.of(1)))
    await Promise.all([a.connect(addressOf(b)), b.connect(addressOf(a))])
    const channel = await b.open(a.peerId, TEST_PROTOCOL)
    assert.deepEqual(await channel.readFrame(1), Uint8Array.of(1))
    assert.deepEqual([a.connected().length, b.connected().length], [1, 1])
  })

  it('fails a frame when the peer process is killed inside it', async () => {
    const net = await nets.start()
    const failed = Promise.withResolvers<unknown>()
    const half = Promise.withResolvers<void>()
    net.handle(TEST_PROTOCOL, async (channel, signal) => {
      await channel.readExactly(1)
      half.resolve()
      await channel.readFrame(1000).catch(failed.resolve)
      assert.ok(signal.aborted)
    })
    const child = fork(CHILD, [addressOf(net)], { stdio: 'inherit' })
    await half.promise
    child.kill('SIGKILL')
    await once(child, 'exit')
    const error = await failed.promise
    assert.ok(HoldfastError.is(error, 'FRAME_TRUNCATED') && error.retryable, String(error))
    await until('gone', () => net.connected().length === 0)
  })

  it('stops quickly, in the middle of transfers', async () => {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    b.handle(TEST_PROTOCOL, async channel => void (await channel.readExactly(1e9)))
    await a.connect(addressOf(b))
    const channel = await a.open(b.peerId, TEST_PROTOCOL)
    const endless = (async () => {
      for (;;) await channel.write(new Uint8Array(65_536))
    })()
    const failed = assert.rejects(endless)
    const startMs = performance.now()
    await b.stop()
    await a.stop()
    await failed
    assert.ok(performance.now() - startMs < 2_000)
  })

  it('turns keys into PeerIds and back, and nothing else', () => {
    const random = seededRandom(SEED)
    const key = signingKeyFromSeed(random.bytes(32)).publicKey
    assert.deepEqual(peerKeyOf(peerIdOf(key)), key)
    assert.match(peerIdOf(key), /^12D3Koo/)
    const rsa = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'
    for (const bad of ['', 'hf1abc', rsa, '1'.repeat(1000), `${peerIdOf(key)}x`]) {
      assert.throws(
        () => peerKeyOf(bad),
        error => HoldfastError.is(error, 'INVALID_ARGUMENT')
      )
    }
    assert.throws(
      () => peerIdOf(new Uint8Array(31)),
      error => HoldfastError.is(error, 'INVALID_ARGUMENT')
    )
  })
})
