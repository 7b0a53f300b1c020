/**
 * Segments from the source to the providers: every byte goes out in order, memory is bounded, and the first upload that
 * fails for good ends the put at once, even when the source has stopped to answer.
 */
import assert from 'node:assert/strict'
import { HoldfastError } from '../../../src/base/errors.ts'
import { type SigningKey, signingKeyFromSeed } from '../../../src/base/keys.ts'
import { SEGMENT_BYTES_DEFAULT } from '../../../src/base/limits.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { signReceipt } from '../../../src/market/receipt.ts'
import type { ClientContext } from '../../../src/node/client/context.ts'
import { encodeSegments } from '../../../src/node/client/encode.ts'
import type { Holder, Placement } from '../../../src/node/client/placement.ts'
import { QualityBook } from '../../../src/node/client/quality.ts'
import type { SegmentWorkers } from '../../../src/node/client/segment-tasks.ts'
import { SharedMemory } from '../../../src/node/client/shared-memory.ts'
import { Transfer, type UploadedSegment } from '../../../src/node/client/transfer.ts'
import { PIECE_PUT_PROTOCOL } from '../../../src/node/net/protocols.ts'
import * as messages from '../../../src/node/wire/piece-messages.ts'
import { WorkerPool } from '../../../src/node/workers/pool.ts'
import { createCommitter } from '../../../src/proofs/index.ts'
import { suiteRandom } from '../../storage/random.ts'
import { type MemoryNet, MemoryNetwork } from '../memory-net.ts'
import { until } from '../net/support.ts'

const PROFILE = { k: 2, n: 3 }
const GENESIS = new Uint8Array(32).fill(7)
const WORKER_URL = new URL('../../../src/node/client/segment-worker.ts', import.meta.url)

describe('transfer', function () {
  this.timeout(60_000)
  const random = suiteRandom()
  const workers: SegmentWorkers = new WorkerPool({ url: WORKER_URL })
  after(() => workers.close())

  let client: ClientContext
  let keys: SigningKey[]
  let nets: MemoryNet[]
  /** Pieces received, and how many are under way. */
  let stored: number
  let open: number
  let openMost: number
  beforeEach(() => {
    const network = new MemoryNetwork()
    keys = Array.from({ length: PROFILE.n }, () => signingKeyFromSeed(random.bytes(32)))
    nets = keys.map(key => network.join(key))
    ;[stored, open, openMost] = [0, 0, 0]
    const net = network.join(signingKeyFromSeed(random.bytes(32)))
    const clock = { nowMs: () => 0 }
    const parts = { net, clock, workers, random, network: { genesisHash: GENESIS } }
    const quality = new QualityBook(clock)
    const memory = new SharedMemory()
    // of all that a client has, a transfer uses this
    client = { ...parts, quality, memory, logger: silentLogger } as unknown as ClientContext
  })

  /** Takes whole pieces and signs for those that hash to their root. */
  function serve(index: number): void {
    nets[index]!.handle(PIECE_PUT_PROTOCOL, async (channel, signal) => {
      openMost = Math.max(openMost, ++open)
      try {
        const header = await messages.expectMessage(channel, messages.putHeader, { signal })
        await messages.sendMessage(channel, { ok: true })
        const committer = createCommitter()
        for (let left = header.bytes; left > 0; ) {
          const chunk = await channel.readSome(left, { signal })
          assert.ok(chunk !== undefined)
          committer.update(chunk)
          left -= chunk.length
        }
        const { root } = await messages.expectMessage(channel, messages.putTrailer, { signal })
        assert.deepEqual(committer.finish().root, root)
        const receipt = { genesisHash: GENESIS, ...header, root, heldUntilHeight: 1n }
        stored++
        await messages.sendMessage(channel, signReceipt(receipt, keys[index]!))
      } finally {
        open--
      }
    })
  }

  function placement(): Placement {
    const holders = nets.map(({ peerId, peerKey }): Holder => {
      return { peerId, peerKey, account: peerKey, deal: new Uint8Array(32) }
    })
    const chosen = { holder: (i: number) => holders[i]!, replace: async () => false }
    return chosen as unknown as Placement
  }

  /** The loop of a put. */
  async function store(source: AsyncIterable<Uint8Array>): Promise<UploadedSegment[]> {
    const transfer = new Transfer(client, placement(), { signal: new AbortController().signal })
    const { signal } = transfer
    try {
      const request = { source, profile: PROFILE, pathKey: random.bytes(32), signal }
      for await (const segment of encodeSegments(client, request)) transfer.add(segment)
      return await transfer.finish()
    } catch (error) {
      await transfer.cancel(error)
      throw error
    }
  }

  async function* segments(count: number, end?: Promise<never>): AsyncGenerator<Uint8Array> {
    const chunk = random.bytes(SEGMENT_BYTES_DEFAULT / 4)
    for (let i = 0; i < 4 * count; i++) yield chunk
    await end
  }

  it('stores every segment, in order, a few at a time', async () => {
    for (const index of keys.keys()) serve(index)
    const uploaded = await store(segments(5))
    assert.deepEqual(
      uploaded.map(({ layout }) => layout.plainBytes),
      new Array(5).fill(SEGMENT_BYTES_DEFAULT)
    )
    assert.equal(stored, 5 * PROFILE.n)
    assert.ok(openMost <= 3 * PROFILE.n, `${openMost} pieces under way`)
    for (const [number, { holders }] of uploaded.entries()) {
      const first = nets[number % PROFILE.n]!
      assert.equal(holders[0]!.peerId, first.peerId, 'piece 0 goes to another one each time')
    }
  })

  it('ends with the first failure, though the source never goes on', async () => {
    for (const index of [0, 1]) serve(index)
    const silent = new Promise<never>(() => {})
    await assert.rejects(store(segments(2, silent)), error => {
      assert.ok(HoldfastError.is(error, 'PUT_INCOMPLETE'), String(error))
      assert.match(error.message, /^1 of 3 pieces of segment [01] could not be stored/)
      return true
    })
  })

  it('ends with the error of the source', async () => {
    for (const index of keys.keys()) serve(index)
    const broken = Promise.reject<never>(new HoldfastError('SOURCE_CHANGED', 'it changed'))
    broken.catch(() => {})
    await assert.rejects(store(segments(2, broken)), error =>
      HoldfastError.is(error, 'SOURCE_CHANGED')
    )
    await until('no upload is left', () => open === 0)
  })
})
