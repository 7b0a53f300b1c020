/**
 * Bytes of a log, docs/SPEC.md §8. Integers are little-endian.
 *
 *   log    = header (64), then records without gaps
 *   record = head (32), piece bytes, trailer     a piece; the trailer alone is enough to find and understand it
 *          | head (32), note (64)                what happened to a piece that is in this log or another
 *
 * Every head and trailer carries the mark of its log, 8 bytes that nobody outside this node can know. So bytes that a
 * client chose are never taken for a record when a damaged log is searched.
 */
import { crc32 } from 'node:zlib'
import { equal } from '../../base/bytes.ts'
import { domainHash } from '../../base/hash.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import { groupsOf } from '../piece-checksums.ts'

export const LOG_HEADER_BYTES = 64
export const HEAD_BYTES = 32
/** The part of a trailer whose length does not depend on the piece. */
export const TRAILER_FIXED_BYTES = 80
export const NOTE_RECORD_BYTES: number = HEAD_BYTES + 64
/** Where a mark stands in a head and in a trailer. */
export const MARK_AT = 8
/** Ticks and sequence numbers take 6 bytes. */
export const TICK_MAX: number = 2 ** 48 - 1

const FORMAT_VERSION = 1
const STORE_ID_BYTES = 16
const MARK_BYTES = 8
const CRC_BYTES = 4
const HEADER_MAGIC = 0x474c5048 // "HPLG"
const HEAD_MAGIC = 0x44485048 // "HPHD"
const TRAILER_MAGIC = 0x52545048 // "HPTR"
const PIECE_KIND = 1
const NOTE_KIND = 2

export interface LogName {
  readonly id: number
  /** Leases of its pieces end by then. */
  readonly endTick: number
}

/** For example "0000002a-120960.log". */
export function nameOfLog({ id, endTick }: LogName): string {
  return `${id.toString(16).padStart(8, '0')}-${endTick}.log`
}

export function parseLogName(name: string): LogName | undefined {
  const match = /^([0-9a-f]{8})-(0|[1-9]\d{0,14})\.log$/.exec(name)
  if (match === null) return undefined
  const endTick = Number(match[2])
  return endTick > TICK_MAX ? undefined : { id: Number.parseInt(match[1]!, 16), endTick }
}

/** What tells the logs of one node from those of all others. */
export interface StoreIdentity {
  /** 16 bytes, in the header of every log and in the index. */
  readonly storeId: Uint8Array
  /** 8 bytes, in every record of that log. */
  markOf(logId: number): Buffer
}

export function storeIdentity(secret: Uint8Array): StoreIdentity {
  const key = domainHash('piece-log/marks', secret)
  return {
    storeId: new Uint8Array(domainHash('piece-log/store', secret).subarray(0, STORE_ID_BYTES)),
    markOf: logId => {
      const id = Buffer.alloc(4)
      id.writeUInt32LE(logId)
      return Buffer.from(domainHash('piece-log/mark', key, id).subarray(0, MARK_BYTES))
    }
  }
}

export function encodeLogHeader(storeId: Uint8Array, { id, endTick }: LogName): Buffer {
  const out = Buffer.alloc(LOG_HEADER_BYTES)
  out.writeUInt32LE(HEADER_MAGIC, 0)
  out.writeUInt16LE(FORMAT_VERSION, 4)
  out.set(storeId, 8)
  out.writeUInt32LE(id, 24)
  out.writeUIntLE(endTick, 28, 6)
  return sealed(out)
}

/** `unreadable`: damaged, or not a log at all. */
export function checkLogHeader(
  header: Buffer,
  storeId: Uint8Array,
  id: number
): 'ours' | 'foreign' | 'newer' | 'unreadable' {
  if (header.length < LOG_HEADER_BYTES || !isSealed(header.subarray(0, LOG_HEADER_BYTES))) {
    return 'unreadable'
  }
  if (header.readUInt32LE(0) !== HEADER_MAGIC) return 'unreadable'
  if (header.readUInt16LE(4) !== FORMAT_VERSION) return 'newer'
  const same = equal(header.subarray(8, 8 + STORE_ID_BYTES), storeId)
  return same && header.readUInt32LE(24) === id ? 'ours' : 'foreign'
}

