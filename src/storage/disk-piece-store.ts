/**
 * PieceStore on a disk: `<dir>/pieces/` holds the bytes (piece-files.ts), `<dir>/piece-index/` the index
 * (piece-index.ts). Order of a commit: fsync the file, rename it into place, fsync the folder, write the synced index
 * entry, acknowledge. A crash in between leaves a file that recovery removes. Order of a removal: index entry, file.
 */
import { join } from 'node:path'
import { assert } from '../base/assert.ts'
import { toHex } from '../base/bytes.ts'
import { HoldfastError, messageOf } from '../base/errors.ts'
import { KeyedMutex } from '../base/mutex.ts'
import { type Logger, silentLogger } from '../base/ports.ts'
import { DiskStagedPiece, type StagingStore } from './disk-staged-piece.ts'
import { diskTroubleOf } from './disk-trouble.ts'
import { damagedGroups, groupExtent } from './piece-checksums.ts'
import { createPieceFiles, type PieceFiles } from './piece-files.ts'
import { PieceIndex, type PieceRecord } from './piece-index.ts'
import { type RecoveryReport, recoverPieces } from './piece-recovery.ts'
import { PieceSpace } from './piece-space.ts'
import type {
  PieceGroups,
  PieceStore,
  PieceUsage,
  StagedPiece,
  StoredPiece
} from './piece-store.ts'

export interface DiskPieceStoreInit {
  /** Home of the store; made if it is missing. */
  readonly dir: string
  /** Limit of stored and staged bytes together. */
  readonly quotaBytes: number
  /** @default silent */
  readonly logger?: Logger
  /** @default the files under `<dir>/pieces/` */
  readonly files?: PieceFiles
}

export interface DiskPieceStore extends PieceStore {
  /** What opening found and did; undefined before. */
  recovery(): RecoveryReport | undefined
}

export function createDiskPieceStore(init: DiskPieceStoreInit): DiskPieceStore {
  return new DiskStore(init)
}

export function piecesFolder(dir: string): string {
  return join(dir, 'pieces')
}

class DiskStore implements DiskPieceStore, StagingStore {
  readonly #files: PieceFiles
  readonly #index: PieceIndex
  readonly #space: PieceSpace
  readonly #logger: Logger
  /** Commits and removals of one root, one after the other. */
  readonly #locks = new KeyedMutex()
  readonly #staged = new Set<DiskStagedPiece>()
  #recovery: RecoveryReport | undefined
  #state: 'new' | 'open' | 'closed' = 'new'
  #readOnly = false
  #stagedCount = 0

  constructor({ dir, quotaBytes, logger, files }: DiskPieceStoreInit) {
    this.#files = files ?? createPieceFiles(piecesFolder(dir))
    this.#index = new PieceIndex(join(dir, 'piece-index'))
    this.#space = new PieceSpace(quotaBytes)
    this.#logger = logger ?? silentLogger
  }

