/**
 * A provider over a real replica, a real deal book and the network in memory, with a client whose every message the
 * test chooses. Blocks are made when the test says so.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { toHex, utf8 } from '../../../src/base/bytes.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { type SigningKey, signingKeyFromSeed } from '../../../src/base/keys.ts'
import { GIB } from '../../../src/base/limits.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import {
  type DealTerms,
  dealIdOf,
  dealTermsType,
  type Replica,
  type Revision,
  revisionType,
  signPeerBinding,
  signRevision,
  signTerms,
  type TxBody,
  verifyRevision
} from '../../../src/ledger/index.ts'
import { storageUnits } from '../../../src/market/index.ts'
import { DealBook } from '../../../src/node/deals/deal-book.ts'
import type { PieceEntry } from '../../../src/node/deals/types.ts'
import { DEAL_PROTOCOL } from '../../../src/node/net/protocols.ts'
import { request } from '../../../src/node/net/rpc.ts'
import { type BytesDb, openDatabase } from '../../../src/node/open-database.ts'
import { Agreements } from '../../../src/node/provider/agreements.ts'
import { Leases } from '../../../src/node/provider/leases.ts'
import { Offers } from '../../../src/node/provider/offers.ts'
import { serveUploads } from '../../../src/node/provider/receive.ts'
import { servePieces } from '../../../src/node/provider/serve.ts'
import { commitPiece, type SumTree } from '../../../src/proofs/index.ts'
import { createMemoryPieceStore, type PieceStore } from '../../../src/storage/index.ts'
import { nextBlock, type OpenReplica, openReplica, txOf } from '../../ledger/replica-support.ts'
import { keyOf, testGenesis } from '../../ledger/support.ts'
import { makeTempFolder, removeTempFolder } from '../../storage/temp-folder.ts'
import { type MemoryNet, MemoryNetwork } from '../memory-net.ts'

export const QUOTA_BYTES = 1_000_000
export const LEASE_HEIGHTS = 20n
const FUNDS = 10n ** 15n

export interface Party {
  wallet: SigningKey
  node: SigningKey
  net: MemoryNet
}

export interface OpenedDeal {
  id: Uint8Array
  terms: DealTerms
  /** What the client last had signed. */
  revision: bigint
}

export class ProviderWorld {
  readonly folder: string
  readonly client: Party
  readonly stranger: Party
  readonly provider: Party
  readonly store: PieceStore
  readonly #ledger: OpenReplica
  readonly #databases: BytesDb[]
  readonly book: DealBook
  readonly leases: Leases
  readonly agreements: Agreements
  readonly damaged: string[] = []
  #nonce = 0n

  private constructor(parts: {
    folder: string
    ledger: OpenReplica
    databases: BytesDb[]
    book: DealBook
    store: PieceStore
  }) {
    const { folder, ledger, databases, book, store } = parts
    this.folder = folder
    this.#ledger = ledger
    this.#databases = databases
    this.book = book
    this.store = store
    const network = new MemoryNetwork()
    const party = (name: string): Party => {
      const node = signingKeyFromSeed(sha256(utf8(`node/${name}`)))
      return { wallet: keyOf(name), node, net: network.join(node) }
    }
    this.client = party('client')
    this.stranger = party('stranger')
    this.provider = party('provider')
    const { replica } = ledger
    const { net, wallet, node } = this.provider
    this.leases = new Leases({
      db: databases[1]!,
      height: () => replica.head().height,
      leaseHeights: LEASE_HEIGHTS
    })
    const offers = new Offers(
      { net, replica, network: replica.network, store, wallet, logger: silentLogger },
      {
        priceUnitsPerGiBPeriod: 1_000_000n,
        egressUnitsPerGiB: 1_000n,
        collateralUnits: 1_000n,
        dealPeriodsMin: 1,
        dealPeriodsMax: 40,
        pieceBytesMin: 0,
        region: 'eu',
        operator: 'test'
      }
    )
    const shared = { net, replica, network: replica.network, book, store, leases: this.leases }
    const rest = { wallet, logger: silentLogger, offers }
    this.agreements = new Agreements({ ...shared, ...rest })
    offers.serve()
    this.agreements.serve()
    const { genesisHash } = replica.network
    serveUploads({ ...shared, ...rest, agreements: this.agreements, nodeKey: node, genesisHash })
    const onDamage = (root: Uint8Array): number => this.damaged.push(toHex(root))
    servePieces({ net, store, logger: silentLogger, onDamage })
  }

  /** A network in which the provider is registered. */
  static async make(store?: PieceStore): Promise<ProviderWorld> {
    const folder = await makeTempFolder()
    const genesis = testGenesis({ client: FUNDS, provider: FUNDS, stranger: FUNDS })
    const ledger = await openReplica(join(folder, 'ledger'), genesis)
    const databases = await Promise.all(
      ['deals', 'leases'].map(name => openDatabase(join(folder, name)))
    )
    const pieces = store ?? createMemoryPieceStore({ quotaBytes: QUOTA_BYTES })
    await pieces.open()
    const book = await DealBook.open(databases[0]!)
    const world = new ProviderWorld({ folder, ledger, databases, book, store: pieces })
    await world.#register()
    return world
  }

