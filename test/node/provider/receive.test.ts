/**
 * Uploads by clients that break off, lie, or have no business here. A receipt is given for exactly the announced
 * bytes, on disk, under a lease; whatever else is tried, no byte of quota stays taken and the next client is served.
 */
import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { concat, toHex } from '../../../src/base/bytes.ts'
import { encodeDocument } from '../../../src/base/codec.ts'
import { type ErrorCode, HoldfastError } from '../../../src/base/errors.ts'
import { PIECE_BYTES_MAX } from '../../../src/base/limits.ts'
import { uploadPiece } from '../../../src/node/client/piece-upload.ts'
import { PIECE_PUT_PROTOCOL } from '../../../src/node/net/protocols.ts'
import type { Channel } from '../../../src/node/net/types.ts'
import * as messages from '../../../src/node/wire/piece-messages.ts'
import { blake3 } from '../../../src/proofs/index.ts'
import { suiteRandom } from '../../storage/random.ts'
import { rejectsWith, until } from '../net/support.ts'
import {
  LEASE_HEIGHTS,
  type OpenedDeal,
  type Party,
  ProviderWorld,
  QUOTA_BYTES
} from './support.ts'

describe('receiving pieces', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let world: ProviderWorld
  let deal: OpenedDeal
  beforeEach(async () => {
    world = await ProviderWorld.make()
    deal = await world.openDeal()
  })
  afterEach(async () => {
    await until('every reservation ends', () => world.store.usage().reservedBytes === 0)
    await world.close()
  })

  const upload = (
    piece: Uint8Array,
    changes: Partial<Parameters<typeof uploadPiece>[1]> = {},
    by: Party = world.client
  ): ReturnType<typeof uploadPiece> =>
    uploadPiece(by.net, {
      peerId: world.provider.net.peerId,
      peerKey: world.provider.node.publicKey,
      genesisHash: world.replica.network.genesisHash,
      deal: deal.id,
      root: blake3(piece),
      piece,
      signal: new AbortController().signal,
      ...changes
    })

  const open = (by: Party = world.client): Promise<Channel> =>
    by.net.open(world.provider.net.peerId, PIECE_PUT_PROTOCOL)

  /** A channel whose header was accepted. */
  async function begin(bytes: number): Promise<Channel> {
    const channel = await open()
    await messages.sendMessage(channel, { deal: deal.id, bytes })
    await messages.expectMessage(channel, messages.putAnswer)
    return channel
  }

  const refusedWith = (code: ErrorCode, channel: Channel): Promise<HoldfastError> =>
    rejectsWith(code, messages.expectMessage(channel, messages.putReceipt))

  async function stored(): Promise<string[]> {
    const roots: string[] = []
    for await (const { root } of world.store.roots()) roots.push(toHex(root))
    return roots
  }

  async function assertWorks(): Promise<void> {
    const piece = random.bytes(1000)
    await upload(piece)
    assert.ok((await stored()).includes(toHex(blake3(piece))))
  }

  it('gives a receipt for a piece that is on its disk, under a lease', async () => {
    for (const length of [1, 16_384, 16_385, 300_001]) {
      const piece = random.bytes(length)
      const root = blake3(piece)
      const receipt = await upload(piece)
      assert.deepEqual([toHex(receipt.root), receipt.bytes], [toHex(root), length])
      assert.equal(receipt.heldUntilHeight, world.replica.head().height + LEASE_HEIGHTS)
      assert.ok(await world.leases.has(root))
      const { bytes } = await world.store.readGroups(root, 0, Math.ceil(length / 16_384))
      assert.equal(toHex(blake3(bytes)), toHex(root))
    }
  })

  it('takes the same piece twice and counts it once', async () => {
    const piece = random.bytes(5000)
    await upload(piece)
    await upload(piece)
    assert.deepEqual([world.store.usage().usedBytes, (await stored()).length], [5000, 1])
  })

  it('takes uploads side by side', async () => {
    const pieces = Array.from({ length: 20 }, () => random.bytes(1 + random.below(20_000)))
    await Promise.all(pieces.map(piece => upload(piece)))
    assert.equal((await stored()).length, 20)
  })

  it('refuses bytes that do not hash to their root', async () => {
    const piece = random.bytes(20_000)
    await rejectsWith('PIECE_MISMATCH', upload(piece, { root: random.bytes(32) }))
    assert.deepEqual(await stored(), [])
    await assertWorks()
  })

  it('refuses an upload that ends early, wherever it ends', async () => {
    for (const sent of [0, 1, 9_999]) {
      const channel = await begin(10_000)
      await channel.write(random.bytes(sent))
      await channel.closeWrite()
      const error = await refusedWith('REMOTE_REFUSED', channel)
      assert.match(error.message, /ended \d+ of \d+ bytes too early/)
    }
    const untitled = await begin(100)
    await untitled.write(random.bytes(100))
    await untitled.closeWrite()
    await refusedWith('REMOTE_REFUSED', untitled)
    assert.deepEqual(await stored(), [])
    await assertWorks()
  })

  it('refuses more bytes than were announced', async () => {
    const piece = random.bytes(10_000)
    const channel = await begin(piece.length)
    await channel.write(concat(piece, random.bytes(5000))).catch(() => {})
    await messages.sendMessage(channel, { root: blake3(piece) }).catch(() => {})
    await assert.rejects(messages.expectMessage(channel, messages.putReceipt))
    assert.deepEqual(await stored(), [])
    await assertWorks()
  })

  it('refuses deals that are not, are over, or are another peer’s', async () => {
    const piece = random.bytes(1000)
    const error = await rejectsWith('TERMS_REFUSED', upload(piece, {}, world.stranger))
    assert.match(error.message, /opened by another peer/)
    const endPeriod = world.replica.period() + 1n
    deal = await world.openDeal({ endPeriod })
    await upload(piece)
    await world.toPeriod(endPeriod)
    await rejectsWith('TERMS_REFUSED', upload(random.bytes(1000)))
    assert.equal((await stored()).length, 1)
  })

  it('refuses a deal that it does not know, after a moment', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const refused = rejectsWith(
        'TERMS_REFUSED',
        upload(random.bytes(10), { deal: random.bytes(32) })
      )
      let over = false
      void refused.finally(() => {
        over = true
      })
      for (let seconds = 0; !over && seconds < 60; seconds++) {
        for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
        mock.timers.tick(1000)
      }
      await refused
    } finally {
      mock.timers.reset()
    }
    await assertWorks()
  })

  it('refuses headers that are none', async () => {
    const refused: unknown[] = [
      null,
      {},
      { deal: deal.id },
      { deal: deal.id, bytes: 0 },
      { deal: deal.id, bytes: -1 },
      { deal: deal.id, bytes: 1.5 },
      { deal: deal.id, bytes: PIECE_BYTES_MAX + 1 },
      { deal: deal.id.subarray(1), bytes: 1 },
      { deal: toHex(deal.id), bytes: 1 },
      { deal: deal.id, bytes: 1, more: true }
    ]
    for (const header of refused) {
      const channel = await open()
      await messages.sendMessage(channel, header)
      await refusedWith('PROTOCOL_VIOLATION', channel)
    }
    for (const frame of [random.bytes(200), new Uint8Array(0)]) {
      const channel = await open()
      await channel.writeFrame(frame)
      await refusedWith('PROTOCOL_VIOLATION', channel)
    }
    await assertWorks()
  })

  it('refuses frames that are too large or cut, and readers that vanish', async () => {
    const large = await open()
    await large.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff))
    await assert.rejects(messages.expectMessage(large, messages.putAnswer))
    const cut = await open()
    await cut.write(Uint8Array.of(0, 0))
    await cut.closeWrite()
    await assert.rejects(messages.expectMessage(cut, messages.putAnswer))
    const header = encodeDocument({ deal: deal.id, bytes: 50_000 })
    const gone = await open()
    await gone.writeFrame(header)
    gone.abort(new HoldfastError('ABORTED', 'gone'))
    const half = await begin(50_000)
    await half.write(random.bytes(25_000))
    half.abort(new HoldfastError('ABORTED', 'gone'))
    await until('the room is free again', () => world.store.usage().reservedBytes === 0)
    await assertWorks()
  })

  it('gives no more room than it has, and gives it back', async () => {
    const half = Math.floor(QUOTA_BYTES / 2)
    const channel = await begin(half + 1)
    await rejectsWith('QUOTA_EXCEEDED', upload(random.bytes(half)))
    channel.abort(new HoldfastError('ABORTED', 'gone'))
    await until('the room is free again', () => world.store.usage().reservedBytes === 0)
    await upload(random.bytes(half))
    await upload(random.bytes(QUOTA_BYTES - half))
    await rejectsWith('QUOTA_EXCEEDED', upload(random.bytes(1)))
    assert.equal(world.store.usage().usedBytes, QUOTA_BYTES)
  })

  it('takes so many uploads at once and no more', async () => {
    const channels = await Promise.all(Array.from({ length: 64 }, () => begin(10)))
    const error = await rejectsWith('REMOTE_REFUSED', upload(random.bytes(10)))
    assert.match(error.message, /too many uploads/)
    for (const channel of channels) channel.abort(new HoldfastError('ABORTED', 'gone'))
    await until('all have ended', () => world.store.usage().reservedBytes === 0)
    await assertWorks()
  })

  it('has a lease before it has the piece: nothing is on disk that nobody frees', async () => {
    const piece = random.bytes(100)
    const root = blake3(piece)
    const channel = await begin(piece.length)
    let heldFirst: boolean | undefined
    const { hold } = world.leases
    world.leases.hold = async (of, under) => {
      const height = await hold.call(world.leases, of, under)
      heldFirst = !(await world.store.has(of))
      return height
    }
    await channel.write(piece)
    await messages.sendMessage(channel, { root })
    await messages.expectMessage(channel, messages.putReceipt)
    assert.equal(heldFirst, true)
    assert.ok(await world.store.has(root))
  })

  it('ends its part when the client cancels', async () => {
    const cancel = new AbortController()
    const stage = world.store.stage.bind(world.store)
    world.store.stage = async bytes => {
      const staged = await stage(bytes)
      cancel.abort()
      return staged
    }
    const uploading = upload(random.bytes(QUOTA_BYTES), { signal: cancel.signal })
    await assert.rejects(uploading)
    await until('the room is free again', () => world.store.usage().reservedBytes === 0)
    assert.deepEqual(await stored(), [])
  })
})
