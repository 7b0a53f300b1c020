/**
 * The provider's ask: signed afresh when it changes or nears its end, served to anyone who asks. In auto mode the price
 * moves once in a proving period, by market/reprice.ts. An ask is a promise: terms that fit one which has not expired
 * are accepted, whatever the price is now.
 */
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import { KIB, PIECE_BYTES_MAX } from '../../base/limits.ts'
import type { Units } from '../../base/money.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import type { DealTerms, NetworkId, Replica } from '../../ledger/index.ts'
import {
  type Ask,
  encodeAsk,
  nextPriceUnits,
  type PriceRange,
  perMilleOf,
  type SignedAsk,
  signAsk
} from '../../market/index.ts'
import type { PieceStore } from '../../storage/index.ts'
import { ASK_PROTOCOL } from '../net/protocols.ts'
import { serve } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import type { OfferFile, OfferState, OfferTerms } from './offer-file.ts'

/** How long an ask is good for, in milliseconds of expected block time. */
const VALID_MS = 60 * 60_000
/** Free space is quoted rounded down: a put must not fail on the last bytes. */
const FREE_STEP_BYTES = 1024n * 1024n
/** Asks with other terms that are not expired and still bind us. */
const PROMISES_MAX = 64

/** `auto: null` ends repricing; a price of the owner does too. */
export type OfferUpdate = Partial<OfferTerms> & { auto?: PriceRange | null }

export interface OffersComponents {
  net: Net
  replica: Replica
  network: NetworkId
  store: PieceStore
  wallet: SigningKey
  logger: Logger
  /** Keeps changes over a restart. @default they end with the process */
  file?: OfferFile
}

export class Offers implements Startable {
  readonly #components: OffersComponents
  #state: OfferState
  #signed: SignedAsk | undefined
  /** Former asks with other terms, oldest first. */
  #promises: Ask[] = []
  /** Of the last repricing. */
  #step: { period: bigint; usedBytes: number } | undefined
  #writing: Promise<void> = Promise.resolve()
  #unsubscribe: (() => void) | undefined

  constructor(components: OffersComponents, terms: OfferTerms) {
    this.#components = components
    this.#state = { terms }
  }

  get auto(): PriceRange | undefined {
    return this.#state.auto
  }

  /** Takes up what was changed before a restart. @throws HoldfastError CONFIG_INVALID */
  async restore(): Promise<void> {
    const { file } = this.#components
    if (file !== undefined) this.#state = await file.read()
  }

