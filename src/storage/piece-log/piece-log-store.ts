/**
 * PieceStore on one or several disks: append-only logs of pieces grouped by the end of their leases, and an index of
 * where each piece lies. A piece is acknowledged after the fsync of its log; the index can be behind, or gone, and is
 * brought up to the logs when the store opens. Formats: docs/SPEC.md §8, reasons: docs/adr/0013-piece-log.md.
 */
import { assert } from '../../base/assert.ts'
import { toHex } from '../../base/bytes.ts'
import { type Logger, silentLogger } from '../../base/ports.ts'
import { diskTroubleOf } from '../disk-trouble.ts'
import type {
  LeaseRenewal,
  PieceGroups,
  PieceStore,
  PieceUsage,
  ScrubInit,
  ScrubProgress,
  StagedPiece,
  StoredPiece,
  SweepReport
} from '../piece-store.ts'
import type { Entry } from './catalog-format.ts'
import type { Disk } from './disks.ts'
import { type Note, TICK_MAX } from './log-format.ts'
import { notedEntry } from './log-replay.ts'
import { type RecoveryReport, recover } from './recovery.ts'
import {
  bufferSink,
  type CommittedParts,
  LogStagedPiece,
  logSink,
  type Sink,
  type StagingStore
} from './staged-piece.ts'
import { createParts, type DiskPieceStoreInit, type StoreParts, usageOf } from './store-parts.ts'

export interface DiskPieceStore extends PieceStore {
  /** What opening found and did; undefined before. */
  recovery(): RecoveryReport | undefined
  /** Resolves when the cleaning that recent changes caused has ended. */
  settled(): Promise<void>
}

export function createDiskPieceStore(init: DiskPieceStoreInit): DiskPieceStore {
  return new PieceLogStore(init)
}

class PieceLogStore implements DiskPieceStore, StagingStore {
  readonly #parts: StoreParts
  readonly #logger: Logger
  readonly #staged = new Set<LogStagedPiece>()
  #recovery: RecoveryReport | undefined
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(init: DiskPieceStoreInit) {
    this.#logger = init.logger ?? silentLogger
    this.#parts = createParts(init, this.#logger)
  }

