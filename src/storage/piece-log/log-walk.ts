/** The pieces of one log, found in the log itself; where it is damaged, the index says what is in it. */
import type { Catalog } from './catalog.ts'
import type { Disks } from './disks.ts'
import { LOG_HEADER_BYTES, type Note, type PieceFacts, type StoreIdentity } from './log-format.ts'
import { type Found, scanLog } from './log-scan.ts'
import type { Located } from './piece-reader.ts'
import type { ReadHandles } from './read-handles.ts'

const BATCH_PIECES = 64

export interface LogWalkInit {
  readonly catalog: Catalog
  readonly disks: Disks
  readonly handles: ReadHandles
  readonly identity: StoreIdentity
}

export class LogWalk {
  readonly #init: LogWalkInit

  constructor(init: LogWalkInit) {
    this.#init = init
  }

  /**
   * Batches of pieces that the index has in this log, trash included, from an offset on, in the order of the log. A
   * piece whose record cannot be found by reading comes last.
   */
  async *pieces(logId: number, from: number = 0): AsyncGenerator<Located[], void, undefined> {
    const { catalog } = this.#init
    const state = catalog.log(logId)
    if (state === undefined) return
    let missing = state.livePieces + state.trashPieces
    const seen = new Set<number>()
    for await (const facts of this.#facts(logId)) {
      const entries = await catalog.getMany(facts.map(({ root }) => root))
      const found: Located[] = []
      for (const [i, { root, offset }] of facts.entries()) {
        const entry = entries[i]
        if (entry?.log !== logId || entry.offset !== offset) continue
        missing -= 1
        seen.add(offset)
        if (offset >= from) found.push({ root, entry })
      }
      if (found.length > 0) yield found
    }
    if (missing > 0) yield* this.#unseen(logId, from, seen)
  }

  /** Batches of records in a log that are no longer where the index has their piece. */
  async *voidRecords(logId: number): AsyncGenerator<PieceFacts[], void, undefined> {
    for await (const facts of this.#facts(logId)) {
      const entries = await this.#init.catalog.getMany(facts.map(({ root }) => root))
      yield facts.filter(({ offset }, i) => {
        const entry = entries[i]
        return entry?.log !== logId || entry.offset !== offset
      })
    }
  }

  /** The notes in a log that are still needed elsewhere. */
  async neededNotes(logId: number): Promise<Note[]> {
    const { catalog } = this.#init
    const notes: Note[] = []
    for await (const found of this.#scan(logId)) {
      if (found.kind !== 'note') continue
      const { about } = found.note
      if (about !== logId && catalog.log(about) !== undefined) notes.push(found.note)
    }
    return notes
  }

  async *#unseen(
    logId: number,
    from: number,
    seen: ReadonlySet<number>
  ): AsyncGenerator<Located[], void, undefined> {
    for await (const { root, entry } of this.#init.catalog.entries()) {
      if (entry.log !== logId || entry.offset < from || seen.has(entry.offset)) continue
      yield [{ root, entry }]
    }
  }

  async *#facts(logId: number): AsyncGenerator<PieceFacts[], void, undefined> {
    let batch: PieceFacts[] = []
    for await (const found of this.#scan(logId)) {
      if (found.kind !== 'piece') continue
      batch.push(found.facts)
      if (batch.length < BATCH_PIECES) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }

  /** Records of a log up to where the index knows it. */
  async *#scan(logId: number): AsyncGenerator<Found, void, undefined> {
    const { catalog, disks, handles, identity } = this.#init
    const state = catalog.log(logId)
    if (state === undefined) return
    const held = await handles.hold(logId, disks.pathOf(logId))
    try {
      yield* scanLog(held.file, identity.markOf(logId), LOG_HEADER_BYTES, state.tail)
    } finally {
      await held.release()
    }
  }
}
