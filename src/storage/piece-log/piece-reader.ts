/** Reads pieces out of logs, and checks each group against its checksum. */
import { equal, toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { MIB } from '../../base/limits.ts'
import { errorCodeOf } from '../disk-trouble.ts'
import { damagedGroups, groupExtent } from '../piece-checksums.ts'
import type { PieceGroups } from '../piece-store.ts'
import type { Catalog } from './catalog.ts'
import type { Entry } from './catalog-format.ts'
import type { Disks } from './disks.ts'
import { type DiskFile, readSectors } from './file-system.ts'
import {
  decodeTrailer,
  decodeTrailerBody,
  HEAD_BYTES,
  type StoreIdentity,
  type TrailerBody
} from './log-format.ts'
import type { ReadHandles } from './read-handles.ts'

/** Checksums and outboards of the pieces read last; those of a piece of 4 MiB take 9 KiB. */
const TRAILER_CACHE_BYTES: number = 16 * MIB
/** A piece can move so often between the look into the index and the read. */
const ATTEMPTS = 8

/** A piece and where it lies. */
export interface Located {
  readonly root: Uint8Array
  readonly entry: Entry
}

export interface PieceReaderInit {
  readonly catalog: Catalog
  readonly disks: Disks
  readonly handles: ReadHandles
  readonly identity: StoreIdentity
}

export class PieceReader {
  readonly #init: PieceReaderInit
  readonly #trailers = new TrailerCache()

  constructor(init: PieceReaderInit) {
    this.#init = init
  }

  /** The entry of a piece that is stored, not of one in the trash. */
  async stored(root: Uint8Array): Promise<Entry | undefined> {
    const entry = await this.#init.catalog.get(root)
    return entry?.purgeAt === 0 ? entry : undefined
  }

  /** @throws HoldfastError PIECE_NOT_FOUND, PIECE_DAMAGED */
  async outboard(root: Uint8Array): Promise<Uint8Array> {
    const trailer = await this.#locate(root, (entry, file) => this.trailerOf(file, { root, entry }))
    if (trailer === undefined) {
      throw new HoldfastError('PIECE_DAMAGED', `piece ${toHex(root)}: its checksums are damaged`)
    }
    return trailer.outboard.slice()
  }

  /** @throws HoldfastError PIECE_NOT_FOUND, RANGE_INVALID, PIECE_DAMAGED */
  groups(root: Uint8Array, firstGroup: number, groups: number): Promise<PieceGroups> {
    return this.#locate(root, (entry, file) =>
      this.checked(file, entry, () => this.trailerOf(file, { root, entry }), firstGroup, groups)
    )
  }

  /** Reads groups at a known place; without a readable trailer every group counts as damaged. */
  async checked(
    file: DiskFile,
    entry: Entry,
    trailer: () => Promise<TrailerBody | undefined>,
    firstGroup: number,
    groups: number
  ): Promise<PieceGroups> {
    const extent = groupExtent(entry.bytes, firstGroup, groups)
    const bytes = new Uint8Array(extent.bytes)
    const at = entry.offset + HEAD_BYTES + extent.offset
    const [body, filled] = await Promise.all([trailer(), readSectors(file, bytes, at)])
    bytes.fill(0, filled)
    const damaged =
      body === undefined
        ? Array.from({ length: groups }, (_, i) => firstGroup + i)
        : damagedGroups(bytes, firstGroup, body.checksums)
    return { bytes, damaged }
  }

  /** Checksums and outboard; undefined when they are damaged. */
  async trailerOf(file: DiskFile, place: Located): Promise<TrailerBody | undefined> {
    const cached = this.#trailers.get(place.entry)
    if (cached !== undefined) return cached
    const body = await this.freshTrailerOf(file, place)
    if (body !== undefined) this.#trailers.add(place.entry, body)
    return body
  }

  /** As trailerOf, from the disk. */
  async freshTrailerOf(file: DiskFile, { root, entry }: Located): Promise<TrailerBody | undefined> {
    const at = entry.offset + HEAD_BYTES + entry.bytes
    const bytes = Buffer.alloc(entry.recordBytes - HEAD_BYTES - entry.bytes)
    await readSectors(file, bytes, at)
    const mark = this.#init.identity.markOf(entry.log)
    const facts = decodeTrailer(bytes, mark, at)
    if (facts === undefined || !equal(facts.root, root)) return undefined
    return decodeTrailerBody(bytes, entry.bytes)
  }

  /** Reads at the place where the piece is now; a piece that moves meanwhile is followed. */
  async #locate<T>(
    root: Uint8Array,
    work: (entry: Entry, file: DiskFile) => Promise<T>
  ): Promise<T> {
    const { catalog, disks, handles } = this.#init
    for (let attempt = 1; ; attempt++) {
      const entry = await this.stored(root)
      if (entry === undefined) {
        throw new HoldfastError('PIECE_NOT_FOUND', `no piece ${toHex(root)}`)
      }
      const moved = catalog.log(entry.log) === undefined
      if (moved && attempt < ATTEMPTS) continue
      try {
        if (moved) throw new Error('its log is missing')
        return await handles.use(entry.log, disks.pathOf(entry.log), file => work(entry, file))
      } catch (cause) {
        if (HoldfastError.is(cause)) throw cause
        const gone = catalog.log(entry.log) === undefined
        if (gone && attempt < ATTEMPTS && errorCodeOf(cause) === 'ENOENT') continue
        throw new HoldfastError('PIECE_DAMAGED', `piece ${toHex(root)}: ${messageOf(cause)}`, {
          cause
        })
      }
    }
  }
}

/** The last used trailers, by place: what stands at a place never changes. */
class TrailerCache {
  readonly #bodies = new Map<string, TrailerBody>()
  #bytes = 0

  get(entry: Entry): TrailerBody | undefined {
    const key = keyOf(entry)
    const body = this.#bodies.get(key)
    if (body === undefined) return undefined
    this.#bodies.delete(key)
    this.#bodies.set(key, body)
    return body
  }

  add(entry: Entry, body: TrailerBody): void {
    if (this.#bodies.has(keyOf(entry))) return
    this.#bodies.set(keyOf(entry), body)
    this.#bytes += sizeOf(body)
    for (const [key, oldest] of this.#bodies) {
      if (this.#bytes <= TRAILER_CACHE_BYTES) return
      this.#bodies.delete(key)
      this.#bytes -= sizeOf(oldest)
    }
  }
}

function keyOf({ log, offset }: Entry): string {
  return `${log}/${offset}`
}

function sizeOf({ checksums, outboard }: TrailerBody): number {
  return checksums.length + outboard.length
}
