import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { KIB, MIB } from '../../../src/base/limits.ts'
import type { StreamChannel } from '../../../src/node/net/channel.ts'
import {
  READ_HIGH_WATER_BYTES,
  READ_LOW_WATER_BYTES,
  SEND_CHUNK_BYTES,
  STREAM_WINDOW_BYTES_MAX,
  WRITE_HIGH_WATER_BYTES
} from '../../../src/node/net/limits.ts'
import type { Channel } from '../../../src/node/net/types.ts'
import {
  channelTo,
  Digest,
  rejectsWith,
  SEED,
  seededRandom,
  TEST_PROTOCOL,
  testNets,
  until
} from './support.ts'

const FRAME_MAX = 1 * MIB
/** What one side may hold for one channel: a window in libp2p, one handed over, and the message that tipped it. */
const READ_BOUND = 2 * STREAM_WINDOW_BYTES_MAX + READ_LOW_WATER_BYTES + READ_HIGH_WATER_BYTES
const WRITE_BOUND = WRITE_HIGH_WATER_BYTES + SEND_CHUNK_BYTES

describe('node/net/channel', () => {
  const nets = testNets()
  let released = Promise.withResolvers<void>()
  afterEach(async () => {
    released.resolve()
    released = Promise.withResolvers()
    await nets.stopAll()
  })

  /** A channel and the other end of it, held open by the test. */
  async function pair(): Promise<{ near: Channel; far: Channel; farSignal: AbortSignal }> {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    const accepted = Promise.withResolvers<{ far: Channel; farSignal: AbortSignal }>()
    const near = await channelTo(a, b, async (far, farSignal) => {
      accepted.resolve({ far, farSignal })
      await released.promise
    })
    return { near, ...(await accepted.promise) }
  }

  it('carries frames of every size in order, both ways at once', async () => {
    const random = seededRandom(SEED)
    const sizes = [
      0,
      1,
      4,
      65_535,
      65_536,
      FRAME_MAX,
      ...Array.from({ length: 40 }, () => random.below(9000))
    ]
    const frames = sizes.map(size => random.bytes(size))
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    const channel = await channelTo(a, b, async echo => {
      for (;;) {
        const frame = await echo.readFrame(FRAME_MAX)
        if (frame === undefined) return
        await echo.writeFrame(frame)
      }
    })
    const sent = (async () => {
      for (const frame of frames) await channel.writeFrame(frame)
      await channel.closeWrite()
    })()
    for (const frame of frames) {
      const echoed = await channel.readFrame(FRAME_MAX)
      assert.ok(echoed !== undefined && Buffer.compare(echoed, frame) === 0, `seed ${SEED}`)
    }
    assert.equal(await channel.readFrame(FRAME_MAX), undefined)
    await sent
  })

  it('mixes frames, exact and partial reads', async () => {
    const { near, far } = await pair()
    await near.writeFrame(Uint8Array.of(1, 2, 3))
    await near.write(Uint8Array.of(4, 5, 6, 7, 8, 9))
    await near.writeFrame(Uint8Array.of(10))
    await near.closeWrite()
    assert.deepEqual(await far.readFrame(3), Uint8Array.of(1, 2, 3))
    assert.deepEqual(await far.readExactly(2), Uint8Array.of(4, 5))
    assert.deepEqual(await far.readSome(1), Uint8Array.of(6))
    assert.deepEqual(await far.readExactly(3), Uint8Array.of(7, 8, 9))
    assert.deepEqual(await far.readFrame(1), Uint8Array.of(10))
    assert.equal(await far.readSome(1), undefined)
    assert.equal(await far.readFrame(1), undefined)
  })

  for (const direction of ['opener to handler', 'handler to opener']) {
    it(`keeps 64 MiB bounded on both sides of a slow reader, ${direction}`, async function () {
      this.timeout(30_000)
      const { near, far } = await pair()
      const [writer, reader] = direction === 'opener to handler' ? [near, far] : [far, near]
      const peak = await transferSlowly(writer as StreamChannel, reader as StreamChannel)
      assert.ok(peak.writeBytes <= WRITE_BOUND, `write buffer of ${peak.writeBytes}`)
      assert.ok(peak.readBytes <= READ_BOUND, `read buffer of ${peak.readBytes}`)
      // the reader really was the slow one, or this test shows nothing
      assert.ok(peak.writeBytes >= SEND_CHUNK_BYTES && peak.readBytes >= 128 * KIB)
    })
  }

  it('lets a fast reader pass everything without waiting for timeouts', async () => {
    const { near, far } = await pair()
    const bytes = seededRandom(SEED).bytes(8 * MIB)
    const sent = near.write(bytes).then(() => near.closeWrite())
    const got = await far.readExactly(bytes.length)
    await sent
    assert.equal(Buffer.compare(got, bytes), 0)
  })

  it('rejects a frame cut off by a clean end', async () => {
    const { near, far } = await pair()
    await near.write(Uint8Array.of(0, 0, 0, 100, 1, 2, 3))
    await near.closeWrite()
    await rejectsWith('FRAME_TRUNCATED', far.readFrame(FRAME_MAX))
    await rejectsWith('FRAME_TRUNCATED', far.readFrame(FRAME_MAX))
  })

  it('rejects a frame cut off inside its length', async () => {
    const { near, far } = await pair()
    await near.write(Uint8Array.of(0, 0))
    await near.closeWrite()
    await rejectsWith('FRAME_TRUNCATED', far.readFrame(FRAME_MAX))
  })

  it('rejects an oversized frame before its bytes are there', async () => {
    const { near, far } = await pair()
    await near.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff))
    await rejectsWith('FRAME_TOO_LARGE', far.readFrame(FRAME_MAX))
    await far.writeFrame(Uint8Array.of(7))
    assert.deepEqual(await near.readFrame(1), Uint8Array.of(7), 'the other way still works')
  })

  it('times out writing to a peer that does not read, and tells it', async () => {
    const { near, far, farSignal } = await pair()
    const endless = (async () => {
      for (;;) await near.write(new Uint8Array(64 * KIB), { timeoutMs: 150 })
    })()
    await rejectsWith('TIMEOUT', endless)
    await rejectsWith('TIMEOUT', near.write(new Uint8Array(1)))
    await until('the reader hears of it', () => farSignal.aborted)
    await rejectsWith('UNREACHABLE', drain(far))
  })

  it('times out reading from a silent peer, and can go on between frames', async () => {
    const { near, far } = await pair()
    await rejectsWith('TIMEOUT', far.readFrame(10, { timeoutMs: 20 }))
    await near.writeFrame(Uint8Array.of(1))
    assert.deepEqual(await far.readFrame(10), Uint8Array.of(1))
    await near.write(Uint8Array.of(0, 0, 0, 9, 1))
    await rejectsWith('TIMEOUT', far.readFrame(10, { timeoutMs: 20 }))
    await rejectsWith('TIMEOUT', far.readFrame(10))
  })

  it('ends reads and writes by a signal', async () => {
    const { near, far } = await pair()
    const controller = new AbortController()
    const { signal } = controller
    const read = rejectsWith('ABORTED', far.readFrame(10, { signal }))
    const write = rejectsWith(
      'ABORTED',
      (async () => {
        for (;;) await near.write(new Uint8Array(64 * KIB), { signal })
      })()
    )
    await turn()
    controller.abort()
    await Promise.all([read, write])
    await rejectsWith('ABORTED', near.readSome(1, { signal }))
    const late = AbortSignal.timeout(1)
    const other = await pair()
    await rejectsWith('TIMEOUT', other.far.readSome(1, { signal: late }))
  })

  it('passes a refusal to a writer that is cut off', async () => {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    const channel = await channelTo(a, b, async upload => {
      await upload.readExactly(1)
      await upload.writeFrame(Uint8Array.of(42))
    })
    const endless = (async () => {
      for (;;) await channel.write(new Uint8Array(64 * KIB))
    })()
    await rejectsWith('UNREACHABLE', endless)
    assert.deepEqual(await channel.readFrame(1), Uint8Array.of(42))
    assert.equal(await channel.readFrame(1), undefined)
  })

  it('tells the peer of an abort, with what was sent before still readable', async () => {
    const { near, far, farSignal } = await pair()
    await near.writeFrame(Uint8Array.of(1))
    await near.write(Uint8Array.of(0, 0))
    near.abort(new Error('enough'))
    await until('the peer hears of it', () => farSignal.aborted)
    assert.deepEqual(await far.readFrame(1), Uint8Array.of(1))
    const error = await rejectsWith('FRAME_TRUNCATED', far.readFrame(1))
    assert.ok(error.retryable)
    await rejectsWith('ABORTED', near.readFrame(1))
    await rejectsWith('ABORTED', near.write(Uint8Array.of(1)))
  })

  it('opens and closes more channels than may be open at once', async () => {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    b.handle(TEST_PROTOCOL, async channel => {
      await channel.writeFrame((await channel.readFrame(9))!)
    })
    await a.connect(b.addresses()[0]!)
    for (let i = 0; i < 150; i += 1) {
      const channel = await a.open(b.peerId, TEST_PROTOCOL)
      await channel.writeFrame(Uint8Array.of(i))
      assert.deepEqual(await channel.readFrame(1), Uint8Array.of(i))
      await channel.close()
      await rejectsWith('ABORTED', channel.write(Uint8Array.of(1)))
    }
  })

  it('fails the channels of a node that stops', async () => {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    const channel = await channelTo(a, b, async held => {
      await held.readExactly(1)
    })
    const here = rejectsWith('ABORTED', channel.readFrame(1))
    await a.stop()
    await here
  })
})