  /** Follows the ledger's periods. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#components.replica.onBlock(() => this.#reprice())
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.()
    await this.#writing
  }

  /**
   * New deals see the new terms; deals already signed keep theirs. Durable when it resolves.
   * @throws HoldfastError INVALID_ARGUMENT on a range that is none
   */
  async change(update: OfferUpdate): Promise<void> {
    const { auto, ...changed } = update
    const terms = { ...this.#state.terms, ...changed }
    if (terms.dealPeriodsMin > terms.dealPeriodsMax) {
      throw invalid('the shortest deal is longer than the longest one')
    }
    if (auto && auto.floorUnits > auto.ceilingUnits) {
      throw invalid('the floor of the price is above its ceiling')
    }
    const isFixed = auto === null || (!auto && changed.priceUnitsPerGiBPeriod !== undefined)
    const range = isFixed ? undefined : (auto ?? this.#state.auto)
    const price = terms.priceUnitsPerGiBPeriod
    // the owner's range holds at once, the steps are for what the node decides
    if (range) terms.priceUnitsPerGiBPeriod = within(price, range)
    this.#set({ terms, ...(range && { auto: range }) })
    await this.#save()
  }

  /** The ask that is in force now. */
  current(): Ask {
    return this.#current().ask
  }

  /** The ask that these terms are to be measured by: one that they fit in price, the newest first, else the current. */
  askFor(terms: Pick<DealTerms, 'priceUnitsPerGiBPeriod'>): Ask {
    const { height } = this.#components.replica.head()
    const current = this.current()
    const promised = this.#promises.filter(ask => ask.validUntilHeight >= height).toReversed()
    return (
      [current, ...promised].find(
        ask => ask.priceUnitsPerGiBPeriod <= terms.priceUnitsPerGiBPeriod
      ) ?? current
    )
  }

  /** Serves the ask protocol. */
  serve(): void {
    serve(this.#components.net, ASK_PROTOCOL, { requestBytesMax: KIB }, async () =>
      encodeAsk(this.#current())
    )
  }

  /** One step for a period; periods without us are not made up for. */
  #reprice(): void {
    const { replica, store } = this.#components
    const { auto, terms } = this.#state
    const period = replica.period()
    if (auto === undefined || this.#step?.period === period) return
    const { quotaBytes, usedBytes, reservedBytes } = store.usage()
    const before = this.#step?.usedBytes ?? usedBytes
    this.#step = { period, usedBytes }
    const price = nextPriceUnits({
      ...auto,
      lastUnits: terms.priceUnitsPerGiBPeriod,
      utilisationPerMille: perMilleOf(usedBytes + reservedBytes, quotaBytes),
      demandPerMille: perMilleOf(Math.max(0, usedBytes - before), quotaBytes)
    })
    if (price === terms.priceUnitsPerGiBPeriod) return
    this.#set({ terms: { ...terms, priceUnitsPerGiBPeriod: price }, auto })
    this.#save().catch(error => {
      this.#components.logger.warn('offer.unsaved', { reason: messageOf(error) })
    })
  }

  #set(state: OfferState): void {
    if (this.#signed !== undefined) this.#promises.push(this.#signed.ask)
    if (this.#promises.length > PROMISES_MAX) this.#promises.shift()
    const { height } = this.#components.replica.head()
    this.#promises = this.#promises.filter(ask => ask.validUntilHeight >= height)
    this.#state = state
    this.#signed = undefined
  }

  /** One write after the other: the newest state is the last on disk. */
  #save(): Promise<void> {
    const state = this.#state
    const done = this.#writing.then(() => this.#components.file?.write(state))
    this.#writing = done.catch(() => {})
    return done
  }

  /** Signed again when the height of its end is half way gone, or the free space changed. */
  #current(): SignedAsk {
    const { replica } = this.#components
    const { height } = replica.head()
    const validHeights = BigInt(Math.ceil(VALID_MS / replica.params.blockIntervalMs))
    const freeBytes = this.#freeBytes()
    const old = this.#signed
    const good =
      old !== undefined &&
      old.ask.freeBytes === freeBytes &&
      old.ask.validUntilHeight - height > validHeights / 2n
    if (!good) this.#signed = this.#sign(freeBytes, height + validHeights)
    return this.#signed!
  }

  #sign(freeBytes: bigint, validUntilHeight: bigint): SignedAsk {
    const { net, network, replica, wallet } = this.#components
    const { dealPeriodsMin, dealPeriodsMax } = this.#state.terms
    const longest = replica.params.dealPeriodsMax
    const ask: Ask = {
      ...network,
      account: wallet.publicKey,
      peerKey: net.peerKey,
      ...this.#state.terms,
      dealPeriodsMin: Math.min(dealPeriodsMin, longest),
      dealPeriodsMax: Math.min(dealPeriodsMax, longest),
      pieceBytesMax: PIECE_BYTES_MAX,
      freeBytes,
      validUntilHeight
    }
    return signAsk(ask, wallet)
  }

  #freeBytes(): bigint {
    const { quotaBytes, usedBytes, reservedBytes, readOnly } = this.#components.store.usage()
    const free = BigInt(Math.max(0, readOnly ? 0 : quotaBytes - usedBytes - reservedBytes))
    return free - (free % FREE_STEP_BYTES)
  }
}

function within(price: Units, { floorUnits, ceilingUnits }: PriceRange): Units {
  if (price < floorUnits) return floorUnits
  return price > ceilingUnits ? ceilingUnits : price
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', message)
}
