/**
 * Brings index and logs back together when a store opens. The index says how far it knows each log; only what lies
 * behind is read, which is nothing after a clean stop and little after a crash. A log that the index does not know, or
 * every log when there is no index, is read from its start (log-replay.ts).
 */
import { join } from 'node:path'
import { HoldfastError } from '../../base/errors.ts'
import type { StoredPiece } from '../piece-store.ts'
import type { Catalog } from './catalog.ts'
import { type Entry, emptyLog, type LogState } from './catalog-format.ts'
import type { Disk, Disks } from './disks.ts'
import { type DiskFile, type FileSystem, readSectors } from './file-system.ts'
import {
  checkLogHeader,
  LOG_HEADER_BYTES,
  type LogName,
  nameOfLog,
  parseLogName,
  type StoreIdentity
} from './log-format.ts'
import { type LogRange, LogReplay } from './log-replay.ts'
import { scanLog } from './log-scan.ts'
import type { PieceReader } from './piece-reader.ts'

/** File lengths asked for at once. */
const SIZES_IN_FLIGHT_MAX = 64

export interface RecoveryReport {
  /** True when there was no index and all logs were read. */
  readonly rebuilt: boolean
  /** Bytes of logs that had to be read. */
  readonly scannedBytes: number
  /** Ends of logs that were no record: writes that were under way in a crash. Cut off. */
  readonly tornTails: readonly LogRange[]
  /** Records that cannot be read, between others that can. */
  readonly damaged: readonly LogRange[]
  /** Pieces that the index knows and no log holds. */
  readonly lost: readonly StoredPiece[]
  /** Files that are not ours: logs of another node, and names we never give. Left alone. */
  readonly foreign: readonly string[]
}

export interface RecoveryInit {
  readonly fs: FileSystem
  readonly catalog: Catalog
  readonly disks: Disks
  readonly identity: StoreIdentity
  readonly reader: PieceReader
  readonly flushBytesMax: number
}

interface LogFile {
  readonly name: LogName
  readonly disk: Disk
  readonly path: string
  readonly bytes: number
}

/** @throws HoldfastError STORE_READ_ONLY when the logs of a disk have vanished, or all logs are of another node */
export async function recover(init: RecoveryInit, rebuilt: boolean): Promise<RecoveryReport> {
  return await new Recovery(init).run(rebuilt)
}

class Recovery {
  readonly #init: RecoveryInit
  readonly #replay: LogReplay
  readonly #lost: StoredPiece[] = []
  readonly #foreign: string[] = []

  constructor(init: RecoveryInit) {
    this.#init = init
    this.#replay = new LogReplay(init)
  }

