/**
 * Deals that this provider has signed and the ledger does not have yet. Each may still lock its collateral until the
 * last height at which it can be opened, so their sum is bounded by the balance, and their number per client peer.
 */
import { toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Units } from '../../base/money.ts'
import { type DealTerms, dealTermsType, type Replica } from '../../ledger/index.ts'
import type { DealBook } from '../deals/deal-book.ts'

/** Signed and not opened, of one peer. A client opens one at a time; the others are attempts that failed. */
export const PROMISED_PER_PEER_MAX = 8
/** The same of all peers together: what is looked through at each proposal. */
const PROMISED_MAX = 4_096

export interface PromisedDealsComponents {
  replica: Replica
  book: DealBook
}

interface Promised {
  id: Uint8Array
  peerId: string
  collateralUnits: Units
  startHeightMax: bigint
}

export class PromisedDeals {
  readonly #replica: Replica
  /** By deal id in hex. */
  readonly #promised = new Map<string, Promised>()

  /** Starts with those of the book. */
  constructor({ replica, book }: PromisedDealsComponents) {
    this.#replica = replica
    for (const { id, head } of book.all()) {
      this.#set(id, dealTermsType.deserialize(head.terms), head.clientPeer)
    }
    this.#forget()
  }

  /** What all of them but this one may still lock. */
  collateralUnits(except: Uint8Array): Units {
    this.#forget()
    let sum = 0n
    for (const [hex, { collateralUnits }] of this.#promised) {
      if (hex !== toHex(except)) sum += collateralUnits
    }
    return sum
  }

  /**
   * Counts a deal from before `store` begins, and no longer if that fails. The same deal again counts once.
   * @throws HoldfastError TERMS_REFUSED when this peer, or all of them, have too many; whatever `store` throws
   */
  async add(
    id: Uint8Array,
    terms: DealTerms,
    peerId: string,
    store: () => Promise<unknown>
  ): Promise<void> {
    const known = this.#promised.has(toHex(id))
    if (!known) {
      this.#assertRoom(peerId)
      this.#set(id, terms, peerId)
    }
    try {
      await store()
    } catch (error) {
      if (!known) this.#promised.delete(toHex(id))
      throw error
    }
  }

  #set(id: Uint8Array, { collateralUnits, startHeightMax }: DealTerms, peerId: string): void {
    this.#promised.set(toHex(id), { id, peerId, collateralUnits, startHeightMax })
  }

  #assertRoom(peerId: string): void {
    this.#forget()
    const ofPeer = [...this.#promised.values()].filter(promised => promised.peerId === peerId)
    if (ofPeer.length >= PROMISED_PER_PEER_MAX) {
      throw new HoldfastError('TERMS_REFUSED', 'too many deals of this peer are not opened yet', {
        details: { unopened: ofPeer.length, unopenedMax: PROMISED_PER_PEER_MAX },
        retryable: true
      })
    }
    if (this.#promised.size >= PROMISED_MAX) {
      throw new HoldfastError('TERMS_REFUSED', 'too many deals are not opened yet', {
        details: { unopened: this.#promised.size, unopenedMax: PROMISED_MAX },
        retryable: true
      })
    }
  }

  /** Those on the ledger have their collateral locked there; the others end with the height they name. */
  #forget(): void {
    const { height } = this.#replica.head()
    for (const [hex, { id, startHeightMax }] of this.#promised) {
      const over = height >= startHeightMax || this.#replica.deal(id) !== undefined
      if (over) this.#promised.delete(hex)
    }
  }
}
