/** The provider's ask: signed afresh when it changes or nears its end, served to anyone who asks. */
import type { SigningKey } from '../../base/keys.ts'
import { KIB, PIECE_BYTES_MAX } from '../../base/limits.ts'
import type { Units } from '../../base/money.ts'
import type { NetworkId, Replica } from '../../ledger/index.ts'
import { type Ask, encodeAsk, type SignedAsk, signAsk } from '../../market/index.ts'
import type { PieceStore } from '../../storage/index.ts'
import { ASK_PROTOCOL } from '../net/protocols.ts'
import { serve } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'

/** How long an ask is good for, in milliseconds of expected block time. */
const VALID_MS = 60 * 60_000
/** Free space is quoted rounded down: a put must not fail on the last bytes. */
const FREE_STEP_BYTES = 1024n * 1024n

export interface OfferTerms {
  priceUnitsPerGiBPeriod: Units
  collateralUnits: Units
  dealPeriodsMax: number
  region: string
  operator: string
}

export interface OffersComponents {
  net: Net
  replica: Replica
  network: NetworkId
  store: PieceStore
  wallet: SigningKey
}

export class Offers {
  readonly #components: OffersComponents
  #terms: OfferTerms
  #signed: SignedAsk | undefined

  constructor(components: OffersComponents, terms: OfferTerms) {
    this.#components = components
    this.#terms = terms
  }

  get terms(): OfferTerms {
    return this.#terms
  }

  /** New deals see the new terms; deals already signed keep theirs. */
  change(update: Partial<OfferTerms>): void {
    this.#terms = { ...this.#terms, ...update }
    this.#signed = undefined
  }

  /** The ask that is in force now. */
  current(): Ask {
    return this.#current().ask
  }

  /** Serves the ask protocol. */
  serve(): void {
    serve(this.#components.net, ASK_PROTOCOL, { requestBytesMax: KIB }, async () =>
      encodeAsk(this.#current())
    )
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
    const { dealPeriodsMax } = this.#terms
    const ask: Ask = {
      ...network,
      account: wallet.publicKey,
      peerKey: net.peerKey,
      ...this.#terms,
      dealPeriodsMax: Math.min(dealPeriodsMax, replica.params.dealPeriodsMax),
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