  async run(rebuilt: boolean): Promise<RecoveryReport> {
    const { catalog, disks } = this.#init
    const files: LogFile[] = []
    for (const disk of disks.all) files.push(...(await this.#filesOf(disk)))
    this.#checkMounted(files)
    for (const file of files) catalog.sawLog(file.name.id)
    let foreignLogs = 0
    for (const file of files) if (!(await this.#takeIn(file))) foreignLogs += 1
    if (rebuilt && foreignLogs > 0 && catalog.logs().length === 0) {
      throw new HoldfastError('STORE_READ_ONLY', 'the piece logs belong to another node', {
        hint: 'bring back the keys of that node, or move its logs away'
      })
    }
    await this.#replay.finish()
    await this.#dropMissing(files)
    await this.#dropCut(files)
    for (const { id, disk, tail, endTick, isEmptying } of catalog.logs()) {
      if (!isEmptying) disks.all[disk]!.pool.offer({ id, endTick }, tail)
    }
    await catalog.sync()
    const { scannedBytes, tornTails, damaged } = this.#replay
    const [lost, foreign] = [this.#lost, this.#foreign]
    return { rebuilt, scannedBytes, tornTails, damaged, lost, foreign }
  }

  async #filesOf(disk: Disk): Promise<LogFile[]> {
    const { fs } = this.#init
    await fs.makeFolder(disk.folder)
    const files: LogFile[] = []
    const names = await fs.list(disk.folder)
    for (let at = 0; at < names.length; at += SIZES_IN_FLIGHT_MAX) {
      const sized = names.slice(at, at + SIZES_IN_FLIGHT_MAX).map(async text => {
        const name = parseLogName(text)
        const path = join(disk.folder, text)
        if (name === undefined) this.#foreign.push(text)
        else files.push({ name, disk, path, bytes: await fs.size(path) })
      })
      await Promise.all(sized)
    }
    return files.sort((a, b) => a.name.id - b.name.id)
  }

  /** A disk without any of its logs is far more likely not mounted than lost. */
  #checkMounted(files: readonly LogFile[]): void {
    const { catalog, disks } = this.#init
    const present = new Set(files.map(({ name }) => name.id))
    const absent = new Set<number>()
    const seen = new Set<number>()
    for (const log of catalog.logs()) {
      if (log.livePieces === 0) continue
      const where = present.has(log.id) ? seen : absent
      where.add(log.disk)
    }
    for (const index of absent) {
      if (seen.has(index)) continue
      const folder = disks.all[index]?.folder ?? 'a folder that is no longer configured'
      throw new HoldfastError('STORE_READ_ONLY', `every log of ${folder} is missing`, {
        hint: 'mount the disk with the pieces folder; if they are lost, delete the piece index'
      })
    }
  }

  /** Brings the index up to the end of one log; false if the log is not ours. */
  async #takeIn({ name, disk, path, bytes }: LogFile): Promise<boolean> {
    const { fs, catalog } = this.#init
    const known = catalog.log(name.id)
    if (known !== undefined && known.disk !== disk.index) {
      catalog.addLog({ ...known, disk: disk.index })
    }
    if (known !== undefined && bytes <= known.tail) return true
    const file = await fs.open(path, 'write')
    try {
      const owner = known === undefined ? await this.#ownerOf(file, name, bytes) : 'ours'
      if (owner === 'foreign') this.#foreign.push(nameOfLog(name))
      if (owner === 'nobody') await this.#unlink(path, disk)
      if (owner !== 'ours') return owner === 'nobody'
      if (known === undefined) catalog.addLog(emptyLog(name.id, name.endTick, disk.index))
      await this.#replay.read(file, name, known?.tail ?? LOG_HEADER_BYTES, bytes)
    } finally {
      await file.close()
    }
    return true
  }

  /** `nobody`: made by us when the power went, and still empty. */
  async #ownerOf(
    file: DiskFile,
    name: LogName,
    bytes: number
  ): Promise<'ours' | 'foreign' | 'nobody'> {
    const { identity } = this.#init
    const header = Buffer.alloc(LOG_HEADER_BYTES)
    await readSectors(file, header, 0)
    const verdict = checkLogHeader(header, identity.storeId, name.id)
    if (verdict !== 'unreadable') return verdict === 'ours' ? 'ours' : 'foreign'
    // A log whose header is damaged is ours when it holds one of our records.
    for await (const found of scanLog(file, identity.markOf(name.id), LOG_HEADER_BYTES, bytes)) {
      if (found.kind !== 'unreadable') return 'ours'
    }
    return bytes <= LOG_HEADER_BYTES ? 'nobody' : 'foreign'
  }

  async #unlink(path: string, disk: Disk): Promise<void> {
    await this.#init.fs.unlink(path)
    await this.#init.fs.syncFolder(disk.folder)
  }

  /** Logs that are gone: what the index still has in them is lost. */
  async #dropMissing(files: readonly LogFile[]): Promise<void> {
    const { catalog } = this.#init
    const present = new Set(files.map(({ name }) => name.id))
    const missing = catalog.logs().filter(log => !present.has(log.id))
    const holding = new Set(missing.filter(holdsPieces).map(log => log.id))
    if (holding.size > 0) await this.#lose(entry => holding.has(entry.log))
    for (const { id } of missing) await catalog.dropLog(id)
  }

  /** Logs that end before the index says: somebody cut them. */
  async #dropCut(files: readonly LogFile[]): Promise<void> {
    const { catalog } = this.#init
    const ends = new Map<number, number>()
    for (const { name, bytes } of files) {
      const state = catalog.log(name.id)
      if (state !== undefined && bytes < state.tail) ends.set(name.id, bytes)
    }
    if (ends.size === 0) return
    const endOf = (log: number): number => ends.get(log) ?? Infinity
    await this.#lose(({ log, offset, recordBytes }) => offset + recordBytes > endOf(log))
    for (const [log, bytes] of ends) {
      const tail = Math.max(bytes, LOG_HEADER_BYTES)
      await catalog.apply([{ grown: { log, tail, noteBytes: 0 } }])
    }
  }

  async #lose(isLost: (entry: Entry) => boolean): Promise<void> {
    const { catalog } = this.#init
    for await (const { root, entry } of catalog.entries()) {
      if (!isLost(entry)) continue
      if (entry.purgeAt === 0) this.#lost.push({ root, bytes: entry.bytes })
      await catalog.apply([{ root, before: entry, after: undefined }])
    }
  }
}

function holdsPieces({ livePieces, trashPieces }: LogState): boolean {
  return livePieces + trashPieces > 0
}
