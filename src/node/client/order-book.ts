/**
 * The client's view of what providers offer: peers come from the DHT, asks from the peers themselves, checked against
 * the ledger's register. Nothing here is shared or trusted beyond the provider's own signature.
 */
import { equal } from '../../base/bytes.ts'
import { messageOf } from '../../base/errors.ts'
import type { Clock, Logger } from '../../base/ports.ts'
import type { NetworkId, Replica } from '../../ledger/index.ts'
import {
  ASK_BYTES_MAX,
  type Ask,
  assertAskCurrent,
  type Candidate,
  openAsk
} from '../../market/index.ts'
import { peerKeyOf } from '../net/peer-id.ts'
import { ASK_PROTOCOL } from '../net/protocols.ts'
import { request } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import { askAnswer } from '../wire/deal-messages.ts'
import { parseMessage } from '../wire/schema.ts'
import type { QualityBook } from './quality.ts'
import { subnetOf } from './subnet.ts'

/** Topic under which providers are found. */
export const PROVIDER_TOPIC = 'provider'

const FRESH_MS = 15_000
const ASK_TIMEOUT_MS = 5_000
const SEARCH_TIMEOUT_MS = 20_000
const OFFERS_MAX = 10_000

export interface OrderBookComponents {
  net: Net
  replica: Replica
  network: NetworkId
  quality: QualityBook
  clock: Clock
  logger: Logger
  /** Aborted when the node stops. */
  signal: AbortSignal
}

interface Offer {
  ask: Ask
  peerId: string
  subnet: string
  fetchedAtMs: number
}

export class OrderBook {
  readonly #components: OrderBookComponents
  readonly #offers = new Map<string, Offer>()
  /** Told after every offer that a search brings. */
  readonly #waiting = new Set<() => void>()
  #searching: Promise<void> | undefined
  #searchedAtMs = Number.NEGATIVE_INFINITY

  constructor(components: OrderBookComponents) {
    this.#components = components
  }

  /**
   * Current offers. Searches the network when the last search is old or fewer than `enough` offers are known, and
   * returns as soon as there are enough.
   */
  async candidates(enough: number, signal: AbortSignal): Promise<Candidate[]> {
    const { clock, quality } = this.#components
    const stale = clock.nowMs() - this.#searchedAtMs > FRESH_MS
    if (stale || this.#usable().length < enough) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const onFound = (): void => {
        if (this.#usable().length >= enough) resolve()
      }
      this.#waiting.add(onFound)
      await Promise.race([this.#search(signal), promise])
      this.#waiting.delete(onFound)
    }
    signal.throwIfAborted()
    return this.#usable().map(({ ask, peerId, subnet }) => {
      return { ask, peerId, subnet, quality: quality.score(peerId) }
    })
  }

  /**
   * Makes sure that a provider's present addresses are known. Peers move while this node is down, so one that was not
   * met since the start is looked for first; the search is shared by all who wait, and not repeated for those it did
   * not find.
   */
  async locate(peerId: string, signal: AbortSignal): Promise<void> {
    const { net, clock } = this.#components
    const met = (): boolean =>
      this.#offers.has(peerId) || net.connected().some(peer => peer.peerId === peerId)
    if (met() || clock.nowMs() - this.#searchedAtMs < FRESH_MS) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const onFound = (): void => {
      if (met()) resolve()
    }
    this.#waiting.add(onFound)
    try {
      await Promise.race([this.#search(signal), promise])
    } finally {
      this.#waiting.delete(onFound)
    }
  }

  /** The offer of one provider, fetched now. @throws HoldfastError UNREACHABLE | ASK_INVALID | ASK_EXPIRED | … */
  async fetchAsk(peerId: string, addresses: readonly string[], signal?: AbortSignal): Promise<Ask> {
    const { net, replica, network, clock, quality } = this.#components
    await net.addAddresses(peerId, [...addresses])
    const askedAtMs = clock.nowMs()
    const body = await request(
      net,
      peerId,
      ASK_PROTOCOL,
      {},
      {
        responseBytesMax: ASK_BYTES_MAX + 256,
        timeoutMs: ASK_TIMEOUT_MS,
        ...(signal && { signal })
      }
    )
    quality.recordLatency(peerId, clock.nowMs() - askedAtMs)
    const { height } = replica.head()
    const { ask } = openAsk(parseMessage(askAnswer, body), {
      network,
      height,
      peerKey: peerKeyOf(peerId)
    })
    if (this.#offers.size < OFFERS_MAX || this.#offers.has(peerId)) {
      const subnet = subnetOf(addresses)
      this.#offers.set(peerId, { ask, peerId, subnet, fetchedAtMs: clock.nowMs() })
    }
    return ask
  }

  /** One search at a time; it outlives whoever asked first. */
  #search(signal: AbortSignal): Promise<void> {
    this.#searching ??= this.#searchNetwork().finally(() => {
      this.#searching = undefined
    })
    const { promise, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    return Promise.race([this.#searching, promise]).finally(() =>
      signal.removeEventListener('abort', onAbort)
    )
  }

  async #searchNetwork(): Promise<void> {
    const { net, logger, clock, quality } = this.#components
    const until = AbortSignal.any([this.#components.signal, AbortSignal.timeout(SEARCH_TIMEOUT_MS)])
    const fetches: Promise<void>[] = []
    try {
      for await (const { peerId, addresses } of net.find(PROVIDER_TOPIC, { signal: until })) {
        const fetch = this.fetchAsk(peerId, addresses, until).then(this.#tell, error => {
          this.#offers.delete(peerId)
          quality.recordFailure(peerId, messageOf(error))
          logger.debug('ask.failed', { provider: peerId, reason: messageOf(error) })
        })
        fetches.push(fetch)
      }
    } catch (error) {
      if (!until.aborted) logger.info('search.failed', { reason: messageOf(error) })
    }
    await Promise.all(fetches)
    this.#searchedAtMs = clock.nowMs()
  }

  readonly #tell = (): void => {
    for (const onFound of this.#waiting) onFound()
  }

  /** Offers that are current and whose account is registered with that peer key. */
  #usable(): Offer[] {
    const { replica } = this.#components
    const { height } = replica.head()
    return [...this.#offers.values()].filter(({ ask }) => {
      const registered = replica.provider(ask.account)
      return (
        registered !== undefined && equal(registered.peerKey, ask.peerKey) && isCurrent(ask, height)
      )
    })
  }
}

function isCurrent(ask: Ask, height: bigint): boolean {
  try {
    assertAskCurrent(ask, height)
    return true
  } catch {
    return false
  }
}
