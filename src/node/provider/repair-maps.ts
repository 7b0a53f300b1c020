/**
 * The repair maps of the objects whose pieces are stored here. A client hands one over for each of its deals that the
 * map names; it stays as long as such a deal holds pieces of it. Durable before it is acknowledged, bounded per deal.
 */
import type { Level } from 'level'
import { equal, fromHex, toHex } from '../../base/bytes.ts'
import { decodeDocument, encodeDocument } from '../../base/codec.ts'
import { HoldfastError } from '../../base/errors.ts'
import { sha256 } from '../../base/hash.ts'
import { MIB } from '../../base/limits.ts'
import { KeyedMutex } from '../../base/mutex.ts'
import { decodeRepairMap, type MapPiece, REPAIR_MAP_BYTES_MAX } from '../../storage/index.ts'
import type { DealBook, DealFile } from '../deals/deal-book.ts'
import * as keys from './repair-map-keys.ts'

/** Bytes of all maps of one deal, each counted whole. */
export const MAPS_BYTES_PER_DEAL_MAX: number = 64 * MIB
const REFERENCE_BYTES_MAX = 256
/** Entries that one sweep looks at; the next one goes on from there. */
const SWEEP_ENTRIES_MAX = 1_000

export interface RepairMapsInit {
  db: Level<string, Uint8Array>
  book: DealBook
  /** 32 bytes. */
  genesisHash: Uint8Array
}

/** One piece of the deal stands for all of a map: an object is removed as a whole. */
interface Reference {
  bytes: number
  root: Uint8Array
  slot: number
}

export class RepairMaps {
  readonly #init: RepairMapsInit
  readonly #mutex = new KeyedMutex()
  /** Bytes of the maps of a deal, counted when first asked for. */
  readonly #bytes = new Map<string, number>()
  #sweptTo = ''

  constructor(init: RepairMapsInit) {
    this.#init = init
  }

  /** @throws HoldfastError QUOTA_EXCEEDED when the deal has no room for a map of this length */
  async assertRoom(deal: Uint8Array, bytes: number): Promise<void> {
    const used = await this.#bytesOf(toHex(deal))
    if (used + bytes <= MAPS_BYTES_PER_DEAL_MAX) return
    throw new HoldfastError('QUOTA_EXCEEDED', 'the deal has no room for another repair map', {
      details: { usedBytes: used, bytesMax: MAPS_BYTES_PER_DEAL_MAX }
    })
  }

  /**
   * Keeps a map for a deal. Durable when it resolves.
   * @returns its 32-byte digest
   * @throws HoldfastError MANIFEST_INVALID unless it is a map of this network whose pieces of the deal are held by it;
   *   QUOTA_EXCEEDED
   */
  async add(deal: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
    const root = this.#checked(deal, bytes)
    const digest = sha256(bytes)
    const [id, name] = [toHex(deal), toHex(digest)]
    return await this.#mutex.run(id, async () => {
      const { db } = this.#init
      if ((await db.get(keys.ofDeal(id, name))) !== undefined) return digest
      await this.assertRoom(deal, bytes.length)
      const reference: Reference = { bytes: bytes.length, root: root.root, slot: root.slot }
      await db.batch(
        [
          { type: 'put', key: keys.map(name), value: bytes },
          { type: 'put', key: keys.ofDeal(id, name), value: encodeDocument(reference) },
          { type: 'put', key: keys.ofMap(name, id), value: new Uint8Array(0) }
        ],
        { sync: true }
      )
      this.#bytes.set(id, (await this.#bytesOf(id)) + bytes.length)
      return digest
    })
  }

  /** The map with this digest; undefined when it is not here. */
  async get(digest: Uint8Array): Promise<Uint8Array | undefined> {
    return await this.#init.db.get(keys.map(toHex(digest)))
  }

  /** Digests of the maps that name a deal, ascending, from after one on. */
  async list(deal: Uint8Array, limit: number, after?: Uint8Array): Promise<Uint8Array[]> {
    const range = keys.mapsOf(toHex(deal), after && toHex(after))
    const found = await this.#init.db.keys({ ...range, limit }).all()
    return found.map(key => fromHex(keys.digestOfKey(key)))
  }

  /** Forgets a map for a deal; nothing to do when it is not here. */
  async drop(deal: Uint8Array, digest: Uint8Array): Promise<void> {
    const [id, name] = [toHex(deal), toHex(digest)]
    await this.#mutex.run(id, () => this.#remove(id, name))
  }

  /** Looks at some of the entries: those of deals that ended, and of objects that left their deal, go. */
  async sweep(): Promise<void> {
    const { db, book } = this.#init
    const range = { ...keys.allAfter(this.#sweptTo), limit: SWEEP_ENTRIES_MAX }
    const entries = await db.iterator(range).all()
    for (const [key, value] of entries) {
      const [id, name] = [keys.dealOfKey(key), keys.digestOfKey(key)]
      const { root, slot } = decodeDocument(value, REFERENCE_BYTES_MAX) as Reference
      if (holds(book.get(fromHex(id)), { root, slot })) continue
      await this.#mutex.run(id, () => this.#remove(id, name))
    }
    this.#sweptTo = entries.length < SWEEP_ENTRIES_MAX ? '' : entries.at(-1)![0]
  }

  async #remove(id: string, name: string): Promise<void> {
    const { db } = this.#init
    const value = await db.get(keys.ofDeal(id, name))
    if (value === undefined) return
    const { bytes } = decodeDocument(value, REFERENCE_BYTES_MAX) as Reference
    const used = await this.#bytesOf(id)
    const others = await db.keys({ ...keys.dealsOf(name), limit: 2 }).all()
    await db.batch([
      { type: 'del', key: keys.ofDeal(id, name) },
      { type: 'del', key: keys.ofMap(name, id) },
      ...(others.length > 1 ? [] : [{ type: 'del' as const, key: keys.map(name) }])
    ])
    this.#bytes.set(id, used - bytes)
  }

  async #bytesOf(id: string): Promise<number> {
    const known = this.#bytes.get(id)
    if (known !== undefined) return known
    let bytes = 0
    for await (const value of this.#init.db.values(keys.mapsOf(id))) {
      bytes += (decodeDocument(value, REFERENCE_BYTES_MAX) as Reference).bytes
    }
    this.#bytes.set(id, bytes)
    return bytes
  }

  /** A piece of the deal that the map names. */
  #checked(deal: Uint8Array, bytes: Uint8Array): MapPiece {
    const { genesisHash, book } = this.#init
    if (bytes.length > REPAIR_MAP_BYTES_MAX) throw invalid('is too long')
    const { network, segments } = decodeRepairMap(bytes)
    if (!equal(network, genesisHash)) throw invalid('is of another network')
    const file = book.get(deal)
    let first: MapPiece | undefined
    for (const { pieces } of segments) {
      for (const piece of pieces) {
        if (!equal(piece.deal, deal)) continue
        if (!holds(file, piece)) throw invalid('names a piece that the deal does not hold')
        first ??= piece
      }
    }
    if (first === undefined) throw invalid('does not name the deal')
    return first
  }
}

function holds(
  file: DealFile | undefined,
  { root, slot }: { root: Uint8Array; slot: number }
): boolean {
  if (file === undefined || slot >= file.tree.slots) return false
  const entry = file.tree.get(slot)
  return entry !== undefined && equal(entry.root, root)
}

function invalid(reason: string): HoldfastError {
  return new HoldfastError('MANIFEST_INVALID', `the repair map ${reason}`)
}