export interface Head {
  readonly kind: 'piece' | 'note'
  /** Length of the piece; 0 for a note. */
  readonly bytes: number
}

export function encodeHead({ kind, bytes }: Head, mark: Uint8Array, offset: number): Buffer {
  const out = Buffer.alloc(HEAD_BYTES)
  out.writeUInt32LE(HEAD_MAGIC, 0)
  out.writeUInt8(kind === 'piece' ? PIECE_KIND : NOTE_KIND, 4)
  out.set(mark, MARK_AT)
  out.writeUInt32LE(bytes, 16)
  out.writeUInt32LE(offset, 20)
  return sealed(out)
}

/** Undefined unless a head of this log stands exactly here. */
export function decodeHead(from: Buffer, mark: Uint8Array, offset: number): Head | undefined {
  const head = from.subarray(0, HEAD_BYTES)
  if (head.length < HEAD_BYTES || head.readUInt32LE(0) !== HEAD_MAGIC || !isSealed(head)) {
    return undefined
  }
  if (!equal(head.subarray(MARK_AT, MARK_AT + MARK_BYTES), mark)) return undefined
  if (head.readUInt32LE(20) !== offset) return undefined
  return { kind: head.readUInt8(4) === PIECE_KIND ? 'piece' : 'note', bytes: head.readUInt32LE(16) }
}

/** What a trailer says of its piece, besides checksums and outboard. */
export interface PieceFacts {
  readonly root: Uint8Array
  readonly bytes: number
  /** Start of the record in its log. */
  readonly offset: number
  /** Grows with every change to a piece; of two records of a root the newer one counts. */
  readonly seq: number
  readonly leaseEnd: number
  /** When it leaves the trash; 0 when it is not in the trash. */
  readonly purgeAt: number
  readonly outboardBytes: number
}

export function recordBytesOf(pieceBytes: number, outboardBytes: number): number {
  const body = CRC_BYTES * groupsOf(pieceBytes) + outboardBytes + CRC_BYTES
  return HEAD_BYTES + pieceBytes + TRAILER_FIXED_BYTES + body
}

export function encodeTrailer(
  facts: Omit<PieceFacts, 'outboardBytes'>,
  mark: Uint8Array,
  checksums: Uint8Array,
  outboard: Uint8Array
): Buffer {
  const fixed = Buffer.alloc(TRAILER_FIXED_BYTES)
  fixed.writeUInt32LE(TRAILER_MAGIC, 0)
  fixed.writeUInt32LE(outboard.length, 4)
  fixed.set(mark, MARK_AT)
  fixed.writeUInt32LE(facts.offset, 16)
  fixed.writeUInt32LE(facts.bytes, 20)
  fixed.writeUIntLE(facts.seq, 24, 6)
  fixed.writeUIntLE(facts.leaseEnd, 30, 6)
  fixed.writeUIntLE(facts.purgeAt, 36, 6)
  fixed.set(facts.root, 44)
  const body = Buffer.alloc(checksums.length + outboard.length + CRC_BYTES)
  body.set(checksums, 0)
  body.set(outboard, checksums.length)
  sealed(fixed)
  return Buffer.concat([fixed, sealed(body, sealOf(fixed))])
}

/** The fixed part of a trailer; undefined unless one of this log stands exactly here. */
export function decodeTrailer(
  from: Buffer,
  mark: Uint8Array,
  offset: number
): PieceFacts | undefined {
  const fixed = from.subarray(0, TRAILER_FIXED_BYTES)
  if (fixed.length < TRAILER_FIXED_BYTES || fixed.readUInt32LE(0) !== TRAILER_MAGIC) {
    return undefined
  }
  if (!isSealed(fixed) || !equal(fixed.subarray(MARK_AT, MARK_AT + MARK_BYTES), mark)) {
    return undefined
  }
  const facts = {
    root: new Uint8Array(fixed.subarray(44, 44 + HASH_BYTES)),
    bytes: fixed.readUInt32LE(20),
    offset: fixed.readUInt32LE(16),
    seq: fixed.readUIntLE(24, 6),
    leaseEnd: fixed.readUIntLE(30, 6),
    purgeAt: fixed.readUIntLE(36, 6),
    outboardBytes: fixed.readUInt32LE(4)
  }
  return facts.offset + HEAD_BYTES + facts.bytes === offset ? facts : undefined
}