/** 64 MiB; the reader takes a step only when the writer is stuck. Returns the most that was buffered on each side. */
async function transferSlowly(
  writer: StreamChannel,
  reader: StreamChannel
): Promise<{ readBytes: number; writeBytes: number }> {
  const total = 64 * MIB
  const chunk = seededRandom(SEED).bytes(MIB + 1)
  const peak = { readBytes: 0, writeBytes: 0 }
  const observe = (): void => {
    peak.writeBytes = Math.max(peak.writeBytes, writer.buffered.writeBytes)
    peak.readBytes = Math.max(peak.readBytes, reader.buffered.readBytes)
  }
  const expected = new Digest()
  let sent = false
  const writing = (async () => {
    for (let left = total; left > 0; left -= chunk.length) {
      const part = chunk.subarray(0, Math.min(left, chunk.length))
      expected.add(part)
      await writer.write(part)
      observe()
    }
    await writer.closeWrite()
    sent = true
  })()
  const actual = new Digest()
  for (let received = 0; ; ) {
    const stuck = (): boolean => {
      observe()
      return sent || (writer.buffered.writeBytes > 0 && reader.buffered.readBytes >= 128 * KIB)
    }
    if (received % (4 * MIB) < MIB) await until('the writer is stuck', stuck)
    const part = await reader.readSome(MIB)
    observe()
    if (part === undefined) break
    actual.add(part)
    received += part.length
  }
  await writing
  assert.equal(actual.hex(), expected.hex(), `seed ${SEED}`)
  return peak
}

async function drain(channel: Channel): Promise<void> {
  while ((await channel.readSome(MIB)) !== undefined);
}
