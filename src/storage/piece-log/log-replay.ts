/**
 * Reads the end of a log into the index. The logs are right: the index follows them, newer records win, and notes wait
 * until all pieces are known. How far a log is indexed changes last, so a crash in between repeats all of it.
 *
 * Between two records of a log that are both acknowledged there was an fsync. So only the last group of a log can be
 * incomplete, and only its pieces have their bytes checked here. What is incomplete was never acknowledged: it is made
 * unreadable for good, lest a later recovery take it for more than it is.
 */
import { damagedGroups } from '../piece-checksums.ts'
import type { Catalog, Change } from './catalog.ts'
import type { Entry } from './catalog-format.ts'
import { type DiskFile, readFully, writeFully } from './file-system.ts'
import {
  HEAD_BYTES,
  type LogName,
  NOTE_RECORD_BYTES,
  type Note,
  nameOfLog,
  type PieceFacts,
  recordBytesOf,
  type StoreIdentity,
  TRAILER_FIXED_BYTES
} from './log-format.ts'
import { type Found, scanLog } from './log-scan.ts'
import type { PieceReader } from './piece-reader.ts'

const BATCH_RECORDS = 512

/** A run of bytes in a log. */
export interface LogRange {
  readonly log: string
  readonly offset: number
  readonly bytes: number
}

export interface LogReplayInit {
  readonly catalog: Catalog
  readonly identity: StoreIdentity
  readonly reader: PieceReader
  /** Upper bound of what one write of a group took. */
  readonly flushBytesMax: number
}

type FoundPiece = Extract<Found, { kind: 'piece' }>
type GoodRecord = Exclude<Found, { kind: 'unreadable' }>

export class LogReplay {
  readonly #init: LogReplayInit
  readonly #notes: Note[] = []
  readonly #grown: Change[] = []
  /** Older records of pieces that have a newer one in another log, by log and root. */
  readonly #losers = new Map<string, { log: number; seq: number }>()
  /** Bytes read so far. */
  scannedBytes = 0
  readonly tornTails: LogRange[] = []
  readonly damaged: LogRange[] = []

  constructor(init: LogReplayInit) {
    this.#init = init
  }

  /** Takes in the records from `from` to the end of the file; cuts off an end that is no record. */
  async read(file: DiskFile, name: LogName, from: number, fileBytes: number): Promise<void> {
    let batch: GoodRecord[] = []
    let [end, noteBytes] = [from, 0]
    for await (const found of this.#good(file, name, from, fileBytes)) {
      end = found.end
      if (found.kind === 'note') noteBytes += NOTE_RECORD_BYTES
      batch.push(found)
      if (batch.length < BATCH_RECORDS) continue
      await this.#apply(name, batch)
      batch = []
    }
    await this.#apply(name, batch)
    if (end < fileBytes) await file.truncate(end)
    await file.sync()
    this.#grown.push({ grown: { log: name.id, tail: end, noteBytes } })
  }

