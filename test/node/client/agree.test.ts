/**
 * Providers that die between their receipts and the revision: spares take the same pieces, as long as there are spares,
 * and k providers from which the bytes can be read back.
 */
import assert from 'node:assert/strict'
import { equal, toHex } from '../../../src/base/bytes.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { type SigningKey, signingKeyFromSeed } from '../../../src/base/keys.ts'
import { SEGMENT_BYTES_DEFAULT } from '../../../src/base/limits.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { agreeOnPieces } from '../../../src/node/client/agree.ts'
import type { ClientContext } from '../../../src/node/client/context.ts'
import { encodeSegments } from '../../../src/node/client/encode.ts'
import type { Holder, Placement } from '../../../src/node/client/placement.ts'
import { QualityBook } from '../../../src/node/client/quality.ts'
import type { SegmentWorkers } from '../../../src/node/client/segment-tasks.ts'
import { SharedMemory } from '../../../src/node/client/shared-memory.ts'
import { Transfer, type UploadedSegment } from '../../../src/node/client/transfer.ts'
import type { PieceEntry } from '../../../src/node/deals/types.ts'
import type { Agreements } from '../../../src/node/provider/agreements.ts'
import type { Leases } from '../../../src/node/provider/leases.ts'
import { serveUploads } from '../../../src/node/provider/receive.ts'
import { servePieces } from '../../../src/node/provider/serve.ts'
import { WorkerPool } from '../../../src/node/workers/pool.ts'
import { createMemoryPieceStore, type PieceStore } from '../../../src/storage/index.ts'
import { suiteRandom } from '../../storage/random.ts'
import { type MemoryNet, MemoryNetwork } from '../memory-net.ts'
import { rejectsWith } from '../net/support.ts'

const PROFILE = { k: 2, n: 4 }
const GENESIS = new Uint8Array(32).fill(7)
const WORKER_URL = new URL('../../../src/node/client/segment-worker.ts', import.meta.url)

interface Provider {
  net: MemoryNet
  store: PieceStore
  holder: Holder
}