export interface TrailerBody {
  /** CRC-32 of each 16 KiB group. */
  readonly checksums: Uint8Array
  readonly outboard: Uint8Array
}

/** Checksums and outboard from a whole trailer; undefined when they are damaged. */
export function decodeTrailerBody(trailer: Buffer, pieceBytes: number): TrailerBody | undefined {
  const fixed = trailer.subarray(0, TRAILER_FIXED_BYTES)
  const body = trailer.subarray(TRAILER_FIXED_BYTES)
  const checksumBytes = CRC_BYTES * groupsOf(pieceBytes)
  if (body.length < checksumBytes + CRC_BYTES || !isSealed(body, sealOf(fixed))) return undefined
  return {
    checksums: new Uint8Array(body.subarray(0, checksumBytes)),
    outboard: new Uint8Array(body.subarray(checksumBytes, -CRC_BYTES))
  }
}

/**
 * `remove`: to the trash until tick `value`, at once if that is 0. `keep`: out of the trash, leased until `value`.
 * `replace`: the record that stands before this note takes the place of an older one.
 */
export type NoteKind = 'remove' | 'keep' | 'replace'

const NOTE_KINDS: readonly NoteKind[] = ['remove', 'keep', 'replace']

export interface Note {
  readonly kind: NoteKind
  readonly root: Uint8Array
  readonly seq: number
  readonly value: number
  /** The log with the record that this note is about. While that log exists, the note is needed. */
  readonly about: number
}

export function encodeNote(note: Note, mark: Uint8Array, offset: number): Buffer {
  const body = Buffer.alloc(NOTE_RECORD_BYTES - HEAD_BYTES)
  body.set(note.root, 0)
  body.writeUIntLE(note.seq, 32, 6)
  body.writeUIntLE(note.value, 38, 6)
  body.writeUInt32LE(note.about, 44)
  body.writeUInt8(NOTE_KINDS.indexOf(note.kind), 48)
  const head = encodeHead({ kind: 'note', bytes: 0 }, mark, offset)
  return Buffer.concat([head, sealed(body, sealOf(head))])
}

/** From a record whose head has been decoded; undefined when its note is damaged. */
export function decodeNote(record: Buffer): Note | undefined {
  const head = record.subarray(0, HEAD_BYTES)
  const body = record.subarray(HEAD_BYTES, NOTE_RECORD_BYTES)
  if (record.length < NOTE_RECORD_BYTES || !isSealed(body, sealOf(head))) return undefined
  const kind = NOTE_KINDS[body.readUInt8(48)]
  if (kind === undefined) return undefined
  return {
    kind,
    root: new Uint8Array(body.subarray(0, HASH_BYTES)),
    seq: body.readUIntLE(32, 6),
    value: body.readUIntLE(38, 6),
    about: body.readUInt32LE(44)
  }
}

/**
 * Writes the CRC-32 of all bytes before them into the last four. `seed` binds the second half of a record to its first:
 * halves of two records never make a third.
 */
function sealed(bytes: Buffer, seed: number = 0): Buffer {
  const at = bytes.length - CRC_BYTES
  bytes.writeUInt32LE(crc32(bytes.subarray(0, at), seed), at)
  return bytes
}

function sealOf(bytes: Buffer): number {
  return bytes.readUInt32LE(bytes.length - CRC_BYTES)
}

function isSealed(bytes: Buffer, seed: number = 0): boolean {
  return sealOf(bytes) === crc32(bytes.subarray(0, bytes.length - CRC_BYTES), seed)
}
