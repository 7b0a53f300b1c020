/**
 * How a replica without a block begins far behind its network: a light client finds the newest header that a snapshot
 * builds on and has witnesses confirm it, the snapshot is fetched from several peers and restored, and the blocks above
 * follow as always. Where that cannot be, the log says why, and all blocks are executed from the first on.
 */
import { equal } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { Clock, Logger } from '../../base/ports.ts'
import {
  type Checkpoint,
  createLightClient,
  type LedgerDb,
  type Replica,
  SnapshotRestore,
  type Trusted,
  trustGenesis
} from '../../ledger/index.ts'
import type { Net } from '../net/types.ts'
import { findLightPeers, trustFromPeers } from './light-peers.ts'
import { type LightPeer, lightPeer } from './light-source.ts'
import { updateByPeers } from './light-update.ts'
import { fetchSnapshot, offersOf, type SnapshotOffer } from './snapshot-fetch.ts'

/** Besides the peer that gives the headers. */
export const WITNESSES_MIN = 2
const FIRST_PEER_MS_DEFAULT = 5_000
const PEERS_MS_DEFAULT = 15_000
/** Newest ones that are tried, should some not be true. */
const OFFERS_MAX = 4
/** Asked how far the network is. */
const HEADS_MAX = 3

export interface StateSyncInit {
  net: Net
  /** Open, at height 0, and taking no blocks until `run` has ended. */
  replica: Replica
  /** Of the replica. */
  db: LedgerDb
  clock: Clock
  logger: Logger
  /** A replica that is no further behind executes all blocks. */
  behindHeights: number
  /** Without a peer by then, the node begins without one. @default 5 seconds */
  firstPeerMs?: number
  /** How long the witnesses may be looked for. @default 15 seconds */
  peersMs?: number
  /** What to trust instead of the genesis. */
  checkpoint?: Checkpoint
}

/** How far it is; of the snapshot that is being fetched. */
export interface StateSyncProgress {
  height: number
  chunks: number
  chunksTotal: number
}

export class StateSync {
  readonly #init: StateSyncInit
  readonly #log: Logger
  #progress: StateSyncProgress | undefined

  constructor(init: StateSyncInit) {
    this.#init = init
    this.#log = init.logger
  }

  /** Undefined when no snapshot is being fetched. */
  get progress(): StateSyncProgress | undefined {
    return this.#progress
  }

  /**
   * True when the replica stands on a snapshot now; false when it has to execute all blocks.
   * @throws HoldfastError ABORTED, LEDGER_FORK
   */
  async run(signal: AbortSignal): Promise<boolean> {
    try {
      if (!(await this.#isFarBehind(signal))) return false
      return await this.#sync(signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!HoldfastError.is(error) || error.code === 'LEDGER_FORK') throw error
      const { code, message: reason } = error
      this.#log.warn('state-sync.failed', { code, reason, instead: 'all blocks are executed' })
      return false
    } finally {
      this.#progress = undefined
    }
  }

  /** As the first peers claim: who lies makes us execute blocks, or look for a snapshot that is not there. */
  async #isFarBehind(signal: AbortSignal): Promise<boolean> {
    const { net, behindHeights, firstPeerMs: timeoutMs = FIRST_PEER_MS_DEFAULT } = this.#init
    const found = await findLightPeers({ net, wanted: 1, timeoutMs, signal })
    const heads = await Promise.all(
      found.slice(0, HEADS_MAX).map(async id => {
        const newest = lightPeer(net, id).lightBlock('newest', signal)
        return await newest.then(
          ({ header }) => header.height,
          () => 0n
        )
      })
    )
    return heads.some(height => height > behindHeights)
  }

  async #sync(signal: AbortSignal): Promise<boolean> {
    const { net, replica, peersMs: timeoutMs = PEERS_MS_DEFAULT } = this.#init
    const wanted = WITNESSES_MIN + 1
    const ids = await findLightPeers({ net, wanted, timeoutMs, signal })
    if (ids.length < wanted) {
      throw new HoldfastError(
        'TOO_FEW_WITNESSES',
        `${ids.length} peers were found, a header needs ${wanted} that have it`
      )
    }
    const peers = ids.map(id => lightPeer(net, id))
    const start = await this.#startOfTrust(peers, signal)
    const offers = (await offersOf(net, ids, signal)).filter(
      ({ height }) => BigInt(height) >= start.height && height > 0
    )
    if (offers.length === 0) throw new HoldfastError('NOT_FOUND', 'no peer has a snapshot')
    for (const offer of offers.slice(0, OFFERS_MAX)) {
      try {
        await this.#restore(offer, start, peers, signal)
        this.#log.info('state-sync.done', { height: offer.height })
        return true
      } catch (error) {
        signal.throwIfAborted()
        if (HoldfastError.is(error, 'LEDGER_FORK')) throw error
        const { height, peers: by } = offer
        this.#log.warn('state-sync.offer', { height, peers: by, reason: messageOf(error) })
      }
    }
    await replica.reopen() // what was restored in part is thrown away
    throw new HoldfastError('SNAPSHOT_INVALID', 'no snapshot could be restored')
  }

