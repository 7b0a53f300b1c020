/**
 * Who plays which role. A topic ('provider') is a provider record in the DHT under the CID of
 * sha256("holdfast/<topic>/<networkId>"); connected peers count at once by the roles in their hello, so that a network
 * of a few nodes needs no DHT to settle first.
 */
import type { PeerInfo as Libp2pPeerInfo, PeerId } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create as createDigest } from 'multiformats/hashes/digest'
import { utf8 } from '../../base/bytes.ts'
import { messageOf } from '../../base/errors.ts'
import { sha256 } from '../../base/hash.ts'
import type { Logger } from '../../base/ports.ts'
import { textsOf } from './addresses.ts'
import {
  ADDRESSES_PER_PEER_MAX,
  ANNOUNCE_PERIOD_MS,
  ANNOUNCE_SPACING_MS_MAX,
  ANNOUNCE_SPACING_MS_MIN,
  ANNOUNCE_TIMEOUT_MS,
  FIND_TIMEOUT_MS
} from './limits.ts'
import type { PeerBook } from './peer-book.ts'
import type { Stack } from './stack.ts'
import type { PeerInfo, WaitOptions } from './types.ts'
import { abortErrorOf, deadline, Queue } from './wait.ts'

const SHA2_256_CODE = 0x12

/** Fields of the KadDHT class that its interface leaves out. */
interface DhtTables {
  routingTable: { size: number; addEventListener: (event: 'peer:add', heard: () => void) => void }
  providers: { getProviders(cid: CID): Promise<PeerId[]> }
}

export function topicCid(topic: string, networkId: string): CID {
  const digest = sha256(utf8(`holdfast/${topic}/${networkId}`))
  return CID.createV1(raw.code, createDigest(SHA2_256_CODE, digest))
}

export interface DirectoryInit {
  stack: Stack
  book: PeerBook
  networkId: string
  logger: Logger
  /** Ends announcements and searches. */
  signal: AbortSignal
}

export class Directory {
  readonly #init: DirectoryInit
  readonly #dht: KadDHT & DhtTables
  readonly #topics = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #running = false
  #announcedSize = 0
  #announcedAtMs = 0
  #spacingMs = ANNOUNCE_SPACING_MS_MIN

  constructor(init: DirectoryInit) {
    this.#init = init
    this.#dht = init.stack.services.dht as KadDHT & DhtTables
    this.#dht.routingTable.addEventListener('peer:add', () => this.#grown())
    init.signal.addEventListener('abort', () => clearTimeout(this.#timer))
  }

  announce(topic: string): void {
    this.#topics.add(topic)
    this.#announcedSize = 0
    this.#spacingMs = ANNOUNCE_SPACING_MS_MIN
    this.#grown()
  }

  /** Yields connected peers of the topic, those that connect meanwhile, and what the DHT answers until it is done. */
  async *find(topic: string, options: WaitOptions = {}): AsyncGenerator<PeerInfo> {
    const { book, networkId, stack } = this.#init
    const done = new AbortController()
    const signal = AbortSignal.any([
      deadline(options, FIND_TIMEOUT_MS),
      this.#init.signal,
      done.signal
    ])
    const found = new Queue<PeerInfo>()
    const seen = new Set([stack.peerId.toString()])
    const offer = (peer: PeerInfo): void => {
      if (seen.has(peer.peerId)) return
      seen.add(peer.peerId)
      found.push(peer)
    }
    const offerConnected = (): void => {
      for (const { peerId, addresses, roles } of book.connected()) {
        if (roles.includes(topic)) offer({ peerId, addresses })
      }
    }
    offerConnected()
    const forget = book.onPeer(offerConnected)
    void this.#lookUp(topicCid(topic, networkId), signal, offer).finally(() => found.end())
    try {
      yield* found
    } finally {
      forget()
      done.abort()
    }
    if (options.signal?.aborted === true) throw abortErrorOf(options.signal)
  }

  /**
   * Provider records, ours first. The DHT's own findProviders ends at 20; its response events carry all that a peer
   * knows, and our own store is read in full.
   */
  async #lookUp(cid: CID, signal: AbortSignal, offer: (peer: PeerInfo) => void): Promise<void> {
    const { logger, stack } = this.#init
    const offerRecord = ({ id, multiaddrs }: Libp2pPeerInfo): void => {
      if (id.type !== 'Ed25519' || multiaddrs.length === 0) return
      const peerId = id.toString()
      offer({ peerId, addresses: textsOf(multiaddrs.slice(0, ADDRESSES_PER_PEER_MAX), peerId) })
    }
    try {
      for (const id of await this.#dht.providers.getProviders(cid)) {
        const known = await stack.peerStore.get(id, { signal }).catch(() => undefined)
        offerRecord({ id, multiaddrs: known?.addresses.map(({ multiaddr }) => multiaddr) ?? [] })
      }
      // a query without peers would wait for one
      if (this.#dht.routingTable.size === 0) return
      for await (const event of this.#dht.findProviders(cid, { signal })) {
        if (event.name === 'PEER_RESPONSE') event.providers.forEach(offerRecord)
      }
    } catch (error) {
      if (!signal.aborted) logger.debug('net.find.failed', { reason: messageOf(error) })
    }
  }

  /** Announces soon; the more often the table has grown lately, the later. */
  #grown(): void {
    if (this.#topics.size === 0 || this.#dht.routingTable.size <= this.#announcedSize) return
    const spacingLeftMs = this.#announcedAtMs + this.#spacingMs - Date.now()
    this.#announceIn(Math.max(ANNOUNCE_SPACING_MS_MIN, spacingLeftMs))
  }

  #announceIn(delayMs: number): void {
    if (this.#running || this.#init.signal.aborted) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#announceAll(), delayMs).unref()
  }

  async #announceAll(): Promise<void> {
    this.#running = true
    this.#announcedSize = this.#dht.routingTable.size
    for (const topic of this.#topics) await this.#provide(topic)
    this.#running = false
    this.#announcedAtMs = Date.now()
    this.#spacingMs = Math.min(this.#spacingMs * 2, ANNOUNCE_SPACING_MS_MAX)
    this.#announceIn(ANNOUNCE_PERIOD_MS)
    this.#grown()
  }

  async #provide(topic: string): Promise<void> {
    const { logger, networkId, signal, stack } = this.#init
    if (signal.aborted || this.#dht.routingTable.size === 0) return
    try {
      await stack.contentRouting.provide(topicCid(topic, networkId), {
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANNOUNCE_TIMEOUT_MS)])
      })
    } catch (error) {
      if (!signal.aborted) logger.debug('net.announce.failed', { topic, reason: messageOf(error) })
    }
  }
}
