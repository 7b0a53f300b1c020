/** The folders of a store, each on a disk of its own: room, health, and the logs that can still grow. */
import { join } from 'node:path'
import { assert } from '../../base/assert.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { PIECE_BYTES_MAX } from '../../base/limits.ts'
import type { Logger } from '../../base/ports.ts'
import { diskTroubleOf } from '../disk-trouble.ts'
import type { Catalog } from './catalog.ts'
import { emptyLog } from './catalog-format.ts'
import type { FileSystem } from './file-system.ts'
import { nameOfLog, type StoreIdentity } from './log-format.ts'
import { LogPool } from './log-pool.ts'

export interface DiskInit {
  /** For log files and nothing else; made if it is missing. */
  readonly folder: string
  /** Limit of live, trashed and staged piece bytes together. */
  readonly quotaBytes: number
}

export interface Disk {
  readonly index: number
  readonly folder: string
  readonly quotaBytes: number
  readonly pool: LogPool
  reservedBytes: number
  readOnly: boolean
}

export interface DisksInit {
  readonly fs: FileSystem
  readonly catalog: Catalog
  readonly identity: StoreIdentity
  readonly logBytesMax: number
  /** Limit of staged piece bytes over all disks. */
  readonly inFlightBytesMax: number
  readonly logger: Logger
}

export class Disks {
  readonly all: readonly Disk[]
  readonly #init: DisksInit
  /** The index failed: without it nothing can be written anywhere. */
  #indexFailed = false

  constructor(disks: readonly DiskInit[], init: DisksInit) {
    assert(disks.length > 0, 'a store has at least one folder')
    this.#init = init
    this.all = disks.map((disk, index) => this.#disk(disk, index))
  }

  get readOnly(): boolean {
    return this.#indexFailed || this.all.every(disk => disk.readOnly)
  }

  get reservedBytes(): number {
    return this.all.reduce((sum, disk) => sum + disk.reservedBytes, 0)
  }

  get quotaBytes(): number {
    return this.all.reduce((sum, disk) => sum + disk.quotaBytes, 0)
  }

  /** Of a log that the catalog knows. */
  pathOf(logId: number): string {
    const log = this.#init.catalog.log(logId)
    assert(log !== undefined, 'the log is known')
    return join(this.all[log.disk]!.folder, nameOfLog(log))
  }

  /**
   * Room for a piece, on the disk with the most of it.
   * @throws HoldfastError QUOTA_EXCEEDED, STORE_BUSY, STORE_READ_ONLY, INVALID_ARGUMENT unless 1..PIECE_BYTES_MAX
   */
  reserve(bytes: number): Disk {
    if (!Number.isInteger(bytes) || bytes < 1 || bytes > PIECE_BYTES_MAX) {
      throw new HoldfastError('INVALID_ARGUMENT', `piece of ${bytes} bytes`, {
        hint: `a piece holds 1 to ${PIECE_BYTES_MAX} bytes`
      })
    }
    const disk = this.writable()
    const freeBytes = this.#freeBytes(disk)
    if (bytes > freeBytes) {
      throw new HoldfastError('QUOTA_EXCEEDED', `no room for ${bytes} bytes`, {
        details: { freeBytes: Math.max(0, freeBytes), quotaBytes: this.quotaBytes },
        retryable: true
      })
    }
    const inFlightBytes = this.reservedBytes
    if (inFlightBytes > 0 && inFlightBytes + bytes > this.#init.inFlightBytesMax) {
      throw new HoldfastError('STORE_BUSY', `${inFlightBytes} bytes are on their way to disk`, {
        hint: 'try again in a moment',
        retryable: true
      })
    }
    disk.reservedBytes += bytes
    return disk
  }

  release(disk: Disk, bytes: number): void {
    disk.reservedBytes -= bytes
    assert(disk.reservedBytes >= 0, 'released more than was reserved')
  }

  /** `preferred` if it is writable, else the writable disk with the most room. @throws HoldfastError STORE_READ_ONLY */
  writable(preferred?: Disk): Disk {
    if (!this.#indexFailed) {
      if (preferred?.readOnly === false) return preferred
      const usable = this.all.filter(disk => !disk.readOnly)
      usable.sort((a, b) => this.#freeBytes(b) - this.#freeBytes(a))
      if (usable[0] !== undefined) return usable[0]
    }
    throw new HoldfastError('STORE_READ_ONLY', 'disk trouble: the store accepts no writes', {
      hint: 'check the disk and its mount, then restart the node'
    })
  }

  /** @throws HoldfastError STORE_READ_ONLY when this disk takes no writes */
  checkWritable(disk: Disk): void {
    if (disk.readOnly || this.#indexFailed) {
      throw new HoldfastError('STORE_READ_ONLY', 'disk trouble: this disk accepts no writes', {
        hint: 'check the disk and its mount, then restart the node'
      })
    }
  }

  /** The typed error for a failed write to a disk, or to the index; may turn it read-only. */
  trouble(cause: unknown, disk: Disk | 'index'): unknown {
    const { error, readOnly } = diskTroubleOf(cause, 'write to the piece store')
    if (!readOnly) return error
    const isNew = disk === 'index' ? !this.#indexFailed : !disk.readOnly
    if (disk === 'index') this.#indexFailed = true
    else disk.readOnly = true
    const folder = disk === 'index' ? 'piece index' : disk.folder
    if (isNew) this.#init.logger.error('pieces.read-only', { folder, reason: messageOf(cause) })
    return error
  }

  async close(): Promise<void> {
    for (const { pool } of this.all) await pool.close()
  }

  #freeBytes(disk: Disk): number {
    const { liveBytes, trashBytes } = this.#init.catalog.totals(disk.index)
    return disk.quotaBytes - liveBytes - trashBytes - disk.reservedBytes
  }

  #disk({ folder, quotaBytes }: DiskInit, index: number): Disk {
    assert(Number.isSafeInteger(quotaBytes) && quotaBytes >= 0, 'quota in bytes')
    const { fs, catalog, identity, logBytesMax } = this.#init
    const pool = new LogPool({
      ...{ fs, folder, identity, logBytesMax },
      takeLogId: () => catalog.takeLogId(),
      onCreated: ({ id, endTick }) => catalog.addLog(emptyLog(id, endTick, index))
    })
    return { index, folder, quotaBytes, pool, reservedBytes: 0, readOnly: false }
  }
}