  async open(): Promise<void> {
    assert(this.#state === 'new', 'a piece store is opened once')
    await this.#index.open()
    try {
      const report = await recoverPieces(this.#files, this.#index, piece =>
        this.#space.add(piece.bytes)
      )
      this.#report(report)
    } catch (cause) {
      await this.#index.close()
      throw diskTroubleOf(cause, 'open the piece store').error
    }
    this.#state = 'open'
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    await Promise.all(Array.from(this.#staged, piece => piece.abort()))
    await this.#index.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  recovery(): RecoveryReport | undefined {
    return this.#recovery
  }

  async stage(bytes: number): Promise<StagedPiece> {
    this.#assertOpen()
    this.checkWritable()
    this.#space.reserve(bytes)
    const name = `stage-${this.#stagedCount++}`
    try {
      const file = await this.#files.create(name)
      const piece = new DiskStagedPiece(this, name, bytes, file)
      this.#staged.add(piece)
      if (this.#state !== 'open') await piece.abort()
      return piece
    } catch (cause) {
      this.#space.release(bytes)
      throw this.trouble(cause)
    }
  }

  async has(root: Uint8Array): Promise<boolean> {
    return (await this.stat(root)) !== undefined
  }

  async stat(root: Uint8Array): Promise<{ bytes: number } | undefined> {
    this.#assertOpen()
    const bytes = await this.#index.bytesOf(root)
    return bytes === undefined ? undefined : { bytes }
  }

  async groupCvs(root: Uint8Array): Promise<Uint8Array> {
    this.#assertOpen()
    const outboard = await this.#index.outboardOf(root)
    if (outboard === undefined) throw notFound(root)
    return outboard
  }

  async readGroups(root: Uint8Array, firstGroup: number, groups: number): Promise<PieceGroups> {
    this.#assertOpen()
    const check = await this.#index.checkOf(root)
    if (check === undefined) throw notFound(root)
    const extent = groupExtent(check.bytes, firstGroup, groups)
    const bytes = new Uint8Array(extent.bytes)
    await this.#readFile(root, extent.offset, bytes)
    const damaged = damagedGroups(bytes, firstGroup, check.checksums)
    if (damaged.length > 0) this.#logger.warn('pieces.damaged', { root: toHex(root), damaged })
    return { bytes, damaged }
  }

  remove(root: Uint8Array): Promise<boolean> {
    this.#assertOpen()
    return this.#locks.run(toHex(root), async () => {
      const bytes = await this.#index.bytesOf(root)
      if (bytes === undefined) return false
      try {
        await this.#index.remove(root)
        await this.#files.remove(root)
      } catch (cause) {
        throw this.trouble(cause)
      }
      this.#space.drop(bytes)
      return true
    })
  }

  roots(): AsyncIterable<StoredPiece> {
    this.#assertOpen()
    return this.#index.pieces()
  }

  usage(): PieceUsage {
    const { usedBytes, reservedBytes, quotaBytes, pieces } = this.#space
    return { usedBytes, reservedBytes, quotaBytes, pieces, readOnly: this.#readOnly }
  }

  publish(name: string, root: Uint8Array, record: PieceRecord): Promise<void> {
    return this.#locks.run(toHex(root), async () => {
      const storedBytes = await this.#index.bytesOf(root)
      assert(storedBytes === undefined || storedBytes === record.bytes, 'one root, one length')
      try {
        await this.#files.publish(name, root)
        await this.#index.put(root, record)
      } catch (cause) {
        // A replaced piece has the same bytes as before; a new one was never acknowledged.
        if (storedBytes === undefined) await this.#files.remove(root).catch(() => {})
        throw cause
      }
      if (storedBytes === undefined) this.#space.add(record.bytes)
    })
  }

  async ended(piece: DiskStagedPiece): Promise<void> {
    this.#staged.delete(piece)
    this.#space.release(piece.bytes)
    // On a failing disk the partial file stays for the next recovery.
    await this.#files.discard(piece.name).catch(cause => {
      this.#logger.warn('pieces.partial-left', { name: piece.name, reason: messageOf(cause) })
    })
  }

  trouble(cause: unknown): unknown {
    const { error, readOnly } = diskTroubleOf(cause, 'write to the piece store')
    if (readOnly && !this.#readOnly) {
      this.#readOnly = true
      this.#logger.error('pieces.read-only', { reason: messageOf(cause) })
    }
    return error
  }

  checkWritable(): void {
    if (!this.#readOnly) return
    throw new HoldfastError('STORE_READ_ONLY', 'disk trouble: the store accepts no writes', {
      hint: 'check the disk and its mount, then restart the node'
    })
  }

  async #readFile(root: Uint8Array, offset: number, into: Uint8Array): Promise<void> {
    let found: boolean
    try {
      found = await this.#files.read(root, offset, into)
    } catch (cause) {
      throw new HoldfastError('PIECE_DAMAGED', `piece ${toHex(root)}: ${messageOf(cause)}`, {
        cause
      })
    }
    // Removed between the two lookups, or deleted behind the store's back.
    if (!found) throw notFound(root)
  }

  #assertOpen(): void {
    assert(this.#state === 'open', 'the piece store is open')
  }

  #report(report: RecoveryReport): void {
    this.#recovery = report
    for (const { root, bytes } of report.lost) {
      this.#logger.error('pieces.lost', { root: toHex(root), bytes })
    }
    for (const name of report.foreign) this.#logger.warn('pieces.foreign-file', { name })
    const { partials, orphans } = report
    const { pieces, usedBytes } = this.#space
    this.#logger.info('pieces.open', { pieces, usedBytes, partials, orphans })
  }
}

function notFound(root: Uint8Array): HoldfastError {
  return new HoldfastError('PIECE_NOT_FOUND', `no piece ${toHex(root)}`)
}
