/**
 * Gives space back: deletes logs in which nothing is needed any more, and copies what is left out of logs that are
 * mostly garbage. It runs by itself after changes, reads at the pace it is given, and stops when garbage is below its
 * cap.
 */
import { assert } from '../../base/assert.ts'
import { toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { KeyedMutex } from '../../base/mutex.ts'
import type { Logger } from '../../base/ports.ts'
import { errorCodeOf } from '../disk-trouble.ts'
import type { Appender } from './appender.ts'
import type { Catalog } from './catalog.ts'
import { garbageBytesOf, type LogState } from './catalog-format.ts'
import type { Disks } from './disks.ts'
import type { FileSystem } from './file-system.ts'
import { LOG_HEADER_BYTES, NOTE_RECORD_BYTES, type Note, nameOfLog } from './log-format.ts'
import type { LogWalk } from './log-walk.ts'
import type { PieceMover } from './piece-mover.ts'
import type { ReadHandles } from './read-handles.ts'

/** Key of the lock that sweeps and compactions share; locks of pieces have hexadecimal keys. */
export const MAINTENANCE = 'maintenance'

/** Copying a log is worth it when at least this share of it comes free. */
const WORTH_SHARE_MIN = 0.2

export interface CleanerInit {
  readonly fs: FileSystem
  readonly catalog: Catalog
  readonly disks: Disks
  readonly handles: ReadHandles
  readonly walk: LogWalk
  readonly appender: Appender
  readonly mover: PieceMover
  readonly locks: KeyedMutex
  readonly logger: Logger
  /** Garbage may be this share of all bytes on disk, */
  readonly garbageShareMax: number
  /** and so much always. */
  readonly garbageBytesFree: number
}

export class Cleaner {
  readonly #init: CleanerInit
  /** Logs that may have become empty. */
  readonly #candidates = new Set<number>()
  readonly #over = new Set<number>()
  /** Empty logs whose notes are still needed, by log: the logs that those notes are about. */
  readonly #waiting = new Map<number, { noteBytes: number; about: ReadonlySet<number> }>()
  /** Empty logs that must stay until the one that is being emptied has gone. */
  readonly #postponed = new Set<number>()
  /** Logs that compaction cannot improve, until another log goes. */
  readonly #hopeless = new Set<number>()
  #running: Promise<void> | undefined
  #stopped = false
  #bug: Error | undefined

  constructor(init: CleanerInit) {
    this.#init = init
  }

  /** These logs have lost something. */
  look(...logIds: readonly number[]): void {
    for (const id of logIds) this.#candidates.add(id)
    this.#start()
  }

  /** What these logs still hold moves to others; if their leases have ended, to those of longer ones. */
  empty(...logIds: readonly number[]): void {
    for (const id of logIds) this.#over.add(id)
    this.look(...logIds)
  }

  /** Resolves when there is nothing left to do; rejects if a bug has stopped the cleaning. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
    if (this.#bug !== undefined) throw this.#bug
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.settled()
  }

  #start(): void {
    if (this.#running !== undefined || this.#stopped || this.#bug !== undefined) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    try {
      do {
        for (const id of this.#over) {
          this.#over.delete(id)
          if (!this.#stopped) await this.#compact(id)
        }
        await this.#deleteEmpty()
        await this.#shrink()
      } while (this.#candidates.size + this.#over.size > 0 && !this.#stopped)
    } catch (error) {
      this.#init.logger.error('pieces.cleaning-failed', { reason: messageOf(error) })
      const isTrouble = HoldfastError.is(error) || errorCodeOf(error) !== undefined
      if (!isTrouble) this.#bug ??= error instanceof Error ? error : new Error(String(error))
    }
  }

  async #deleteEmpty(): Promise<void> {
    const { catalog } = this.#init
    const ids = [...this.#candidates]
    this.#candidates.clear()
    for (const id of ids) {
      const state = catalog.log(id)
      if (state === undefined || !isEmpty(state) || this.#stopped) continue
      if (catalog.logs().some(log => log.isEmptying && log.id !== id)) {
        this.#postponed.add(id)
        continue
      }
      if (!(await this.#retire(state))) continue
      const now = catalog.log(id)!
      if (isEmpty(now) && !(await this.#mustWait(now))) await this.#delete(now)
      else this.#offer(now)
    }
  }

  /** No record is appended to the log any more; false when somebody is at it. */
  async #retire({ id, disk }: LogState): Promise<boolean> {
    return await this.#init.disks.all[disk]!.pool.retire(id)
  }

  #offer(state: LogState): void {
    this.#init.disks.all[state.disk]!.pool.offer(state, state.tail)
  }

  async #mustWait({ id, noteBytes }: LogState): Promise<boolean> {
    if (noteBytes === 0) return false
    const { catalog, walk } = this.#init
    let waiting = this.#waiting.get(id)
    if (waiting?.noteBytes !== noteBytes) {
      const notes = await walk.neededNotes(id)
      waiting = { noteBytes, about: new Set(notes.map(note => note.about)) }
      this.#waiting.set(id, waiting)
    }
    return [...waiting.about].some(log => catalog.log(log) !== undefined)
  }

  /** Copies the best out of the worst logs until garbage is within its cap. */
  async #shrink(): Promise<void> {
    const { catalog } = this.#init
    const tried = new Set<number>()
    while (!this.#stopped && this.#isOverCap()) {
      const victims = catalog
        .logs()
        .filter(({ id }) => !this.#hopeless.has(id) && !tried.has(id))
        .filter(log => wasteOf(log) > 0)
      if (victims.length === 0) return
      const victim = victims.reduce((a, b) => (wasteOf(b) / b.tail > wasteOf(a) / a.tail ? b : a))
      tried.add(victim.id)
      await this.#compact(victim.id)
    }
  }

  #isOverCap(): boolean {
    const { catalog, disks, garbageShareMax, garbageBytesFree } = this.#init
    let [garbageBytes, diskBytes] = [0, 0]
    for (const { index } of disks.all) {
      const totals = catalog.totals(index)
      garbageBytes += totals.garbageBytes + totals.noteBytes
      diskBytes += totals.diskBytes
    }
    return garbageBytes > Math.max(garbageBytesFree, garbageShareMax * diskBytes)
  }

  #compact(id: number): Promise<void> {
    return this.#init.locks.run(MAINTENANCE, () => this.#copyOut(id))
  }

  /** Copies everything that is needed out of a log, each piece into the group of its lease, and deletes the log. */
  async #copyOut(id: number): Promise<void> {
    const { catalog, walk, logger } = this.#init
    const before = catalog.log(id)
    if (before === undefined || !(await this.#retire(before))) return
    const state = catalog.log(id)!
    const notes = await walk.neededNotes(id)
    const noteBytes = notes.length * NOTE_RECORD_BYTES
    const neededBytes = state.liveRecordBytes + state.trashRecordBytes + noteBytes
    const freedBytes = state.tail - LOG_HEADER_BYTES - neededBytes
    if (freedBytes < WORTH_SHARE_MIN * state.tail && !this.#mustGo(state)) {
      this.#hopeless.add(id)
      this.#offer(state)
      return
    }
    await catalog.apply([{ emptying: { log: id, is: true } }])
    await catalog.sync()
    await this.#moveAll(id)
    if (this.#stopped) return
    const left = catalog.log(id)!
    if (isEmpty(left)) {
      await this.#rewrite(notes, state)
      await this.#delete(left)
    } else {
      await this.#giveUp(left)
    }
    logger.debug('pieces.compacted', { log: nameOfLog(state), bytes: state.tail, freedBytes })
  }

  async #moveAll(id: number): Promise<void> {
    const { walk, mover, logger } = this.#init
    for await (const places of walk.pieces(id)) {
      if (this.#stopped) return
      const stuck = await mover.move(places)
      for (const root of stuck) logger.error('pieces.damaged', { root: toHex(root), log: id })
    }
  }

  /** Something in the log cannot be copied: it stays, and notes say which of its records are void. */
  async #giveUp({ id, disk, endTick }: LogState): Promise<void> {
    const { catalog, disks, walk, appender } = this.#init
    this.#hopeless.add(id)
    const target = disks.writable(disks.all[disk])
    for await (const records of walk.voidRecords(id)) {
      const notes = records.map(({ root, seq }): Note => {
        return { kind: 'remove', root, seq, value: 0, about: id }
      })
      await Promise.all(notes.map(note => appender.putNote(target, endTick, { note })))
    }
    await catalog.apply([{ emptying: { log: id, is: false } }])
  }

  /** It was begun before, or its leases have ended, those aside that were made longer. */
  #mustGo({ endTick, isEmptying, livePieces }: LogState): boolean {
    return isEmptying || (livePieces > 0 && endTick <= this.#init.catalog.tick)
  }

  async #rewrite(notes: readonly Note[], { disk, endTick }: LogState): Promise<void> {
    const { appender, disks } = this.#init
    const target = disks.writable(disks.all[disk])
    // A copy has nothing before it that it could belong to.
    const copies = notes.map(note =>
      note.kind === 'replace' ? { ...note, kind: 'remove' as const } : note
    )
    await Promise.all(copies.map(note => appender.putNote(target, endTick, { note })))
  }

  async #delete(state: LogState): Promise<void> {
    const { fs, catalog, disks, handles } = this.#init
    assert(isEmpty(catalog.log(state.id)!), 'a log that is deleted holds no piece')
    const path = disks.pathOf(state.id)
    // From here on the index must not go back to a time when the log held something.
    await catalog.sync()
    await handles.forget(state.id)
    await fs.unlink(path)
    await fs.syncFolder(disks.all[state.disk]!.folder)
    await catalog.dropLog(state.id)
    this.#hopeless.clear()
    this.#waiting.delete(state.id)
    for (const id of [...this.#waiting.keys(), ...this.#postponed]) this.#candidates.add(id)
    this.#postponed.clear()
  }
}

function isEmpty({ livePieces, trashPieces }: LogState): boolean {
  return livePieces + trashPieces === 0
}

/** What a copy of the log would not have, at best. */
function wasteOf(state: LogState): number {
  return garbageBytesOf(state) + state.noteBytes
}
