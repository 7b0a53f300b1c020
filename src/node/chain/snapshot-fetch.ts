/**
 * Gets a snapshot from several peers at once. A chunk is right or wrong by itself: whoever sent a wrong one is named
 * and not asked again; whoever fails to send is asked again a few times.
 */
import { toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/ports.ts'
import type { RestoreProgress, SnapshotRestore } from '../../ledger/index.ts'
import { SNAPSHOT_PROTOCOL } from '../net/protocols.ts'
import { request } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import { parseMessage } from '../wire/schema.ts'
import { pause } from './pause.ts'
import {
  CHUNK_ANSWER_BYTES_MAX,
  chunkAnswer,
  LIST_BYTES_MAX,
  type ListedSnapshot,
  listAnswer
} from './snapshot-messages.ts'

const LIST_TIMEOUT_MS = 10_000
const CHUNK_TIMEOUT_MS = 30_000
/** Chunks asked for at once: bounds memory. */
const AHEAD_MAX = 4
/** Failures of a peer without a chunk between them. */
const FAILURES_MAX = 4
const RETRY_MS = 500

/** A snapshot that some peers say they have. */
export interface SnapshotOffer extends ListedSnapshot {
  peers: string[]
}

/** What the peers offer, newest first; among equals what more peers have. */
export async function offersOf(
  net: Net,
  peers: readonly string[],
  signal: AbortSignal
): Promise<SnapshotOffer[]> {
  const lists = await Promise.allSettled(peers.map(peer => listOf(net, peer, signal)))
  const offers = new Map<string, SnapshotOffer>()
  for (const [i, list] of lists.entries()) {
    for (const snapshot of list.status === 'fulfilled' ? list.value : []) {
      const name = `${snapshot.height} ${toHex(snapshot.appHash)} ${snapshot.chunks}`
      const offer = offers.get(name) ?? { ...snapshot, peers: [] }
      if (!offer.peers.includes(peers[i]!)) offer.peers.push(peers[i]!)
      offers.set(name, offer)
    }
  }
  return [...offers.values()].sort((a, b) => b.height - a.height || b.peers.length - a.peers.length)
}

async function listOf(net: Net, peer: string, signal: AbortSignal): Promise<ListedSnapshot[]> {
  const options = { responseBytesMax: LIST_BYTES_MAX, timeoutMs: LIST_TIMEOUT_MS, signal }
  const answer = await request(net, peer, SNAPSHOT_PROTOCOL, { op: 'list' }, options)
  return parseMessage(listAnswer, answer).snapshots
}

export interface SnapshotFetchInit {
  net: Net
  offer: SnapshotOffer
  /** Begun for the height of the offer. */
  restore: SnapshotRestore
  onProgress: (progress: RestoreProgress) => void
  logger: Logger
  signal: AbortSignal
}

interface Sent {
  peer: string
  bytes: Uint8Array
}

/** @throws HoldfastError UNREACHABLE when no peer is left, SNAPSHOT_INVALID when the offer was not true, ABORTED */
export async function fetchSnapshot(init: SnapshotFetchInit): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([init.signal, over.signal])
  try {
    await new SnapshotFetch({ ...init, signal }).run()
  } finally {
    over.abort(new HoldfastError('ABORTED', 'the snapshot is no longer fetched'))
  }
}

class SnapshotFetch {
  readonly #init: SnapshotFetchInit
  /** Failures in a row by peer; those who are gone are not asked. */
  readonly #failures: Map<string, number>
  readonly #asking = new Map<string, number>()
  readonly #ahead = new Map<number, Promise<Sent>>()

  constructor(init: SnapshotFetchInit) {
    this.#init = init
    this.#failures = new Map(init.offer.peers.map(peer => [peer, 0]))
  }

  async run(): Promise<void> {
    const { offer, onProgress } = this.#init
    for (let index = 0; index < offer.chunks; index++) {
      for (let i = index; i < Math.min(index + AHEAD_MAX, offer.chunks); i++) this.#start(i)
      const progress = await this.#add(index)
      onProgress(progress)
      if (progress.complete) return
    }
    throw new HoldfastError('SNAPSHOT_INVALID', 'the snapshot is longer than it was said to be')
  }

  #start(index: number): void {
    if (this.#ahead.has(index)) return
    const sent = this.#fetch(index)
    sent.catch(() => {}) // looked at when its turn comes
    this.#ahead.set(index, sent)
  }

  /** Adds the chunk; asks others as long as it is wrong. */
  async #add(index: number): Promise<RestoreProgress> {
    const { restore, logger } = this.#init
    for (;;) {
      const { peer, bytes } = await this.#ahead.get(index)!
      this.#ahead.delete(index)
      try {
        return await restore.addChunk(bytes)
      } catch (error) {
        if (!HoldfastError.is(error, 'SNAPSHOT_INVALID')) throw error
        logger.warn('state-sync.wrong-chunk', { peer, index, reason: messageOf(error) })
        this.#failures.delete(peer)
        this.#start(index)
      }
    }
  }

  async #fetch(index: number): Promise<Sent> {
    const { logger, signal } = this.#init
    for (;;) {
      const peer = this.#pick()
      this.#asking.set(peer, (this.#asking.get(peer) ?? 0) + 1)
      try {
        const bytes = await this.#chunk(peer, index)
        if (this.#failures.has(peer)) this.#failures.set(peer, 0)
        return { peer, bytes }
      } catch (error) {
        signal.throwIfAborted()
        logger.info('state-sync.no-chunk', { peer, index, reason: messageOf(error) })
        this.#failed(peer)
        await pause(RETRY_MS, signal)
      } finally {
        this.#asking.set(peer, this.#asking.get(peer)! - 1)
      }
    }
  }

  #failed(peer: string): void {
    const failures = (this.#failures.get(peer) ?? FAILURES_MAX) + 1
    if (failures >= FAILURES_MAX) this.#failures.delete(peer)
    else this.#failures.set(peer, failures)
  }

  /** Who failed least, and is asked for least now. */
  #pick(): string {
    const load = (peer: string): number =>
      (this.#failures.get(peer) ?? 0) * AHEAD_MAX + (this.#asking.get(peer) ?? 0)
    const [best] = [...this.#failures.keys()].sort((a, b) => load(a) - load(b))
    if (best !== undefined) return best
    throw new HoldfastError('UNREACHABLE', 'no peer is left that has the snapshot')
  }

  async #chunk(peer: string, index: number): Promise<Uint8Array> {
    const { net, offer, signal } = this.#init
    const body = { op: 'chunk', height: offer.height, index }
    const answer = await request(net, peer, SNAPSHOT_PROTOCOL, body, {
      responseBytesMax: CHUNK_ANSWER_BYTES_MAX,
      timeoutMs: CHUNK_TIMEOUT_MS,
      signal
    })
    return parseMessage(chunkAnswer, answer).chunk
  }
}
