/**
 * The provider's side of its deals: answers proposals to open and to revise. A countersignature leaves only after
 * everything it promises is synced: terms within our ask, every added piece on our disk, escrow enough for the ledger.
 */
import { equal, toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import { KIB } from '../../base/limits.ts'
import { KeyedMutex } from '../../base/mutex.ts'
import type { Logger } from '../../base/ports.ts'
import {
  type DealView,
  dealIdOf,
  dealTermsType,
  decodeStrict,
  type NetworkId,
  type Replica,
  type Revision,
  revisionType,
  signRevision,
  signTerms,
  verifyRevision,
  verifyTerms
} from '../../ledger/index.ts'
import { assertTermsFit, topUpUnits } from '../../market/index.ts'
import type { PieceStore } from '../../storage/index.ts'
import { waitForBlock, waitUntil } from '../chain/wait-for-block.ts'
import type { DealBook, DealFile } from '../deals/deal-book.ts'
import type { PlannedRevision } from '../deals/types.ts'
import { DEAL_PROTOCOL } from '../net/protocols.ts'
import { serve } from '../net/rpc.ts'
import type { Net, RemotePeer } from '../net/types.ts'
import { DEAL_MESSAGE_BYTES_MAX, type DealRequest, dealRequest } from '../wire/deal-messages.ts'
import { parseMessage } from '../wire/schema.ts'
import type { Leases } from './leases.ts'
import type { Offers } from './offers.ts'
import { PromisedDeals } from './promised-deals.ts'
import { leaseEndHeight } from './schedule.ts'

/** Our replica may be this far behind the client's, which has just opened a deal or added to its escrow. */
const LEDGER_LAG_MS = 10_000

export interface AgreementsComponents {
  net: Net
  replica: Replica
  network: NetworkId
  book: DealBook
  store: PieceStore
  leases: Leases
  offers: Offers
  wallet: SigningKey
  logger: Logger
}

export class Agreements {
  readonly #components: AgreementsComponents
  readonly #mutex = new KeyedMutex()
  readonly #promised: PromisedDeals

  constructor(components: AgreementsComponents) {
    this.#components = components
    this.#promised = new PromisedDeals(components)
  }

  /** Serves the deal protocol. */
  serve(): void {
    const limits = { requestBytesMax: DEAL_MESSAGE_BYTES_MAX + KIB }
    serve(this.#components.net, DEAL_PROTOCOL, limits, (body, remote) => {
      const message = parseMessage(dealRequest, body)
      switch (message.op) {
        case 'open':
          return this.#open(message, remote)
        case 'revise':
          return this.#revise(message)
        case 'state':
          return this.#state(message)
      }
    })
  }

  /**
   * Waits a little for a deal that was opened a moment ago. Returns the height until which its pieces are leased.
   * @throws HoldfastError TERMS_REFUSED unless the deal is open, with us, and this peer opened it
   */
  async leaseFor(deal: Uint8Array, remote: RemotePeer): Promise<number> {
    const file = this.#components.book.get(deal)
    const record = await this.#openRecord(deal)
    if (file === undefined || record === undefined) {
      throw new HoldfastError(
        'TERMS_REFUSED',
        'there is no open deal of that id with this provider'
      )
    }
    if (file.head.clientPeer !== remote.peerId) {
      throw new HoldfastError('TERMS_REFUSED', 'the deal was opened by another peer')
    }
    return leaseEndHeight(record.endPeriod, this.#components.replica.params.periodHeights)
  }

  /** @throws HoldfastError TERMS_REFUSED below the shortest piece of the ask */
  assertTakes(pieceBytes: number): void {
    const { pieceBytesMin } = this.#components.offers.current()
    if (pieceBytes >= pieceBytesMin) return
    throw new HoldfastError('TERMS_REFUSED', `a piece has at least ${pieceBytesMin} bytes here`)
  }

  async #open(
    message: Extract<DealRequest, { op: 'open' }>,
    remote: RemotePeer
  ): Promise<{ signature: Uint8Array }> {
    const { replica, network, offers, wallet, book, logger } = this.#components
    const terms = decodeStrict(dealTermsType, message.terms, 'the terms', 'PROTOCOL_VIOLATION')
    if (!verifyTerms(terms.client, terms, message.signature)) {
      throw new HoldfastError('TERMS_REFUSED', 'the terms are not signed by their client')
    }
    // The client counts periods from where it is.
    await waitForBlock(replica, BigInt(message.height), LEDGER_LAG_MS)
    const id = dealIdOf(terms)
    const balanceUnits = replica.account(wallet.publicKey).availableUnits
    assertTermsFit(terms, {
      network,
      account: wallet.publicKey,
      ask: offers.askFor(terms),
      height: replica.head().height,
      period: replica.period(),
      balanceUnits: balanceUnits - this.#promised.collateralUnits(id)
    })
    const signature = signTerms(wallet, terms)
    await this.#promised.add(id, terms, remote.peerId, () =>
      book.create(id, {
        terms: message.terms,
        clientSignature: message.signature,
        providerSignature: signature,
        clientPeer: remote.peerId
      })
    )
    logger.info('deal.signed', { deal: toHex(id), client: remote.peerId })
    return { signature }
  }

  async #revise(
    message: Extract<DealRequest, { op: 'revise' }>
  ): Promise<{ signature: Uint8Array }> {
    const revision = decodeStrict(
      revisionType,
      message.revision,
      'the revision',
      'PROTOCOL_VIOLATION'
    )
    return await this.#mutex.run(toHex(revision.dealId), async () => {
      const record = await this.#openRecord(revision.dealId)
      const file = this.#components.book.get(revision.dealId)
      if (file === undefined || record === undefined) {
        throw new HoldfastError('TERMS_REFUSED', 'there is no open deal of that id')
      }
      if (!verifyRevision(record.client, revision, message.signature)) {
        throw new HoldfastError('TERMS_REFUSED', 'the revision is not signed by the client')
      }
      if (revision.revision !== file.head.revision + 1n) {
        throw new HoldfastError('REVISION_CONFLICT', `the newest revision is ${file.head.revision}`)
      }
      const planned = file.replan(message.changes)
      this.#assertMatches(revision, planned)
      await this.#assertCovered(revision, BigInt(message.height))
      await this.#assertHeld(planned, file)
      return await this.#countersign(file, revision, planned, message.signature)
    })
  }

  /** The revision says what our own tree says. */
  #assertMatches(revision: Revision, planned: PlannedRevision): void {
    const same =
      revision.chainId === this.#components.network.chainId &&
      equal(revision.root, planned.root) &&
      revision.leaves === planned.leaves &&
      revision.bytes === planned.bytes
    if (!same) {
      throw new HoldfastError('TERMS_REFUSED', 'the revision does not match the changes proposed')
    }
  }

  /** The ledger will accept it. A top-up may be in blocks that the client has and we have not. */
  async #assertCovered({ dealId, bytes }: Revision, clientHeight: bigint): Promise<void> {
    const { replica } = this.#components
    const isCovered = (): boolean => topUpUnits(replica, dealId, bytes) === 0n
    const known = (): boolean => isCovered() || replica.head().height >= clientHeight
    await waitUntil(replica, known, LEDGER_LAG_MS)
    if (isCovered()) return
    const { height } = replica.head()
    const reason =
      height < clientHeight
        ? `, as far as is known here at height ${height}: the client is at ${clientHeight}`
        : ''
    throw new HoldfastError('TERMS_REFUSED', `the escrow does not cover these bytes${reason}`)
  }

  /** Every added piece is here, and stays at least as long as the deal. */
  async #assertHeld({ changes }: PlannedRevision, { head }: DealFile): Promise<void> {
    const { store, replica } = this.#components
    const { endPeriod } = dealTermsType.deserialize(head.terms)
    const leaseEnd = leaseEndHeight(endPeriod, replica.params.periodHeights)
    for (const { after } of changes) {
      if (after === undefined) continue
      const stat = await store.stat(after.root)
      if (stat?.bytes !== after.bytes || !(await store.keep(after.root, leaseEnd))) {
        throw new HoldfastError('PIECE_NOT_FOUND', 'a piece of the revision is not stored here')
      }
    }
  }

  async #countersign(
    file: DealFile,
    revision: Revision,
    planned: PlannedRevision,
    clientSignature: Uint8Array
  ): Promise<{ signature: Uint8Array }> {
    const { wallet, leases } = this.#components
    const signature = signRevision(wallet, revision)
    await file.commit(planned, {
      revision: revisionType.serialize(revision),
      clientSignature,
      providerSignature: signature
    })
    for (const { after } of planned.changes) if (after) await leases.release(after.root)
    return { signature }
  }

  /** A revision the asker lost, with both signatures: nobody but the parties could have made it. */
  async #state({ deal, revision }: Extract<DealRequest, { op: 'state' }>): Promise<unknown> {
    const log = await this.#components.book.get(deal)?.revision(BigInt(revision))
    if (log === undefined) throw new HoldfastError('NOT_FOUND', 'that revision is not held here')
    const { clientSignature, providerSignature } = log
    const changes = log.changes.map(({ slot, after }) => ({ slot, ...(after && { after }) }))
    return { revision: log.revision, clientSignature, providerSignature, changes }
  }

  async #openRecord(deal: Uint8Array): Promise<DealView | undefined> {
    const { replica } = this.#components
    await waitUntil(replica, () => replica.deal(deal) !== undefined, LEDGER_LAG_MS)
    const record = replica.deal(deal)
    return record?.state === 'open' && record.endPeriod > replica.period() ? record : undefined
  }
}
