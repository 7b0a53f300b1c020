/** The parts of a piece store on disk, put together. */
import { join } from 'node:path'
import { assert } from '../../base/assert.ts'
import { MIB } from '../../base/limits.ts'
import { KeyedMutex } from '../../base/mutex.ts'
import type { Logger } from '../../base/ports.ts'
import type { PieceUsage } from '../piece-store.ts'
import { Appender } from './appender.ts'
import { Catalog } from './catalog.ts'
import { Cleaner } from './cleaner.ts'
import { type DiskInit, Disks } from './disks.ts'
import { type FileSystem, nodeFileSystem } from './file-system.ts'
import { type KeyValue, levelKeyValue } from './key-value.ts'
import { type StoreIdentity, storeIdentity, TICK_MAX } from './log-format.ts'
import { LogWalk } from './log-walk.ts'
import { type Pacer, unpaced } from './pacer.ts'
import { PieceMover } from './piece-mover.ts'
import { PieceReader } from './piece-reader.ts'
import { ReadHandles } from './read-handles.ts'
import { Scrubber } from './scrub.ts'
import { Sweeper } from './sweeper.ts'

export interface StoreLimits {
  /** A log takes no record that would end beyond, unless it is its first. */
  readonly logBytesMax: number
  /** Pieces up to here wait in memory for their commit and share an fsync. */
  readonly smallBytesMax: number
  /** Small pieces written by one write. */
  readonly flushBytesMax: number
  /** Piece bytes on their way in at once; more are refused. */
  readonly inFlightBytesMax: number
  /** Garbage may be this share of all bytes on disk: 0.2 means 1.25 bytes on disk for each that is needed, */
  readonly garbageShareMax: number
  /** and so much always. */
  readonly garbageBytesFree: number
}

const DEFAULT_LIMITS: StoreLimits = {
  logBytesMax: 256 * MIB,
  smallBytesMax: MIB / 4,
  flushBytesMax: 8 * MIB,
  inFlightBytesMax: 256 * MIB,
  garbageShareMax: 0.2,
  garbageBytesFree: 64 * MIB
}

export interface DiskPieceStoreInit {
  /** The index is in `<dir>/piece-index/`. */
  readonly dir: string
  /** Limit of stored, trashed and staged piece bytes together. */
  readonly quotaBytes: number
  /** @default one, `<dir>/pieces/`, with the whole quota */
  readonly disks?: readonly DiskInit[]
  /**
   * Secret of the node, 32 bytes: logs of another are refused, and nobody else can make bytes that look like a record.
   * @default zeros
   */
  readonly identity?: Uint8Array
  /** Pieces whose leases end within the same so many ticks share logs. @default 1024 */
  readonly groupTicks?: number
  /** How long a removed or expired piece can still be taken back. @default 0, not at all */
  readonly trashTicks?: number
  /** Pace of compaction. @default none */
  readonly pacer?: Pacer
  /** @default silent */
  readonly logger?: Logger
  readonly limits?: Partial<StoreLimits>
  /** @default this machine's */
  readonly fs?: FileSystem
  /** @default `level` in `<dir>/piece-index/` */
  readonly index?: KeyValue
}

const GROUP_TICKS_DEFAULT = 1024
const NO_OWNER: Uint8Array = new Uint8Array(32)
/** Offsets in logs take 4 bytes. */
const LOG_BYTES_LIMIT: number = 2 ** 31

export interface StoreParts {
  readonly fs: FileSystem
  readonly limits: StoreLimits
  readonly flushBytesMax: number
  readonly trashTicks: number
  readonly identity: StoreIdentity
  readonly locks: KeyedMutex
  readonly catalog: Catalog
  readonly disks: Disks
  readonly handles: ReadHandles
  readonly reader: PieceReader
  readonly appender: Appender
  readonly cleaner: Cleaner
  readonly sweeper: Sweeper
  readonly scrubber: Scrubber
  endTickOf(leaseEnd: number): number
}

export function createParts(init: DiskPieceStoreInit, logger: Logger): StoreParts {
  const { dir, quotaBytes, trashTicks = 0, groupTicks = GROUP_TICKS_DEFAULT } = init
  const limits = { ...DEFAULT_LIMITS, ...init.limits }
  assert(limits.logBytesMax <= LOG_BYTES_LIMIT, 'a log stays below 2 GiB')
  assert(Number.isInteger(groupTicks) && groupTicks > 0, 'leases are grouped by whole ticks')
  const fs = init.fs ?? nodeFileSystem
  const identity = storeIdentity(init.identity ?? NO_OWNER)
  const index = init.index ?? levelKeyValue(join(dir, 'piece-index'))
  const catalog = new Catalog(index, identity.storeId)
  const folders = init.disks ?? [{ folder: join(dir, 'pieces'), quotaBytes }]
  const disks = new Disks(folders, { ...limits, fs, catalog, identity, logger })
  const handles = new ReadHandles(fs)
  const locks = new KeyedMutex()
  const base = { ...limits, fs, catalog, disks, handles, identity, locks, logger, trashTicks }
  const endTickOf = (leaseEnd: number): number =>
    Math.min(TICK_MAX, Math.ceil(leaseEnd / groupTicks) * groupTicks)
  const reader = new PieceReader(base)
  const walk = new LogWalk(base)
  const appender = new Appender(base)
  const pacer = init.pacer ?? unpaced
  const mover = new PieceMover({ ...base, reader, appender, pacer, endTickOf })
  const cleaner = new Cleaner({ ...base, walk, appender, mover })
  const sweeper = new Sweeper({ ...base, walk, cleaner })
  const scrubber = new Scrubber({ ...base, reader, walk })
  return { ...base, limits, reader, appender, cleaner, sweeper, scrubber, endTickOf }
}

export function usageOf({ catalog, disks }: StoreParts): PieceUsage {
  const sums = { usedBytes: 0, pieces: 0, trashBytes: 0, garbageBytes: 0, diskBytes: 0 }
  for (const { index } of disks.all) {
    const totals = catalog.totals(index)
    sums.usedBytes += totals.liveBytes
    sums.pieces += totals.livePieces
    sums.trashBytes += totals.trashBytes
    sums.garbageBytes += totals.garbageBytes + totals.noteBytes
    sums.diskBytes += totals.diskBytes
  }
  const { reservedBytes, quotaBytes, readOnly } = disks
  return { ...sums, reservedBytes, quotaBytes, readOnly }
}