  async #startOfTrust(peers: readonly LightPeer[], signal: AbortSignal): Promise<Trusted> {
    const { replica, checkpoint } = this.#init
    if (checkpoint === undefined) return trustGenesis(replica.genesis)
    return await trustFromPeers(replica.network, checkpoint, peers, signal)
  }

  async #restore(
    offer: SnapshotOffer,
    start: Trusted,
    peers: readonly LightPeer[],
    signal: AbortSignal
  ): Promise<void> {
    const { net, db, replica } = this.#init
    const height = BigInt(offer.height)
    const above = await this.#headerAbove(height, start, peers, signal)
    if (!equal(above.block!.header.appHash, offer.appHash)) {
      throw new HoldfastError('SNAPSHOT_INVALID', 'the snapshot is not of the state in the header')
    }
    const restore = new SnapshotRestore(db)
    try {
      await begin(restore, above, peers, signal)
      this.#log.info('state-sync.started', { ...progressOf(offer, 0), bytes: offer.bytes })
      await fetchSnapshot({
        ...{ net, offer, restore, logger: this.#log, signal },
        onProgress: ({ chunks }) => {
          this.#progress = progressOf(offer, chunks)
          this.#log.info('state-sync.progress', { ...this.#progress })
        }
      })
      await restore.finish()
    } finally {
      await restore.close()
    }
    await replica.reopen()
  }

  /** The header that carries the state hash of the snapshot, confirmed by witnesses. */
  async #headerAbove(
    height: bigint,
    start: Trusted,
    peers: readonly LightPeer[],
    signal: AbortSignal
  ): Promise<Trusted> {
    const nowMs = BigInt(this.#init.clock.nowMs())
    const client = createLightClient({ trusted: start, witnessesMin: WITNESSES_MIN })
    const heightOf = async (): Promise<bigint> => height + 1n
    const { faulty } = await updateByPeers({ client, peers, heightOf, nowMs, signal })
    for (const { id, reason } of faulty) this.#log.warn('state-sync.peer', { peer: id, reason })
    return client.trusted
  }
}

function progressOf(offer: SnapshotOffer, chunks: number): StateSyncProgress {
  return { height: offer.height, chunks, chunksTotal: offer.chunks }
}

/** With the block of the snapshot from whoever has it, which is checked to be the one below the header. */
async function begin(
  restore: SnapshotRestore,
  above: Trusted,
  peers: readonly LightPeer[],
  signal: AbortSignal
): Promise<void> {
  const height = above.height - 1n
  for (const peer of peers) {
    try {
      await restore.begin({ above, block: await peer.lightBlock(height, signal) })
      return
    } catch (error) {
      signal.throwIfAborted()
      if (!HoldfastError.is(error)) throw error
    }
  }
  throw new HoldfastError('NOT_FOUND', `no peer has the block of height ${height}`)
}
