/**
 * What the ledger says of providers, as reputation and durability use it: looked up once per proving period. Misses are
 * the present run of the provider, and the most that any deal of our own saw: both are of distinct periods, so that
 * nobody moves them by opening many deals.
 */
import { toHex } from '../../base/bytes.ts'
import { type ProviderView, periodAt, type Replica } from '../../ledger/index.ts'
import { type LedgerFacts, type Lifetime, type Rates, ratesOf } from '../../market/index.ts'

const UNREGISTERED: LedgerFacts = {
  agePeriods: 0,
  provenPeriods: 0,
  missedPeriods: 0,
  abandonedDeals: 0
}

export class LedgerFactsBook {
  readonly #replica: Replica
  readonly #client: Uint8Array
  /** By provider account in hex: the most periods that one deal of ours missed. Of one period. */
  #missed = new Map<string, number>()
  #facts = new Map<string, LedgerFacts>()
  #period = -1n

  /** @param client our 32-byte account */
  constructor(replica: Replica, client: Uint8Array) {
    this.#replica = replica
    this.#client = client
  }

  /** @param peerKey 32-byte libp2p identity */
  ofPeer(peerKey: Uint8Array): LedgerFacts | undefined {
    this.#refresh()
    const provider = this.#replica.providerByPeerKey(peerKey)
    return provider && this.#of(provider)
  }

  /** @param account 32-byte ledger account */
  ofAccount(account: Uint8Array): LedgerFacts {
    this.#refresh()
    const provider = this.#replica.provider(account)
    return provider === undefined ? UNREGISTERED : this.#of(provider)
  }

  /** Rates of failure and repair, as the fate of these providers and of those of our deals tells. */
  rates(accounts: Iterable<Uint8Array>): Rates {
    this.#refresh()
    const known = new Map([...accounts].map(account => [toHex(account), account]))
    for (const { provider } of this.#replica.dealsOfClient(this.#client)) {
      known.set(toHex(provider), provider)
    }
    const lifetimes = [...known.values()].flatMap(account => this.#lifetime(account))
    const { periodHeights, blockIntervalMs, abandonPeriods } = this.#replica.params
    return ratesOf(lifetimes, { periodMs: periodHeights * blockIntervalMs, abandonPeriods })
  }

  #lifetime(account: Uint8Array): Lifetime[] {
    const provider = this.#replica.provider(account)
    if (provider === undefined) return []
    const isGone = this.isGone(account)
    const first = periodAt(this.#replica.params, provider.registeredHeight)
    const last = isGone ? (provider.lastProvenPeriod ?? first) : this.#period
    return [{ periods: Number(last > first ? last - first : 0n), isGone }]
  }

  /** Its deals can fail, or did and it proves nothing since. */
  isGone(account: Uint8Array): boolean {
    const provider = this.#replica.provider(account)
    if (provider === undefined || provider.state === 'abandoned') return true
    const recent = this.#replica.period() - BigInt(this.#replica.params.abandonPeriods)
    return provider.failedDeals > 0 && (provider.lastProvenPeriod ?? 0n) < recent
  }

  #of(provider: ProviderView): LedgerFacts {
    const key = toHex(provider.account)
    let facts = this.#facts.get(key)
    if (facts === undefined) {
      const first = periodAt(this.#replica.params, provider.registeredHeight)
      facts = {
        agePeriods: Number(this.#period - first),
        provenPeriods: Number(provider.provenPeriods),
        missedPeriods: Math.max(Number(provider.missedInARow), this.#missed.get(key) ?? 0),
        abandonedDeals: provider.failedDeals
      }
      this.#facts.set(key, facts)
    }
    return facts
  }

  #refresh(): void {
    const period = this.#replica.period()
    if (period === this.#period) return
    this.#period = period
    this.#facts = new Map()
    this.#missed = new Map()
    for (const { provider, missedPeriods } of this.#replica.dealsOfClient(this.#client)) {
      const key = toHex(provider)
      this.#missed.set(key, Math.max(this.#missed.get(key) ?? 0, Number(missedPeriods)))
    }
  }
}
