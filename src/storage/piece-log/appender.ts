/**
 * Appends records to logs: small pieces and notes in groups that share one write and one fsync, large pieces streamed
 * into a log of their own. Order: record, fsync of the log, index, acknowledgement.
 */
import { HASH_BYTES } from '../../base/limits.ts'
import { GroupCommit } from '../group-commit.ts'
import { groupsOf } from '../piece-checksums.ts'
import type { Catalog, Change } from './catalog.ts'
import type { Entry } from './catalog-format.ts'
import type { Disk, Disks } from './disks.ts'
import {
  encodeHead,
  encodeNote,
  encodeTrailer,
  NOTE_RECORD_BYTES,
  type Note,
  recordBytesOf
} from './log-format.ts'
import type { LogWriter } from './log-writer.ts'

/** A piece and everything that its trailer says. */
export interface PieceRecord {
  readonly root: Uint8Array
  readonly bytes: number
  readonly checksums: Uint8Array
  readonly outboard: Uint8Array
  readonly leaseEnd: number
  readonly purgeAt: number
  /** The record that this one replaces. */
  readonly before: Entry | undefined
  /** False for a copy: the log that it comes from goes as a whole. Else a note next to it says what it replaces. */
  readonly isNew: boolean
}

/** What a note says, and how the index changes with it. */
export interface NoteRecord {
  readonly note: Note
  /** Undefined: the index changes in nothing. */
  readonly change?: { readonly before: Entry; readonly after: Entry | undefined }
}

type Item =
  | { readonly piece: PieceRecord; readonly body: Uint8Array }
  | { readonly noted: NoteRecord; readonly piece?: undefined }

export interface AppenderInit {
  readonly catalog: Catalog
  readonly disks: Disks
  /** Upper bound of what one write of a group takes. */
  readonly flushBytesMax: number
}

/** A log taken for one large piece whose head is written. */
export interface OpenRecord {
  readonly disk: Disk
  readonly writer: LogWriter
  readonly offset: number
}

export class Appender {
  readonly #init: AppenderInit
  /** By disk and end tick; idle ones are dropped. */
  readonly #groups = new Map<string, { group: GroupCommit<Item>; users: number }>()

  constructor(init: AppenderInit) {
    this.#init = init
  }

  /** Durable once resolved. */
  async putSmall(disk: Disk, endTick: number, piece: PieceRecord, body: Uint8Array): Promise<void> {
    await this.#add(disk, endTick, { piece, body })
  }

  /** Durable once resolved. */
  async putNote(disk: Disk, endTick: number, noted: NoteRecord): Promise<void> {
    await this.#add(disk, endTick, { noted })
  }

  /** Begins a large piece; `finish` or `abandon` must follow. */
  async begin(disk: Disk, endTick: number, bytes: number): Promise<OpenRecord> {
    const outboardBytes = groupsOf(bytes) * HASH_BYTES
    const writer = await disk.pool.take(endTick, recordBytesOf(bytes, outboardBytes))
    const record = { disk, writer, offset: writer.at }
    try {
      await writer.append([encodeHead({ kind: 'piece', bytes }, writer.mark, writer.at)])
    } catch (error) {
      await this.abandon(record)
      throw error
    }
    return record
  }

