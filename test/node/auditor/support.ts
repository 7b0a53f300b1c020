/** A provider with a deal of some pieces, and a stranger who audits it: no role, no money, no key that counts. */
import { join } from 'node:path'
import { silentLogger } from '../../../src/base/ports.ts'
import { revisionType, signRevision } from '../../../src/ledger/index.ts'
import { type AuditorContext, createAuditor } from '../../../src/node/auditor/context.ts'
import type { PieceEntry } from '../../../src/node/deals/types.ts'
import { type BytesDb, openDatabase } from '../../../src/node/open-database.ts'
import { serveAudits } from '../../../src/node/provider/audit-serve.ts'
import { serveRepairMaps } from '../../../src/node/provider/repair-map-serve.ts'
import { RepairMaps } from '../../../src/node/provider/repair-maps.ts'
import { encodeRepairMap, type PieceStore, repairMapCid } from '../../../src/storage/index.ts'
import type { SeededRandom } from '../../storage/random.ts'
import { type OpenedDeal, ProviderWorld } from '../provider/support.ts'

export const PIECE_BYTES = 20_000

export class AuditedWorld {
  readonly world: ProviderWorld
  readonly maps: RepairMaps
  readonly auditor: AuditorContext
  readonly deal: OpenedDeal
  /** In slots 0, 1, … of the deal. */
  readonly pieces: PieceEntry[]
  /** Advanced by tests. */
  readonly time: { ms: number }
  readonly #db: BytesDb

  private constructor(init: {
    world: ProviderWorld
    db: BytesDb
    maps: RepairMaps
    deal: OpenedDeal
    pieces: PieceEntry[]
    auditor: AuditorContext
    time: { ms: number }
  }) {
    this.world = init.world
    this.#db = init.db
    this.maps = init.maps
    this.deal = init.deal
    this.pieces = init.pieces
    this.auditor = init.auditor
    this.time = init.time
  }

  static async make(random: SeededRandom, store?: PieceStore): Promise<AuditedWorld> {
    const world = await ProviderWorld.make(store)
    const { book, replica } = world
    const { net } = world.provider
    net.roles.push('provider')
    const db = await openDatabase(join(world.folder, 'maps'))
    const { genesisHash } = replica.network
    const maps = new RepairMaps({ db, book, genesisHash })
    const time = { ms: 0 }
    const clock = { nowMs: () => time.ms }
    const onDamage = (): void => {}
    serveAudits({ net, book, store: world.store, clock, onDamage })
    serveRepairMaps({ net, book, maps, clock, logger: silentLogger })
    const deal = await world.openDeal()
    const pieces: PieceEntry[] = []
    for (let i = 0; i < 3; i++) pieces.push(await world.place(random.bytes(PIECE_BYTES)))
    const auditor = createAuditor({
      net: world.stranger.net,
      replica,
      network: replica.network,
      random,
      clock: { nowMs: () => Date.now() },
      logger: silentLogger,
      signal: new AbortController().signal
    })
    const made = new AuditedWorld({ world, db, maps, deal, pieces, auditor, time })
    await made.revise(pieces)
    return made
  }

  async close(): Promise<void> {
    await this.#db.close()
    await this.world.close()
  }

  /** Adds pieces and empties slots, signed by both; the ledger does not hear of it. */
  async revise(adds: readonly PieceEntry[], removes: readonly number[] = []): Promise<void> {
    const next = this.world.nextRevision(this.deal, adds, removes)
    await this.world.revise(next, signRevision(this.world.client.wallet, next.revision))
  }

  /** Posts the newest revision. */
  async post(): Promise<void> {
    const file = this.world.book.get(this.deal.id)!
    const log = (await file.revision(file.head.revision))!
    const revision = revisionType.deserialize(log.revision)
    const { clientSignature, providerSignature } = log
    const payload = { revision, clientSignature, providerSignature }
    await this.world.block([this.world.provider.wallet, { kind: 'dealRevise', payload }])
  }

  /** A map of one segment of all pieces. */
  map(changes: { network?: Uint8Array; slots?: number[] } = {}): {
    bytes: Uint8Array
    cid: string
  } {
    const pieces = this.pieces.map(({ root }, i) => {
      return { root, deal: this.deal.id, slot: changes.slots?.[i] ?? i }
    })
    const bytes = encodeRepairMap({
      version: 1,
      network: changes.network ?? this.world.replica.network.genesisHash,
      profile: { k: 1, n: pieces.length },
      segments: [{ pieceBytes: PIECE_BYTES, pieces }]
    })
    return { bytes, cid: repairMapCid(bytes) }
  }
}
