/** Where providers are now: connected ones are met already, the others are looked for in the directory. */
import type { Clock } from '../../base/ports.ts'
import { peerIdOf } from '../net/peer-id.ts'
import type { Net, PeerInfo } from '../net/types.ts'

/** Topic under which providers are found. */
const PROVIDER_TOPIC = 'provider'
const FRESH_MS = 15_000
const SEARCH_TIMEOUT_MS = 5_000

export class Locator {
  readonly #net: Net
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #known = new Set<string>()
  #search: Promise<void> | undefined
  #searchedAtMs = Number.NEGATIVE_INFINITY

  /** @param signal aborted when the node stops */
  constructor(net: Net, clock: Clock, signal: AbortSignal) {
    this.#net = net
    this.#clock = clock
    this.#signal = signal
  }

  /** The peer id of a provider whose addresses are known afterwards, if anybody knows them. Never rejects. */
  async locate(peerKey: Uint8Array): Promise<string> {
    const peerId = peerIdOf(peerKey)
    if (this.#isMet(peerId) || this.#clock.nowMs() - this.#searchedAtMs < FRESH_MS) return peerId
    this.#search ??= this.#searchAll().finally(() => {
      this.#search = undefined
    })
    await this.#search
    return peerId
  }

  /** Providers, connected ones first, as they are found. */
  async *providers(signal: AbortSignal): AsyncGenerator<string> {
    const options = { signal, timeoutMs: SEARCH_TIMEOUT_MS }
    for await (const peer of this.#net.find(PROVIDER_TOPIC, options)) {
      await this.#learn(peer)
      yield peer.peerId
    }
  }

  #isMet(peerId: string): boolean {
    return this.#known.has(peerId) || this.#net.connected().some(peer => peer.peerId === peerId)
  }

  async #searchAll(): Promise<void> {
    try {
      for await (const _ of this.providers(this.#signal));
    } catch {
      // what was found until then is known
    }
    this.#searchedAtMs = this.#clock.nowMs()
  }

  async #learn({ peerId, addresses }: PeerInfo): Promise<void> {
    await this.#net.addAddresses(peerId, addresses)
    this.#known.add(peerId)
  }
}
