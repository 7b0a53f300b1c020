/**
 * The client's side of its deals: opens one per provider when needed, keeps their escrow sufficient, and agrees on
 * revisions. A revision counts once both signatures are synced on both sides; the ledger hears of it later.
 */
import { fromHex, toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import { REVISION_CHANGES_MAX } from '../../base/limits.ts'
import type { Units } from '../../base/money.ts'
import { KeyedMutex } from '../../base/mutex.ts'
import type { Logger, Random } from '../../base/ports.ts'
import {
  type DealTerms,
  type DealView,
  dealIdOf,
  dealTermsType,
  type NetworkId,
  type Replica,
  signTerms,
  verifyTerms
} from '../../ledger/index.ts'
import { type Candidate, openingEscrowUnits, topUpUnits } from '../../market/index.ts'
import type { TxSender } from '../chain/tx-sender.ts'
import type { DealBook } from '../deals/deal-book.ts'
import type { PieceEntry } from '../deals/types.ts'
import { DEAL_PROTOCOL } from '../net/protocols.ts'
import { request } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import { signatureAnswer } from '../wire/deal-messages.ts'
import { parseMessage } from '../wire/schema.ts'
import { proposeRevision } from './propose-revision.ts'

const DEAL_TIMEOUT_MS = 30_000
/** The provider's and the client's replica may be this far apart when a deal is opened. */
const OPEN_WITHIN_HEIGHTS = 120n
/** A deal with fewer periods left is not used for new objects. */
const PERIODS_LEFT_MIN_PER_MILLE = 500n

export interface ClientDealsComponents {
  net: Net
  replica: Replica
  network: NetworkId
  book: DealBook
  sender: TxSender
  wallet: SigningKey
  random: Random
  logger: Logger
  dealPeriods: number
  /** Learns where a peer is now, before it is dialled. */
  locate: (peerId: string, signal: AbortSignal) => Promise<void>
}

export class ClientDeals {
  readonly #components: ClientDealsComponents
  readonly #mutex = new KeyedMutex()

  constructor(components: ClientDealsComponents) {
    this.#components = components
  }

  /**
   * A deal with this provider that is open on the ledger and long enough; opened now if there is none.
   * @param bytes what the coming put will store there, for the size of the escrow
   * @returns the 32-byte deal id
   * @throws HoldfastError INSUFFICIENT_FUNDS | TERMS_REFUSED | UNREACHABLE | TX_REJECTED | …
   */
  ensureDeal(candidate: Candidate, bytes: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#mutex.run(candidate.peerId, async () => {
      return this.#usableDeal(candidate.ask.account) ?? (await this.#open(candidate, bytes, signal))
    })
  }

  /** What a deal with this provider and these bytes in it would lock now, over what is locked. */
  lockUnits({ ask }: Candidate, bytes: number, periods: number): Units {
    const { book, replica } = this.#components
    const id = this.#usableDeal(ask.account)
    const file = id && book.get(id)
    if (file === undefined) return openingEscrowUnits(ask.priceUnitsPerGiBPeriod, bytes, periods)
    return topUpUnits(replica, file.id, file.bytes + BigInt(bytes))
  }

  /**
   * Adds pieces (by deal id in hex) to their deals, all deals at once. Pieces that a deal holds are skipped.
   * @returns the deals (in hex) whose provider did not agree, and why
   * @throws HoldfastError INSUFFICIENT_FUNDS | ABORTED
   */
  async addPieces(
    byDeal: ReadonlyMap<string, PieceEntry[]>,
    signal: AbortSignal
  ): Promise<Map<string, string>> {
    const deals = [...byDeal.keys()]
    const settled = await Promise.allSettled(
      deals.map(deal => this.#revise(fromHex(deal), byDeal.get(deal)!, [], signal))
    )
    signal.throwIfAborted()
    const failed = new Map<string, string>()
    for (const [i, result] of settled.entries()) {
      if (result.status === 'fulfilled') continue
      if (HoldfastError.is(result.reason, 'INSUFFICIENT_FUNDS')) throw result.reason
      failed.set(deals[i]!, messageOf(result.reason))
    }
    return failed
  }

  /** Where a deal has a piece; undefined when it has not. */
  async slotOf(deal: Uint8Array, root: Uint8Array): Promise<number | undefined> {
    return await this.#components.book.get(deal)?.slotOf(root)
  }

  /** Takes pieces out of a deal; nothing to do when the deal is over or never held them. */
  async removePieces(deal: Uint8Array, roots: Uint8Array[], signal: AbortSignal): Promise<void> {
    if (!this.#isOpen(this.#components.replica.deal(deal))) return
    await this.#revise(deal, [], roots, signal)
  }

  #revise(
    deal: Uint8Array,
    adds: PieceEntry[],
    removes: Uint8Array[],
    signal: AbortSignal
  ): Promise<void> {
    return this.#mutex.run(toHex(deal), async () => {
      const file = this.#components.book.get(deal)
      if (file === undefined) return
      for (let at = 0; at < Math.max(adds.length, removes.length); at += REVISION_CHANGES_MAX) {
        const change = {
          adds: adds.slice(at, at + REVISION_CHANGES_MAX),
          removes: removes.slice(at, at + REVISION_CHANGES_MAX)
        }
        const coverBytes = this.#keepEscrow.bind(this)
        await proposeRevision({ ...this.#components, coverBytes }, file, change, signal)
      }
    })
  }

  /**
   * Tops the escrow up so that the ledger accepts the deal with so many bytes, now and in any later period: a period
   * that passes costs at most what the escrow holds for it.
   */
  async #keepEscrow(deal: Uint8Array, bytes: bigint): Promise<void> {
    const { replica, sender } = this.#components
    const missing = topUpUnits(replica, deal, bytes)
    if (missing === 0n) return
    this.#assertFunds(missing)
    await sender.send({ kind: 'dealTopUp', payload: { dealId: deal, amountUnits: missing } })
  }

  #usableDeal(provider: Uint8Array): Uint8Array | undefined {
    const { book, replica, dealPeriods } = this.#components
    const left = (BigInt(dealPeriods) * PERIODS_LEFT_MIN_PER_MILLE) / 1000n
    for (const file of book.all()) {
      const record = replica.deal(file.id)
      if (record === undefined || !this.#isOpen(record)) continue
      const isHis = toHex(record.provider) === toHex(provider)
      if (isHis && record.endPeriod >= replica.period() + left) return file.id
    }
    return undefined
  }

  #isOpen(record: DealView | undefined): boolean {
    return (
      record !== undefined &&
      record.state === 'open' &&
      record.endPeriod > this.#components.replica.period()
    )
  }

  async #open({ ask, peerId }: Candidate, bytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const { net, replica, network, wallet, book, sender, dealPeriods, random } = this.#components
    const price = ask.priceUnitsPerGiBPeriod
    const terms: DealTerms = {
      chainId: network.chainId,
      client: wallet.publicKey,
      provider: ask.account,
      priceUnitsPerGiBPeriod: price,
      escrowUnits: openingEscrowUnits(price, bytes, dealPeriods),
      collateralUnits: ask.collateralUnits,
      startHeightMax: replica.head().height + OPEN_WITHIN_HEIGHTS,
      endPeriod: replica.period() + BigInt(dealPeriods),
      openNonce: new DataView(random.bytes(8).buffer).getBigUint64(0)
    }
    this.#assertFunds(terms.escrowUnits)
    const clientSignature = signTerms(wallet, terms)
    const message = {
      op: 'open',
      terms: dealTermsType.serialize(terms),
      signature: clientSignature,
      height: Number(replica.head().height)
    }
    const answer = await request(net, peerId, DEAL_PROTOCOL, message, {
      responseBytesMax: 1024,
      timeoutMs: DEAL_TIMEOUT_MS,
      signal
    })
    const { signature: providerSignature } = parseMessage(signatureAnswer, answer)
    if (!verifyTerms(ask.account, terms, providerSignature)) {
      throw new HoldfastError('PROTOCOL_VIOLATION', 'the provider signed other terms')
    }
    const id = dealIdOf(terms)
    await book.create(id, {
      terms: dealTermsType.serialize(terms),
      clientSignature,
      providerSignature,
      clientPeer: net.peerId
    })
    await sender.send({
      kind: 'dealOpen',
      payload: { terms, clientSignature, providerSignature }
    })
    return id
  }

  #assertFunds(neededUnits: Units): void {
    const { replica, wallet } = this.#components
    const available = replica.account(wallet.publicKey).availableUnits
    if (available > neededUnits) return
    throw new HoldfastError(
      'INSUFFICIENT_FUNDS',
      `${neededUnits} units have to be locked as escrow, ${available} are available`,
      {
        details: { neededUnits: neededUnits.toString(), availableUnits: available.toString() },
        hint: 'send tokens to this wallet (`holdfast wallet address`), or store less'
      }
    )
  }
}