describe('agreeing on pieces', function () {
  this.timeout(60_000)
  const random = suiteRandom()
  const workers: SegmentWorkers = new WorkerPool({ url: WORKER_URL })
  after(() => workers.close())

  let network: MemoryNetwork
  let client: ClientContext
  let providers: Provider[]
  let spares: Provider[]
  /** Deal in hex -> roots in hex that a revision gave it. */
  let agreed: Map<string, Set<string>>
  /** Of the intent written last. */
  let intent: { deal: Uint8Array; root: Uint8Array }[]

  beforeEach(async () => {
    network = new MemoryNetwork()
    providers = await Promise.all(Array.from({ length: PROFILE.n }, makeProvider))
    spares = await Promise.all(Array.from({ length: 2 }, makeProvider))
    agreed = new Map()
    const clock = { nowMs: () => 0 }
    client = {
      ...{ net: network.join(key()), clock, workers, random, logger: silentLogger },
      network: { genesisHash: GENESIS },
      quality: new QualityBook(clock),
      memory: new SharedMemory(),
      orderBook: { locate: async () => {} },
      deals: { addPieces },
      releaser: {
        begin: async (_: string, { pieces }: { pieces: typeof intent }) => {
          intent = pieces
        }
      }
      // of all that a client has, the end of a put uses this
    } as unknown as ClientContext
  })

  function key(): SigningKey {
    return signingKeyFromSeed(random.bytes(32))
  }

  /** The real receiver and server, over deals that are always open. */
  async function makeProvider(): Promise<Provider> {
    const nodeKey = key()
    const net = network.join(nodeKey)
    const store = createMemoryPieceStore({ quotaBytes: 4 * SEGMENT_BYTES_DEFAULT })
    await store.open()
    const leases = { hold: async () => 1n } as unknown as Leases
    const agreements = { assertTakes: () => {}, leaseFor: async () => 1 } as unknown as Agreements
    const logger = silentLogger
    serveUploads({ net, store, leases, agreements, nodeKey, genesisHash: GENESIS, logger })
    servePieces({ net, store, logger, onDamage: () => {} })
    const { peerId, peerKey } = net
    return { net, store, holder: { peerId, peerKey, account: peerKey, deal: sha256(peerKey) } }
  }

  const of = ({ deal }: Holder): Provider =>
    [...providers, ...spares].find(({ holder }) => equal(holder.deal, deal))!

  /** As the client's deals: those who are gone sign nothing, the others what they hold. */
  async function addPieces(byDeal: Map<string, PieceEntry[]>): Promise<Map<string, string>> {
    const failed = new Map<string, string>()
    for (const [deal, pieces] of byDeal) {
      const provider = [...providers, ...spares].find(({ holder }) => toHex(holder.deal) === deal)!
      if (!provider.net.online) failed.set(deal, 'the provider is gone')
      const roots = agreed.get(deal) ?? new Set()
      for (const { root, bytes } of provider.net.online ? pieces : []) {
        assert.equal((await provider.store.stat(root))?.bytes, bytes)
        roots.add(toHex(root))
      }
      agreed.set(deal, roots)
    }
    return failed
  }

  function placement(left: Provider[]): Placement {
    const holders = providers.map(({ holder }) => holder)
    const chosen = {
      holder: (i: number) => holders[i]!,
      replace: async (i: number, gone: Holder) => {
        if (holders[i] !== gone) return true
        const spare = left.shift()
        if (spare !== undefined) holders[i] = spare.holder
        return spare !== undefined
      }
    }
    return chosen as unknown as Placement
  }

  /** Uploads, lets `die` happen, and agrees. */
  async function store(
    plain: readonly Uint8Array[],
    left: Provider[],
    die: () => Promise<void>
  ): Promise<UploadedSegment[]> {
    const { signal } = new AbortController()
    const transfer = new Transfer(client, placement(left), { signal })
    const pathKey = random.bytes(32)
    const source = (async function* () {
      yield* plain
    })()
    for await (const segment of encodeSegments(client, {
      ...{ source, profile: PROFILE, pathKey, signal }
    })) {
      transfer.add(segment)
    }
    const uploaded = await transfer.finish()
    await die()
    return await agreeOnPieces(client, uploaded, { transfer, pathKey, intentId: 'i', signal })
  }

  async function assertHeld(segments: readonly UploadedSegment[]): Promise<void> {
    for (const { commitments, holders } of segments) {
      assert.equal(new Set(holders.map(({ peerId }) => peerId)).size, PROFILE.n)
      for (const [index, { root, groupCvs }] of commitments.entries()) {
        const { net, store: held } = of(holders[index]!)
        assert.ok(net.online)
        assert.deepEqual(await held.groupCvs(root), groupCvs)
        assert.ok(agreed.get(toHex(holders[index]!.deal))!.has(toHex(root)))
        const named = intent.some(piece => {
          return equal(piece.root, root) && equal(piece.deal, holders[index]!.deal)
        })
        assert.ok(named, 'the intent names who holds it')
      }
    }
  }

  it('replaces a provider that died since its receipts, in every segment', async () => {
    const plain = [random.bytes(SEGMENT_BYTES_DEFAULT), random.bytes(300_000)]
    const segments = await store(plain, [...spares], () => providers[1]!.net.stop())
    assert.equal(segments.length, 2)
    await assertHeld(segments)
    assert.equal(spares[1]!.store.usage().pieces, 0, 'one spare is enough')
  })

  it('replaces a spare that dies too', async () => {
    const die = async (): Promise<void> => {
      await providers[0]!.net.stop()
      const first = spares[0]!
      const { stage } = first.store
      // dies as it gets its second piece
      first.store.stage = async bytes => {
        if (first.store.usage().pieces > 0) await first.net.stop()
        return stage.call(first.store, bytes)
      }
    }
    const plain = [random.bytes(SEGMENT_BYTES_DEFAULT), random.bytes(300_000)]
    await assertHeld(await store(plain, [...spares], die))
  })

  it('replaces as many as the code can lose', async () => {
    const die = async (): Promise<void> => {
      for (const { net } of providers.slice(2)) await net.stop()
    }
    await assertHeld(await store([random.bytes(100_000)], [...spares], die))
  })

  it('says who did not agree when no spare is left, or too few are there to read from', async () => {
    const one = (): Promise<void> => providers[3]!.net.stop()
    const alone = await rejectsWith('PUT_INCOMPLETE', store([random.bytes(1000)], [], one))
    const { deal } = providers[3]!.holder
    assert.deepEqual(alone.details, {
      failed: [{ deal: toHex(deal), reason: 'the provider is gone' }]
    })
    const three = async (): Promise<void> => {
      for (const { net } of providers.slice(0, 3)) await net.stop()
    }
    await rejectsWith('PUT_INCOMPLETE', store([random.bytes(1000)], [...spares], three))
  })
})