  /** To be called when every log has been read. */
  async finish(): Promise<void> {
    await this.#applyNotes()
    const changes = this.#grown.splice(0)
    // A copy was made of these and nothing says so but the copy: the log has to go before the copy may.
    const logs = new Set([...this.#losers.values()].map(({ log }) => log))
    for (const log of logs) changes.push({ emptying: { log, is: true } })
    await this.#init.catalog.apply(changes)
  }

  /** The records that count. */
  async *#good(
    file: DiskFile,
    name: LogName,
    from: number,
    fileBytes: number
  ): AsyncGenerator<GoodRecord, void, undefined> {
    const mark = this.#init.identity.markOf(name.id)
    /** The last thing seen was not a good record: a `replace` note right behind it replaces nothing. */
    let afterBad = false
    this.scannedBytes += fileBytes - from
    for await (const found of scanLog(file, mark, from, fileBytes)) {
      if (found.kind === 'unreadable') {
        afterBad = true
        const ranges = found.end < fileBytes ? this.damaged : this.tornTails
        ranges.push(rangeOf(name, found))
        continue
      }
      const inLastGroup = found.end > fileBytes - this.#init.flushBytesMax
      if (found.kind === 'piece' && inLastGroup && !(await this.#isWhole(file, name, found))) {
        await voidRecord(file, found)
        afterBad = true
        this.damaged.push(rangeOf(name, found))
        continue
      }
      const isVoid = found.kind === 'note' && found.note.kind === 'replace' && afterBad
      afterBad = false
      if (!isVoid) yield found
    }
  }

  async #applyNotes(): Promise<void> {
    const { catalog } = this.#init
    const notes = this.#notes.splice(0).sort((a, b) => a.seq - b.seq)
    for (let at = 0; at < notes.length; at += BATCH_RECORDS) {
      const batch = notes.slice(at, at + BATCH_RECORDS)
      const current = await this.#current(batch.map(note => note.root))
      const changes: Change[] = []
      for (const note of batch) {
        this.#settle(note)
        const before = current.get(keyOf(note.root))
        if (before === undefined || before.seq > note.seq) continue
        const after = notedEntry(before, note)
        current.set(keyOf(note.root), after)
        changes.push({ root: note.root, before, after })
      }
      await catalog.apply(changes)
    }
  }

  /** All bytes of the piece match their checksums. */
  async #isWhole(file: DiskFile, { id }: LogName, { facts, offset }: FoundPiece): Promise<boolean> {
    const place = { root: facts.root, entry: entryOf(facts, id) }
    const trailer = await this.#init.reader.freshTrailerOf(file, place)
    if (trailer === undefined) return false
    const body = new Uint8Array(facts.bytes)
    await readFully(file, body, offset + HEAD_BYTES)
    return damagedGroups(body, 0, trailer.checksums).length === 0
  }

  async #apply({ id }: LogName, batch: readonly GoodRecord[]): Promise<void> {
    const { catalog } = this.#init
    const pieces = batch.filter(found => found.kind === 'piece')
    const current = await this.#current(pieces.map(({ facts }) => facts.root))
    const changes: Change[] = []
    for (const { facts } of pieces) {
      const before = current.get(keyOf(facts.root))
      catalog.sawSeq(facts.seq)
      const after = entryOf(facts, id)
      const loser = before !== undefined && before.seq > facts.seq ? after : before
      if (loser !== undefined && before?.log !== id) {
        this.#losers.set(`${loser.log}/${keyOf(facts.root)}`, { log: loser.log, seq: loser.seq })
      }
      if (loser === after) continue
      current.set(keyOf(facts.root), after)
      changes.push({ root: facts.root, before, after })
    }
    for (const found of batch) {
      if (found.kind !== 'note') continue
      catalog.sawSeq(found.note.seq)
      this.#notes.push(found.note)
    }
    await catalog.apply(changes)
  }

  /** A note that speaks of an older record is as good as its absence. */
  #settle({ kind, root, seq, about }: Note): void {
    const key = `${about}/${keyOf(root)}`
    const loser = this.#losers.get(key)
    if (loser !== undefined && kind !== 'keep' && loser.seq <= seq) this.#losers.delete(key)
  }

  async #current(roots: readonly Uint8Array[]): Promise<Map<string, Entry | undefined>> {
    const entries = await this.#init.catalog.getMany(roots)
    return new Map(roots.map((root, i) => [keyOf(root), entries[i]]))
  }
}

/** The entry of a piece after a note about it. */
export function notedEntry(before: Entry, { kind, seq, value }: Note): Entry | undefined {
  if (kind === 'keep') return { ...before, seq, purgeAt: 0, leaseEnd: value }
  return value === 0 ? undefined : { ...before, seq, purgeAt: value }
}

export function entryOf(facts: PieceFacts, log: number): Entry {
  const { offset, bytes, seq, leaseEnd, purgeAt } = facts
  const recordBytes = recordBytesOf(bytes, facts.outboardBytes)
  return { log, offset, bytes, recordBytes, seq, leaseEnd, purgeAt }
}

async function voidRecord(file: DiskFile, { facts, offset }: FoundPiece): Promise<void> {
  const trailerAt = offset + HEAD_BYTES + facts.bytes
  await writeFully(file, [new Uint8Array(TRAILER_FIXED_BYTES)], trailerAt)
}

function rangeOf(name: LogName, { offset, end }: Found): LogRange {
  return { log: nameOfLog(name), offset, bytes: end - offset }
}

function keyOf(root: Uint8Array): string {
  return Buffer.from(root).toString('latin1')
}
