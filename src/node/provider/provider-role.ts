/** The provider role: everything that rents out this node's disk, built and started in order. */
import { join } from 'node:path'
import { toHex } from '../../base/bytes.ts'
import { domainHash } from '../../base/hash.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import { signPeerBinding } from '../../ledger/index.ts'
import { createDiskPieceStore, type PieceStore } from '../../storage/index.ts'
import type { ChainContext } from '../chain/context.ts'
import { waitUntil } from '../chain/wait-for-block.ts'
import type { Config } from '../config.ts'
import { DealBook } from '../deals/deal-book.ts'
import type { HomePaths } from '../home-files.ts'
import { type BytesDb, openDatabase } from '../open-database.ts'
import { systemClock } from '../system.ts'
import { Agreements } from './agreements.ts'
import { serveAudits } from './audit-serve.ts'
import { Bookkeeper } from './bookkeeper.ts'
import { Leases } from './leases.ts'
import { MapSweeper } from './map-sweeper.ts'
import { OfferFile } from './offer-file.ts'
import { Offers } from './offers.ts'
import { Prover } from './prover.ts'
import { serveUploads } from './receive.ts'
import { serveRepairMaps } from './repair-map-serve.ts'
import { RepairMaps } from './repair-maps.ts'
import { servePieces } from './serve.ts'

export const PROVIDER_ROLE = 'provider'

const FUNDS_LAG_MS = 30_000
/** Pieces whose deals end within the same so many periods share logs. */
const GROUP_PERIODS = 32

export interface ProviderRoleInit {
  chain: ChainContext
  config: Config
  paths: HomePaths
  logger: Logger
}

export class ProviderRole implements Startable {
  readonly store: PieceStore
  readonly offers: Offers
  readonly book: DealBook
  readonly #chain: ChainContext
  readonly #databases: BytesDb[]
  readonly #parts: Startable[]
  readonly #logger: Logger

  private constructor(init: ProviderRoleInit, store: PieceStore, opened: OpenedBooks) {
    const { chain, config, logger } = init
    const { book, leases, maps, databases } = opened
    const { net, replica, network, wallet, nodeKey, sender } = chain
    this.#chain = chain
    this.#logger = logger
    this.#databases = databases
    this.store = store
    this.book = book
    const file = new OfferFile(init.paths.root, config.ask)
    const offered = { net, replica, network, store, wallet, logger, file }
    this.offers = new Offers(offered, config.ask)
    const onDamage = (root: Uint8Array, groups: readonly number[]): void =>
      logger.error('piece.damaged', { root: toHex(root), groups })
    const shared = {
      ...{ net, replica, network, book, store, leases, maps },
      ...{ wallet, sender, logger, onDamage, clock: systemClock }
    }
    const agreements = new Agreements({ ...shared, offers: this.offers })
    this.offers.serve()
    agreements.serve()
    serveUploads({ ...shared, agreements, nodeKey, genesisHash: network.genesisHash })
    servePieces(shared)
    serveAudits(shared)
    serveRepairMaps(shared)
    this.#parts = [this.offers, new Prover(shared), new Bookkeeper(shared), new MapSweeper(shared)]
  }

  /** Opens the store and the books; nothing is announced before `start`. @throws HoldfastError HOME_IN_USE */
  static async open(init: ProviderRoleInit): Promise<ProviderRole> {
    const { config, paths, logger, chain } = init
    const { replica, nodeKey } = chain
    const leaseHeights = Math.ceil(config.leaseMs / replica.params.blockIntervalMs)
    const store = createDiskPieceStore({
      dir: paths.root,
      quotaBytes: config.quotaBytes,
      identity: domainHash('piece-store', nodeKey.seed),
      groupTicks: GROUP_PERIODS * replica.params.periodHeights,
      // A removed piece can be taken back for as long as one that was never named is kept.
      trashTicks: leaseHeights,
      logger
    })
    await store.open()
    const deals = await openDatabase(join(paths.store, 'deals'))
    const leasesDb = await openDatabase(join(paths.store, 'leases'))
    const leases = new Leases({
      db: leasesDb,
      height: () => replica.head().height,
      leaseHeights: BigInt(leaseHeights)
    })
    const book = await DealBook.open(deals)
    const mapsDb = await openDatabase(join(paths.store, 'repair-maps'))
    const { genesisHash } = chain.network
    const maps = new RepairMaps({ db: mapsDb, book, genesisHash })
    const databases = [deals, leasesDb, mapsDb]
    const role = new ProviderRole(init, store, { book, leases, maps, databases })
    await role.offers.restore()
    return role
  }

  async start(): Promise<void> {
    for (const part of this.#parts) await part.start()
    this.#chain.net.announce(PROVIDER_ROLE)
  }

  async stop(): Promise<void> {
    for (const part of this.#parts.toReversed()) await part.stop()
    await this.store.close()
    for (const db of this.#databases) await db.close()
  }

  /** Puts the provider on the ledger's register, once. Resolves when it is there. */
  async register(): Promise<void> {
    const { replica, wallet, nodeKey, network, sender } = this.#chain
    if (replica.provider(wallet.publicKey) !== undefined) return
    // A provider is often started right after it was funded, on a replica that has not seen it yet.
    const funded = (): boolean => replica.account(wallet.publicKey).availableUnits > 0n
    await waitUntil(replica, funded, FUNDS_LAG_MS, this.#chain.signal)
    const peerSignature = signPeerBinding(nodeKey, {
      ...network,
      account: wallet.publicKey,
      peerKey: nodeKey.publicKey
    })
    const payload = { peerKey: nodeKey.publicKey, peerSignature }
    await sender.send({ kind: 'providerRegister', payload })
    this.#logger.info('provider.registered')
  }
}

interface OpenedBooks {
  book: DealBook
  leases: Leases
  maps: RepairMaps
  databases: BytesDb[]
}