  get replica(): Replica {
    return this.#ledger.replica
  }

  get height(): number {
    return Number(this.replica.head().height)
  }

  async close(): Promise<void> {
    await this.store.close()
    await this.#ledger.close()
    for (const db of this.#databases) await db.close()
    await removeTempFolder(this.folder)
  }

  /** One block; every transaction has to succeed. */
  async block(...txs: [SigningKey, TxBody][]): Promise<void> {
    const bytes = txs.map(([key, body]) => txOf(this.replica, key, body))
    const { block, cert } = nextBlock(this.replica, ['validator'], bytes)
    const result = await this.replica.applyFinalized(block, cert)
    assert.deepEqual(
      result.txs.map(({ outcome }) => outcome),
      txs.map(() => 'ok')
    )
  }

  async toPeriod(period: bigint): Promise<void> {
    while (this.replica.period() < period) await this.block()
  }

  async #register(): Promise<void> {
    const { wallet, node } = this.provider
    const peerSignature = signPeerBinding(node, {
      ...this.replica.network,
      account: wallet.publicKey,
      peerKey: node.publicKey
    })
    const payload = { peerKey: node.publicKey, peerSignature }
    await this.block([wallet, { kind: 'providerRegister', payload }])
  }

  terms(changes: Partial<DealTerms> = {}): DealTerms {
    return {
      chainId: this.replica.network.chainId,
      client: this.client.wallet.publicKey,
      provider: this.provider.wallet.publicKey,
      priceUnitsPerGiBPeriod: 1_000_000n,
      escrowUnits: storageUnits(1_000_000n, GIB, 10),
      collateralUnits: 1_000n,
      startHeightMax: this.replica.head().height + 100n,
      endPeriod: this.replica.period() + 8n,
      openNonce: this.#nonce++,
      ...changes
    }
  }

  /** Asks the provider to sign terms. */
  propose(
    terms: DealTerms,
    signature: Uint8Array = signTerms(this.client.wallet, terms),
    by: Party = this.client
  ): Promise<{ signature: Uint8Array }> {
    const bytes = dealTermsType.serialize(terms)
    return this.ask({ op: 'open', terms: bytes, signature, height: this.height }, by)
  }

  /** Any message to the deal protocol. */
  async ask(message: unknown, by: Party = this.client): Promise<{ signature: Uint8Array }> {
    const answer = await request(by.net, this.provider.net.peerId, DEAL_PROTOCOL, message)
    return answer as { signature: Uint8Array }
  }

  /** A deal that both signed and the ledger has. */
  async openDeal(changes: Partial<DealTerms> = {}): Promise<OpenedDeal> {
    const terms = this.terms(changes)
    const clientSignature = signTerms(this.client.wallet, terms)
    const { signature: providerSignature } = await this.propose(terms, clientSignature)
    const payload = { terms, clientSignature, providerSignature }
    await this.block([this.client.wallet, { kind: 'dealOpen', payload }])
    return { id: dealIdOf(terms), terms, revision: 0n }
  }

  /** The revision after the newest one with these pieces added. */
  nextRevision(
    { id }: OpenedDeal,
    adds: readonly PieceEntry[],
    removes: readonly number[] = []
  ): { revision: Revision; changes: { slot: number; after?: PieceEntry }[]; tree: SumTree } {
    const planned = this.book.get(id)!.plan(adds, removes)
    const { number, root, leaves, bytes, changes, tree } = planned
    const { chainId } = this.replica.network
    return {
      revision: { chainId, dealId: id, revision: number, root, leaves, bytes },
      changes: changes.map(({ slot, after }) => ({ slot, ...(after && { after }) })),
      tree
    }
  }

  /** Proposes a revision, signed by the client unless a signature is given. */
  async revise(
    { revision, changes }: Pick<ReturnType<ProviderWorld['nextRevision']>, 'revision' | 'changes'>,
    signature: Uint8Array = signRevision(this.client.wallet, revision),
    by: Party = this.client,
    height: number = this.height
  ): Promise<{ signature: Uint8Array }> {
    const bytes = revisionType.serialize(revision)
    return await this.ask({ op: 'revise', revision: bytes, signature, height, changes }, by)
  }

  isSigned(revision: Revision, signature: Uint8Array): boolean {
    return verifyRevision(this.provider.wallet.publicKey, revision, signature)
  }

  /** Puts a piece on the provider's disk without the protocol. */
  async place(bytes: Uint8Array): Promise<PieceEntry> {
    const { root, groupCvs } = commitPiece(bytes)
    const staged = await this.store.stage(bytes.length)
    await staged.write(bytes)
    await staged.commit(root, groupCvs)
    return { root, bytes: bytes.length }
  }
}