  async open(): Promise<void> {
    assert(this.#state === 'new', 'a piece store is opened once')
    const { catalog, scrubber, cleaner } = this.#parts
    try {
      const isNew = await catalog.open()
      this.#recovery = await recover(this.#parts, isNew)
      await scrubber.load()
    } catch (cause) {
      await catalog.close()
      throw diskTroubleOf(cause, 'open the piece store').error
    }
    this.#state = 'open'
    this.#report(this.#recovery)
    const logs = catalog.logs()
    cleaner.empty(...logs.filter(log => log.isEmptying).map(log => log.id))
    cleaner.look(...logs.map(log => log.id))
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    const { catalog, cleaner, disks, handles } = this.#parts
    await Promise.all(Array.from(this.#staged, piece => piece.abort()))
    await cleaner.stop()
    await disks.close()
    await handles.close()
    if (!disks.readOnly) await catalog.sync()
    await catalog.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  recovery(): RecoveryReport | undefined {
    return this.#recovery
  }

  settled(): Promise<void> {
    return this.#parts.cleaner.settled()
  }

  async stage(bytes: number, leaseEnd: number = TICK_MAX): Promise<StagedPiece> {
    this.#assertOpen()
    assertTick(leaseEnd)
    const { disks } = this.#parts
    const disk = disks.reserve(bytes)
    try {
      const sink = await this.#sinkFor(bytes, leaseEnd, disk)
      const piece = new LogStagedPiece(this, sink, { bytes, leaseEnd, disk })
      this.#staged.add(piece)
      if (this.#state !== 'open') await piece.abort()
      return piece
    } catch (cause) {
      disks.release(disk, bytes)
      throw disks.trouble(cause, disk)
    }
  }

  async has(root: Uint8Array): Promise<boolean> {
    return (await this.stat(root)) !== undefined
  }

  async stat(root: Uint8Array): Promise<{ bytes: number } | undefined> {
    this.#assertOpen()
    const entry = await this.#parts.reader.stored(root)
    return entry && { bytes: entry.bytes }
  }

  async groupCvs(root: Uint8Array): Promise<Uint8Array> {
    this.#assertOpen()
    return await this.#parts.reader.outboard(root)
  }

  async readGroups(root: Uint8Array, firstGroup: number, groups: number): Promise<PieceGroups> {
    this.#assertOpen()
    const read = await this.#parts.reader.groups(root, firstGroup, groups)
    if (read.damaged.length > 0) {
      this.#logger.warn('pieces.damaged', { root: toHex(root), damaged: read.damaged })
    }
    return read
  }

  async remove(root: Uint8Array): Promise<boolean> {
    this.#assertOpen()
    const { catalog, trashTicks } = this.#parts
    return await this.#noted(root, entry => {
      if (entry.purgeAt > 0) return undefined
      return { kind: 'remove', value: trashTicks === 0 ? 0 : catalog.tick + trashTicks }
    })
  }

  async keep(root: Uint8Array, leaseEnd: number): Promise<boolean> {
    this.#assertOpen()
    assertTick(leaseEnd)
    const kept = await this.#noted(root, entry => {
      if (entry.purgeAt === 0 && entry.leaseEnd >= leaseEnd) return undefined
      return { kind: 'keep', value: Math.max(leaseEnd, entry.leaseEnd) }
    })
    return kept || (await this.has(root))
  }

  async sweep(tick: number, renew?: LeaseRenewal): Promise<SweepReport> {
    this.#assertOpen()
    assertTick(tick)
    const keep = (root: Uint8Array, until: number): Promise<boolean> => this.keep(root, until)
    return await this.#parts.sweeper.sweep(tick, renew && { renew, keep })
  }

  async scrub(init: ScrubInit): Promise<ScrubProgress> {
    this.#assertOpen()
    return await this.#parts.scrubber.pass(init)
  }

  scrubProgress(): ScrubProgress {
    return this.#parts.scrubber.progress()
  }

  async *roots(): AsyncGenerator<StoredPiece, void, undefined> {
    this.#assertOpen()
    for await (const { root, entry } of this.#parts.catalog.entries()) {
      if (entry.purgeAt === 0) yield { root, bytes: entry.bytes }
    }
  }

  usage(): PieceUsage {
    return usageOf(this.#parts)
  }

  publish(piece: LogStagedPiece, root: Uint8Array, parts: CommittedParts): Promise<void> {
    const { catalog, locks, cleaner } = this.#parts
    return locks.run(toHex(root), async () => {
      const before = await catalog.get(root)
      assert(before === undefined || before.bytes === piece.bytes, 'one root, one length')
      const heldUntil = before?.purgeAt === 0 ? before.leaseEnd : 0
      const leaseEnd = Math.max(piece.leaseEnd, heldUntil)
      await piece.sink.commit({
        root,
        bytes: piece.bytes,
        ...parts,
        leaseEnd,
        purgeAt: 0,
        before,
        isNew: true
      })
      if (before !== undefined) cleaner.look(before.log)
    })
  }

  ended(piece: LogStagedPiece): void {
    this.#staged.delete(piece)
    this.#parts.disks.release(piece.disk, piece.bytes)
  }

  trouble(cause: unknown, disk: Disk): unknown {
    return this.#parts.disks.trouble(cause, disk)
  }

  checkWritable(disk: Disk): void {
    this.#parts.disks.checkWritable(disk)
  }

  /** Changes a piece by a note, durably; false if there is no piece or nothing to note. */
  #noted(
    root: Uint8Array,
    decide: (entry: Entry) => Pick<Note, 'kind' | 'value'> | undefined
  ): Promise<boolean> {
    const { catalog, disks, locks, appender, cleaner } = this.#parts
    return locks.run(toHex(root), async () => {
      const before = await catalog.get(root)
      const wanted = before && decide(before)
      if (before === undefined || wanted === undefined) return false
      const about = catalog.log(before.log)!
      const disk = disks.writable(disks.all[about.disk])
      const note = { ...wanted, root, seq: catalog.takeSeq(), about: about.id }
      const change = { before, after: notedEntry(before, note) }
      await appender.putNote(disk, about.endTick, { note, change })
      cleaner.look(about.id)
      return true
    })
  }

  async #sinkFor(bytes: number, leaseEnd: number, disk: Disk): Promise<Sink> {
    const { appender, limits, endTickOf } = this.#parts
    const endTick = endTickOf(leaseEnd)
    if (bytes <= limits.smallBytesMax) return bufferSink(appender, { disk, endTick, bytes })
    return logSink(appender, await appender.begin(disk, endTick, bytes))
  }

  #assertOpen(): void {
    assert(this.#state === 'open', 'the piece store is open')
  }

  #report(report: RecoveryReport): void {
    for (const { root, bytes } of report.lost) {
      this.#logger.error('pieces.lost', { root: toHex(root), bytes })
    }
    for (const range of report.damaged) this.#logger.error('pieces.unreadable', { ...range })
    for (const name of report.foreign) this.#logger.warn('pieces.foreign-file', { name })
    const { rebuilt, scannedBytes, tornTails } = report
    const { pieces, usedBytes } = this.usage()
    const read = { rebuilt, scannedBytes, tornTails: tornTails.length }
    this.#logger.info('pieces.open', { pieces, usedBytes, ...read })
  }
}

function assertTick(tick: number): void {
  assert(Number.isInteger(tick) && tick >= 0 && tick <= TICK_MAX, 'a tick is 0 to 2^48 - 1')
}
