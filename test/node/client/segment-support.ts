/** A segment whose pieces lie on providers of the network in memory. */

import { signingKeyFromSeed } from '../../../src/base/keys.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { PieceSource } from '../../../src/node/client/piece-source.ts'
import { readParts, type SegmentPart } from '../../../src/node/client/segment-reader.ts'
import type { SegmentWorkers } from '../../../src/node/client/segment-tasks.ts'
import { SharedMemory } from '../../../src/node/client/shared-memory.ts'
import { PIECE_GET_PROTOCOL } from '../../../src/node/net/protocols.ts'
import type { ChannelHandler } from '../../../src/node/net/types.ts'
import { servePieces } from '../../../src/node/provider/serve.ts'
import { WorkerPool } from '../../../src/node/workers/pool.ts'
import {
  arenaBytes,
  createErasureCode,
  createMemoryPieceStore,
  createSegmentEncoder,
  type ErasureCode,
  type Profile,
  piecesIn,
  type SegmentLayout,
  segmentLayout
} from '../../../src/storage/index.ts'
import type { SeededRandom } from '../../storage/random.ts'
import { type MemoryNet, MemoryNetwork } from '../memory-net.ts'
import { type HeldPiece, held } from './hostile.ts'

const WORKER_URL = new URL('../../../src/node/client/segment-worker.ts', import.meta.url)

export interface TestSegment {
  layout: SegmentLayout
  code: ErasureCode
  key: Uint8Array
  plain: Uint8Array
  pieces: HeldPiece[]
}

export async function segmentOf(
  random: SeededRandom,
  profile: Profile,
  plainBytes: number
): Promise<TestSegment> {
  const layout = segmentLayout(profile, plainBytes)
  const code = await createErasureCode(profile)
  const [key, plain] = [random.bytes(32), random.bytes(plainBytes)]
  const arena = piecesIn(new Uint8Array(arenaBytes(layout)), layout)
  const encoder = createSegmentEncoder({ layout, code, key, plain, pieces: arena })
  for (let stripe = 0; stripe < layout.stripes; stripe++) encoder.encodeStripe(stripe)
  const pieces = arena.map(held)
  return { layout, code, key, plain, pieces }
}

export interface Failure {
  peerId: string
  reason: string
}

/** A reader and one provider per piece. */
export class PieceNetwork {
  readonly reader: MemoryNet
  readonly providers: MemoryNet[]
  readonly failures: Failure[] = []
  readonly lagging: string[] = []
  readonly memory: SharedMemory = new SharedMemory()
  readonly abort: AbortController = new AbortController()
  readonly #pieces: readonly HeldPiece[]

  constructor(random: SeededRandom, pieces: readonly HeldPiece[]) {
    const network = new MemoryNetwork()
    const join = (): MemoryNet => network.join(signingKeyFromSeed(random.bytes(32)))
    this.reader = join()
    this.providers = pieces.map(join)
    this.#pieces = pieces
  }

  /** The real server over a store that holds the piece. */
  async honest(index: number): Promise<void> {
    const { bytes, root, groupCvs } = this.#pieces[index]!
    const store = createMemoryPieceStore({ quotaBytes: bytes.length })
    await store.open()
    const staged = await store.stage(bytes.length)
    await staged.write(bytes)
    await staged.commit(root, groupCvs)
    const net = this.providers[index]!
    servePieces({ net, store, logger: silentLogger, onDamage: () => {} })
  }

  hostile(index: number, handler: ChannelHandler): void {
    this.providers[index]!.handle(PIECE_GET_PROTOCOL, handler)
  }

  /** One source per piece, by index. */
  sources(): PieceSource[] {
    return this.#pieces.map(({ root, bytes }, index) => {
      return new PieceSource({
        net: this.reader,
        locate: async () => {},
        peerId: this.providers[index]!.peerId,
        root,
        pieceBytes: bytes.length,
        memory: this.memory,
        signal: this.abort.signal,
        onFailure: (peerId, reason) => this.failures.push({ peerId, reason }),
        onLag: peerId => this.lagging.push(peerId)
      })
    })
  }

  /**
   * Plaintext of whole segments; the pieces of the n-th are those from n * first.layout.n on.
   * Workers are real threads.
   */
  async *read(segments: readonly TestSegment[]): AsyncGenerator<Uint8Array> {
    const sources = this.sources()
    const parts = segments.map(({ layout, key, plain }, at): SegmentPart => {
      const openSources = (): PieceSource[] => sources.slice(at * layout.n, (at + 1) * layout.n)
      return { layout, key, first: 0, last: plain.length - 1, openSources }
    })
    const workers: SegmentWorkers = new WorkerPool({ url: WORKER_URL })
    const { memory, abort } = this
    try {
      yield* readParts(parts, { workers, memory, doubts: this.doubts, signal: abort.signal })
    } finally {
      await workers.close()
    }
  }

  readonly doubts = (peerId: string): number =>
    [...this.failures.map(failure => failure.peerId), ...this.lagging].filter(id => id === peerId)
      .length

  /** Indexes of the providers that were named, ascending. */
  named(): number[] {
    const index = ({ peerId }: Failure): number =>
      this.providers.findIndex(provider => provider.peerId === peerId)
    return [...new Set(this.failures.map(index))].sort((a, b) => a - b)
  }
}
