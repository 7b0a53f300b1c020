/**
 * Reads the records of a log from one end to the other. What does not decode is skipped up to the next record of this
 * log, found by its mark: damage costs the records it lies in and no others. A piece whose head is damaged is found by
 * its trailer.
 */
import { MIB } from '../../base/limits.ts'
import { type DiskFile, readSectors } from './file-system.ts'
import {
  decodeHead,
  decodeNote,
  decodeTrailer,
  HEAD_BYTES,
  MARK_AT,
  NOTE_RECORD_BYTES,
  type Note,
  type PieceFacts,
  recordBytesOf,
  TRAILER_FIXED_BYTES
} from './log-format.ts'

const WINDOW_BYTES = 65_536
const SEARCH_BYTES: number = 1 * MIB
const MARK_BYTES = 8

export type Found =
  | { readonly kind: 'piece'; readonly offset: number; readonly end: number; facts: PieceFacts }
  | { readonly kind: 'note'; readonly offset: number; readonly end: number; note: Note }
  /** Bytes that are no record; at the end of a log a torn tail, elsewhere damage. */
  | { readonly kind: 'unreadable'; readonly offset: number; readonly end: number }

/** Everything between the offsets `from` and `to`, in order and without gaps. */
export async function* scanLog(
  file: DiskFile,
  mark: Buffer,
  from: number,
  to: number
): AsyncGenerator<Found, void, undefined> {
  const window = new Window(file, to)
  let at = from
  while (at < to) {
    const here = (await recordAt(window, mark, at)) ?? (await searchFrom(window, mark, at))
    if (here === undefined) {
      yield { kind: 'unreadable', offset: at, end: to }
      return
    }
    if (here.offset > at) yield { kind: 'unreadable', offset: at, end: here.offset }
    yield here
    at = here.end
  }
}

async function recordAt(window: Window, mark: Buffer, offset: number): Promise<Found | undefined> {
  const head = decodeHead(await window.at(offset, HEAD_BYTES), mark, offset)
  if (head === undefined) return undefined
  if (head.kind === 'piece') return pieceAt(window, mark, offset + HEAD_BYTES + head.bytes, offset)
  const note = decodeNote(await window.at(offset, NOTE_RECORD_BYTES))
  return note && { kind: 'note', offset, end: offset + NOTE_RECORD_BYTES, note }
}

/** The piece whose trailer stands at `trailerAt`, if its record lies between `from` and the end. */
async function pieceAt(
  window: Window,
  mark: Buffer,
  trailerAt: number,
  from: number
): Promise<Found | undefined> {
  const facts = decodeTrailer(await window.at(trailerAt, TRAILER_FIXED_BYTES), mark, trailerAt)
  if (facts === undefined || facts.offset < from) return undefined
  const end = facts.offset + recordBytesOf(facts.bytes, facts.outboardBytes)
  if (end > window.end) return undefined
  return { kind: 'piece', offset: facts.offset, end, facts }
}

/** The first whole record after a place that holds none. */
async function searchFrom(window: Window, mark: Buffer, from: number): Promise<Found | undefined> {
  for (let at = from; at < window.end; at += SEARCH_BYTES) {
    const bytes = await window.at(at, SEARCH_BYTES + MARK_BYTES - 1)
    for (let hit = bytes.indexOf(mark); hit !== -1; hit = bytes.indexOf(mark, hit + 1)) {
      const place = at + hit - MARK_AT
      if (place < from) continue
      const found =
        (await recordAt(window, mark, place)) ?? (await pieceAt(window, mark, place, from))
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** Reads ahead; small neighbouring requests cost one read of the disk. */
class Window {
  readonly end: number
  readonly #file: DiskFile
  #start = 0
  #bytes: Buffer = Buffer.alloc(0)

  constructor(file: DiskFile, end: number) {
    this.#file = file
    this.end = end
  }

  /** Bytes of the log; fewer than `length` only at its end. */
  async at(offset: number, length: number): Promise<Buffer> {
    const wanted = Math.min(length, this.end - offset)
    if (wanted <= 0) return Buffer.alloc(0)
    if (offset < this.#start || offset + wanted > this.#start + this.#bytes.length) {
      const bytes = Buffer.alloc(Math.min(Math.max(length, WINDOW_BYTES), this.end - offset))
      const filled = await readSectors(this.#file, bytes, offset)
      this.#start = offset
      this.#bytes = bytes.subarray(0, filled)
    }
    const first = offset - this.#start
    return this.#bytes.subarray(first, first + wanted)
  }
}
