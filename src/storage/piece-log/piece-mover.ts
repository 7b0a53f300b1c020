/** Copies pieces from one log to another: byte for byte, with the checksums they came with. */
import { toHex } from '../../base/bytes.ts'
import { MIB } from '../../base/limits.ts'
import type { KeyedMutex } from '../../base/mutex.ts'
import type { Appender, PieceRecord } from './appender.ts'
import type { Catalog } from './catalog.ts'
import type { Entry } from './catalog-format.ts'
import type { Disk, Disks } from './disks.ts'
import { type DiskFile, readSectors } from './file-system.ts'
import { HEAD_BYTES } from './log-format.ts'
import type { Pacer } from './pacer.ts'
import type { Located, PieceReader } from './piece-reader.ts'
import type { ReadHandles } from './read-handles.ts'

const COPY_BYTES: number = 1 * MIB

export interface PieceMoverInit {
  readonly catalog: Catalog
  readonly disks: Disks
  readonly handles: ReadHandles
  readonly reader: PieceReader
  readonly appender: Appender
  readonly locks: KeyedMutex
  readonly pacer: Pacer
  /** Pieces up to here are copied together. */
  readonly smallBytesMax: number
  endTickOf(leaseEnd: number): number
}

export class PieceMover {
  readonly #init: PieceMoverInit

  constructor(init: PieceMoverInit) {
    this.#init = init
  }

  /** Moves the pieces that still lie where the caller saw them; returns the roots that cannot be moved. */
  async move(places: readonly Located[]): Promise<Uint8Array[]> {
    const { smallBytesMax } = this.#init
    const stuck: Uint8Array[] = []
    const moveOne = async (place: Located): Promise<void> => {
      if (!(await this.#moveOne(place))) stuck.push(place.root)
    }
    await Promise.all(places.filter(({ entry }) => entry.bytes <= smallBytesMax).map(moveOne))
    for (const place of places) if (place.entry.bytes > smallBytesMax) await moveOne(place)
    return stuck
  }

  async #moveOne({ root, entry }: Located): Promise<boolean> {
    const { catalog, disks, handles, reader, locks, pacer } = this.#init
    await pacer.take(entry.recordBytes)
    return await locks.run(toHex(root), async () => {
      const before = await catalog.get(root)
      if (before?.log !== entry.log || before.offset !== entry.offset) return true
      return await handles.use(entry.log, disks.pathOf(entry.log), async file => {
        const trailer = await reader.freshTrailerOf(file, { root, entry: before })
        if (trailer === undefined) return false
        const { bytes, leaseEnd, purgeAt } = before
        await this.#copy(
          file,
          { root, bytes, ...trailer, leaseEnd, purgeAt, before, isNew: false },
          before
        )
        return true
      })
    })
  }

  async #copy(file: DiskFile, record: PieceRecord, from: Entry): Promise<void> {
    const { catalog, disks, appender, smallBytesMax } = this.#init
    const disk = disks.writable(disks.all[catalog.log(from.log)!.disk])
    const endTick = this.#init.endTickOf(from.leaseEnd)
    if (from.bytes > smallBytesMax) {
      await this.#copyLarge(file, record, from, disk, endTick)
      return
    }
    const body = new Uint8Array(from.bytes)
    await readSectors(file, body, from.offset + HEAD_BYTES)
    await appender.putSmall(disk, endTick, record, body)
  }

  async #copyLarge(
    file: DiskFile,
    record: PieceRecord,
    from: Entry,
    disk: Disk,
    endTick: number
  ): Promise<void> {
    const { appender, disks } = this.#init
    const opened = await appender.begin(disk, endTick, from.bytes)
    const buffer = new Uint8Array(Math.min(COPY_BYTES, from.bytes))
    try {
      for (let at = 0; at < from.bytes; at += buffer.length) {
        const part = buffer.subarray(0, from.bytes - at)
        await readSectors(file, part, from.offset + HEAD_BYTES + at)
        await opened.writer.append([part])
      }
    } catch (cause) {
      await appender.abandon(opened)
      throw disks.trouble(cause, disk)
    }
    await appender.finish(opened, record)
  }
}
