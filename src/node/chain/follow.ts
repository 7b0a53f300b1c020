/**
 * How replicas follow the ledger: a follower names the height it wants next, the server streams final blocks with their
 * certificates from there on, for as long as both live. Every replica serves, so no validator is a bottleneck; every
 * follower verifies, so no server is trusted. An empty frame says "still here".
 *
 *   follower: {from} · server: block, block, …
 */
import { z } from 'zod'
import { decodeDocument, encodeDocument } from '../../base/codec.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import {
  decodeFinalized,
  encodeFinalized,
  FINALIZED_BYTES_MAX,
  type FinalizedBlock,
  type Replica
} from '../../ledger/index.ts'
import { FOLLOW_PROTOCOL } from '../net/protocols.ts'
import type { Channel, ConnectedPeer, Net } from '../net/types.ts'
import { count, parseMessage } from '../wire/schema.ts'
import { pause } from './pause.ts'
import { isValidator } from './validators.ts'
import { waitForBlock } from './wait-for-block.ts'

const REQUEST_BYTES_MAX = 64
const KEEPALIVE_MS = 5_000
/** Three keepalives missed: the server is gone. */
const SILENCE_MS = 15_000
const RETRY_MS = 500
/** Block intervals without a block before another source is tried. */
const QUIET_BLOCKS_MAX = 8
const FOLLOWERS_MAX = 256

const followRequest = z.strictObject({ from: count(1, Number.MAX_SAFE_INTEGER) })

export interface FollowComponents {
  net: Net
  replica: Replica
  logger: Logger
}

/** Serves the blocks of our replica. */
export function serveFollowers({ net, replica, logger }: FollowComponents): void {
  let followers = 0
  net.handle(FOLLOW_PROTOCOL, async (channel, signal) => {
    if (followers >= FOLLOWERS_MAX) throw new HoldfastError('REMOTE_REFUSED', 'too many followers')
    followers++
    try {
      const frame = await channel.readFrame(REQUEST_BYTES_MAX, { signal })
      if (frame === undefined) return
      const { from } = parseMessage(followRequest, decodeDocument(frame, REQUEST_BYTES_MAX))
      await streamBlocks(replica, channel, BigInt(from), signal)
    } catch (error) {
      logger.debug('follow.served', { peer: channel.remote.peerId, reason: messageOf(error) })
      throw error
    } finally {
      followers--
    }
  })
}

async function streamBlocks(
  replica: Replica,
  channel: Channel,
  from: bigint,
  signal: AbortSignal
): Promise<void> {
  for (let next = from; !signal.aborted; ) {
    const block = replica.block(next)
    const cert = replica.certificate(next)
    if (block !== undefined && cert !== undefined) {
      await channel.writeFrame(encodeFinalized({ block, cert }), { signal })
      next++
    } else if (next <= replica.height) {
      throw new HoldfastError('NOT_FOUND', `blocks below ${replica.earliestHeight} are not here`)
    } else {
      const arrived = await waitForBlock(replica, next, KEEPALIVE_MS, signal)
      if (!arrived) await channel.writeFrame(new Uint8Array(0), { signal })
    }
  }
}

/** Keeps our replica at the head by following one peer at a time. */
export class Follower implements Startable {
  readonly #components: FollowComponents
  readonly #leader: (peer: ConnectedPeer) => boolean
  readonly #stop = new AbortController()
  /** Peers that failed us, and when they may be tried again (by attempt count). */
  readonly #failedAt = new Map<string, number>()
  #attempts = 0
  #running: Promise<void> = Promise.resolve()

  /** @param leader whom to follow; @default anyone connected */
  constructor(components: FollowComponents, leader: (peer: ConnectedPeer) => boolean = () => true) {
    this.#components = components
    this.#leader = leader
  }

  async start(): Promise<void> {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const peer = this.#pick()
      if (peer === undefined) {
        await pause(RETRY_MS, signal)
        continue
      }
      try {
        await this.#follow(peer, signal)
        this.#failedAt.set(peer.peerId, ++this.#attempts)
      } catch (error) {
        if (signal.aborted) return
        this.#failedAt.set(peer.peerId, ++this.#attempts)
        this.#components.logger.info('follow.lost', { peer: peer.peerId, reason: messageOf(error) })
        if (HoldfastError.is(error, 'REPLICA_DIVERGED')) {
          this.#components.logger.error('replica.diverged', { reason: messageOf(error) })
          return
        }
        await pause(RETRY_MS, signal)
      }
    }
  }

  /** Validators before others, the one that failed last after all; among equals the one that failed longest ago. */
  #pick(): ConnectedPeer | undefined {
    const failedAt = ({ peerId }: ConnectedPeer): number => this.#failedAt.get(peerId) ?? 0
    const rank = (peer: ConnectedPeer): number => {
      if (this.#attempts > 0 && failedAt(peer) === this.#attempts) return 2
      return isValidator(peer) ? 0 : 1
    }
    return this.#components.net
      .connected()
      .filter(this.#leader)
      .sort((a, b) => rank(a) - rank(b) || failedAt(a) - failedAt(b))[0]
  }

  /**
   * Whether to look for another source when this one has been quiet for so many keepalives: two replicas that follow
   * each other would wait for ever.
   */
  #isLeft(peer: ConnectedPeer, quiet: number): boolean {
    if (quiet * KEEPALIVE_MS > QUIET_BLOCKS_MAX * this.#components.replica.params.blockIntervalMs) {
      return true
    }
    return !isValidator(peer) && this.#components.net.connected().some(isValidator)
  }

  /** Resolves when another source should be tried. */
  async #follow(peer: ConnectedPeer, signal: AbortSignal): Promise<void> {
    const { net, replica } = this.#components
    const channel = await net.open(peer.peerId, FOLLOW_PROTOCOL, { signal })
    let quiet = 0
    try {
      const from = Number(replica.head().height + 1n)
      await channel.writeFrame(encodeDocument({ from }), { signal })
      for (;;) {
        const frame = await channel.readFrame(FINALIZED_BYTES_MAX, {
          signal,
          timeoutMs: SILENCE_MS
        })
        if (frame === undefined) throw new HoldfastError('UNREACHABLE', 'the peer ended the stream')
        if (frame.length === 0) {
          if (this.#isLeft(peer, ++quiet)) return
          continue
        }
        quiet = 0
        await applyOnce(replica, decodeFinalized(frame))
      }
    } finally {
      channel.abort(new HoldfastError('ABORTED', 'no longer followed'))
    }
  }
}

/** Another source, or the consensus of this node, may bring the same block before or meanwhile. */
async function applyOnce(replica: Replica, { block, cert }: FinalizedBlock): Promise<void> {
  const { height } = block.header
  if (height <= replica.height) return
  try {
    await replica.applyFinalized(block, cert)
  } catch (error) {
    if (height > replica.height) throw error
  }
}
