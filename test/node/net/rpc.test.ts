import assert from 'node:assert/strict'
import { encodeDocument } from '../../../src/base/codec.ts'
import { HoldfastError } from '../../../src/base/errors.ts'
import { errorFromWire, wireErrorOf } from '../../../src/node/net/error-wire.ts'
import { request, serve } from '../../../src/node/net/rpc.ts'
import type { Net, RemotePeer } from '../../../src/node/net/types.ts'
import { addressOf, rejectsWith, SEED, seededRandom, TEST_PROTOCOL, testNets } from './support.ts'

type Handler = (body: unknown, remote: RemotePeer) => Promise<unknown>

describe('node/net/rpc', () => {
  const nets = testNets()
  afterEach(() => nets.stopAll())

  async function served(handler: Handler, requestBytesMax = 1000): Promise<{ a: Net; b: Net }> {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    serve(b, TEST_PROTOCOL, { requestBytesMax }, handler)
    await a.connect(addressOf(b))
    return { a, b }
  }

  it('carries values both ways and names the caller', async () => {
    const { a, b } = await served(async (body, remote) => ({ body, from: remote.peerId }))
    const body = { text: 'häß', list: [1, 2n ** 60n, null], bytes: Uint8Array.of(1, 2) }
    assert.deepEqual(await request(a, b.peerId, TEST_PROTOCOL, body), { body, from: a.peerId })
    const nothing = await request(a, b.peerId, TEST_PROTOCOL, undefined)
    assert.deepEqual(nothing, { body: null, from: a.peerId })
  })

  it('serves many at once', async () => {
    const { a, b } = await served(async body => body)
    const asked = Array.from({ length: 40 }, (_, i) => request(a, b.peerId, TEST_PROTOCOL, i))
    assert.deepEqual(
      await Promise.all(asked),
      asked.map((_, i) => i)
    )
  })

  it('brings an error back as it was', async () => {
    const { a, b } = await served(async () => {
      throw new HoldfastError('QUOTA_EXCEEDED', 'no room', { details: { freeBytes: 7n } })
    })
    const error = await rejectsWith('QUOTA_EXCEEDED', request(a, b.peerId, TEST_PROTOCOL, 1))
    assert.equal(error.message, 'no room')
    // integers that fit a number come back as numbers: dag-cbor knows one kind
    assert.deepEqual(error.details, { freeBytes: 7, peer: b.peerId })
  })

  it('does not tell the inside of a bug', async () => {
    const { a, b } = await served(async () => {
      throw new TypeError('secret of /home/somebody')
    })
    const error = await rejectsWith('INTERNAL', request(a, b.peerId, TEST_PROTOCOL, 1))
    assert.doesNotMatch(JSON.stringify(error), /secret|somebody|rpc\.test/)
  })

  it('treats an answer that cannot be encoded as a bug of the server', async () => {
    const { a, b } = await served(async () => ({ when: () => 1 }))
    await rejectsWith('INTERNAL', request(a, b.peerId, TEST_PROTOCOL, 1))
  })

  it('bounds requests and answers', async () => {
    const { a, b } = await served(async () => new Uint8Array(5000))
    const big = new Uint8Array(2000)
    await rejectsWith('FRAME_TOO_LARGE', request(a, b.peerId, TEST_PROTOCOL, big))
    const options = { responseBytesMax: 4096 }
    await rejectsWith('FRAME_TOO_LARGE', request(a, b.peerId, TEST_PROTOCOL, 1, options))
  })

  it('gives up on a server that does not answer', async () => {
    const hang = Promise.withResolvers<void>()
    const { a, b } = await served(() => hang.promise)
    const options = { timeoutMs: 50 }
    await rejectsWith('TIMEOUT', request(a, b.peerId, TEST_PROTOCOL, 1, options))
    const controller = new AbortController()
    const asked = request(a, b.peerId, TEST_PROTOCOL, 1, { signal: controller.signal })
    controller.abort()
    await rejectsWith('ABORTED', asked)
    hang.resolve()
  })

  it('survives malformed requests', async function () {
    this.timeout(20_000)
    const { a, b } = await served(async body => body)
    const random = seededRandom(SEED)
    const valid = encodeDocument({ a: [1, 'x', { b: null }] })
    for (let i = 0; i < 150; i += 1) {
      const channel = await a.open(b.peerId, TEST_PROTOCOL)
      const bytes = mutated(valid, random)
      // whole frames, frames that lie about their length, and bytes that are no frames
      if (i % 3 === 0) await channel.writeFrame(bytes)
      else if (i % 3 === 1)
        await channel.write(new Uint8Array([0, 0, 0, random.below(200), ...bytes]))
      else await channel.write(random.bytes(1 + random.below(64)))
      if (i % 4 === 0) channel.abort(new Error('fuzz'))
      else await channel.close()
    }
    const alive = await request(a, b.peerId, TEST_PROTOCOL, 'still here')
    assert.equal(alive, 'still here', `seed ${SEED}`)
  })

  it('survives malformed answers', async () => {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    const random = seededRandom(SEED)
    const valid = encodeDocument({ error: { code: 'X', message: 'm', details: { a: 1 } } })
    b.handle(TEST_PROTOCOL, async channel => {
      await channel.readFrame(1000)
      await channel.writeFrame(mutated(valid, random))
    })
    await a.connect(addressOf(b))
    for (let i = 0; i < 60; i += 1) {
      const error = await request(a, b.peerId, TEST_PROTOCOL, i).catch((e: unknown) => e)
      const known = HoldfastError.is(error, 'PROTOCOL_VIOLATION')
      assert.ok(
        known || HoldfastError.is(error, 'REMOTE_REFUSED'),
        `${String(error)}, seed ${SEED}`
      )
    }
  })

  it('keeps hostile error texts small and printable', () => {
    const hostile = `\u001b[2J\n\u202e${'x'.repeat(10_000)}`
    const error = errorFromWire({ code: 'NO_SUCH_CODE', message: hostile }, 'peer')
    assert.equal(error.code, 'REMOTE_REFUSED')
    assert.ok(error.message.length <= 500)
    assert.match(error.message, /^[ -~]*$/)
    const inherited = errorFromWire({ code: 'toString', message: '' }, 'peer')
    assert.equal(inherited.code, 'REMOTE_REFUSED')
    const details = { text: 'y'.repeat(5000) }
    assert.deepEqual(errorFromWire({ code: 'NOT_FOUND', message: '', details }, 'p').details, {
      peer: 'p'
    })
    const wire = wireErrorOf(
      new HoldfastError('NOT_FOUND', 'gone', { details: { bad: undefined } })
    )
    assert.deepEqual(wire, { code: 'NOT_FOUND', message: 'gone' })
    assert.throws(
      () => errorFromWire('nope', 'peer'),
      error_ => HoldfastError.is(error_, 'PROTOCOL_VIOLATION')
    )
  })
})

/** A few bytes changed, cut or added. */
function mutated(bytes: Uint8Array, random: ReturnType<typeof seededRandom>): Uint8Array {
  const out = bytes.slice(0, random.below(2) === 0 ? bytes.length : random.below(bytes.length + 1))
  for (let i = 1 + random.below(3); i > 0 && out.length > 0; i -= 1) {
    out[random.below(out.length)] = random.below(256)
  }
  return out
}