  /** Durable once resolved. The body has been written; on failure the record is taken back. */
  async finish({ disk, writer, offset }: OpenRecord, piece: PieceRecord): Promise<void> {
    const made = this.#trailerOf(piece, writer, offset)
    await this.#settle(disk, writer, async () => {
      await writer.append(made.parts)
      await settled(writer)
      return made.changes
    })
  }

  async abandon({ disk, writer }: OpenRecord): Promise<void> {
    await writer.takeBack()
    await disk.pool.give(writer)
  }

  async #add(disk: Disk, endTick: number, item: Item): Promise<void> {
    const key = `${disk.index}/${endTick}`
    const found = this.#groups.get(key) ?? { group: this.#group(disk, endTick), users: 0 }
    this.#groups.set(key, found)
    found.users += 1
    try {
      await found.group.add(item)
    } finally {
      found.users -= 1
      if (found.users === 0) this.#groups.delete(key)
    }
  }

  #group(disk: Disk, endTick: number): GroupCommit<Item> {
    const flush = (items: readonly Item[]): Promise<void> => this.#flush(disk, endTick, items)
    return new GroupCommit(flush, { weightOf, weightMax: this.#init.flushBytesMax })
  }

  async #flush(disk: Disk, endTick: number, items: readonly Item[]): Promise<void> {
    const bytes = items.reduce((sum, item) => sum + weightOf(item), 0)
    let writer: LogWriter
    try {
      this.#init.disks.checkWritable(disk)
      writer = await disk.pool.take(endTick, bytes)
    } catch (cause) {
      throw this.#init.disks.trouble(cause, disk)
    }
    await this.#settle(disk, writer, async () => {
      const changes: Change[] = []
      const parts: Uint8Array[] = []
      let offset = writer.at
      for (const item of items) {
        const made = this.#encode(item, writer, offset)
        for (const part of made.parts) offset += part.length
        parts.push(...made.parts)
        changes.push(...made.changes)
      }
      await writer.append(parts)
      await settled(writer)
      return changes
    })
  }

  /** Runs a write up to its fsync, then tells the index, then gives the log back. */
  async #settle(disk: Disk, writer: LogWriter, write: () => Promise<Change[]>): Promise<void> {
    const { catalog, disks } = this.#init
    try {
      let changes: Change[]
      try {
        changes = await write()
      } catch (cause) {
        await writer.takeBack()
        throw disks.trouble(cause, disk)
      }
      try {
        await catalog.apply(changes)
      } catch (cause) {
        throw disks.trouble(cause, 'index')
      }
    } finally {
      await disk.pool.give(writer)
    }
  }

  #encode(
    item: Item,
    writer: LogWriter,
    offset: number
  ): { parts: Uint8Array[]; changes: Change[] } {
    if (item.piece !== undefined) {
      const { piece, body } = item
      const head = encodeHead({ kind: 'piece', bytes: piece.bytes }, writer.mark, offset)
      const made = this.#trailerOf(piece, writer, offset)
      return { parts: [head, body, ...made.parts], changes: made.changes }
    }
    const { note, change } = item.noted
    const grown = grownBy(writer, offset + NOTE_RECORD_BYTES, NOTE_RECORD_BYTES)
    const changes = change === undefined ? [] : [{ root: note.root, ...change }]
    return { parts: [encodeNote(note, writer.mark, offset)], changes: [...changes, grown] }
  }

  /** The end of a piece's record at `offset`, and the note about the record that it replaces. */
  #trailerOf(
    piece: PieceRecord,
    writer: LogWriter,
    offset: number
  ): { parts: Uint8Array[]; changes: Change[] } {
    const { root, bytes, checksums, outboard, leaseEnd, purgeAt, before, isNew } = piece
    const { catalog } = this.#init
    const noteSeq = catalog.takeSeq()
    const seq = catalog.takeSeq()
    const facts = { root, bytes, offset, seq, leaseEnd, purgeAt }
    const parts: Uint8Array[] = [encodeTrailer(facts, writer.mark, checksums, outboard)]
    const recordBytes = recordBytesOf(bytes, outboard.length)
    const after = { log: writer.name.id, offset, bytes, recordBytes, seq, leaseEnd, purgeAt }
    let tail = offset + recordBytes
    let noteBytes = 0
    if (before !== undefined && isNew) {
      const note: Note = { kind: 'replace', root, seq: noteSeq, value: 0, about: before.log }
      parts.push(encodeNote(note, writer.mark, tail))
      tail += NOTE_RECORD_BYTES
      noteBytes = NOTE_RECORD_BYTES
    }
    return { parts, changes: [{ root, before, after }, grownBy(writer, tail, noteBytes)] }
  }
}

function grownBy(writer: LogWriter, tail: number, noteBytes: number): Change {
  return { grown: { log: writer.name.id, tail, noteBytes } }
}

/** Bytes of an item in its log, at most. */
function weightOf(item: Item): number {
  if (item.piece === undefined) return NOTE_RECORD_BYTES
  return recordBytesOf(item.piece.bytes, item.piece.outboard.length) + NOTE_RECORD_BYTES
}

async function settled(writer: LogWriter): Promise<void> {
  try {
    await writer.settle()
  } catch (error) {
    writer.distrust()
    throw error
  }
}
