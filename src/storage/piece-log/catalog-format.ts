/**
 * Keys and values of the piece index, docs/SPEC.md §8; all keys of the store are in this file. Integers of values are
 * little-endian.
 *
 *   "p" || root             -> where the piece lies, its lease, and its place in the trash
 *   "l" || log id, u32be    -> how far the log is indexed and what its bytes are
 *   "m"                     -> version, store id, and the counters of the store
 *   "s"                     -> how far the scrub has come
 */
import { assert } from '../../base/assert.ts'
import { concat, view } from '../../base/bytes.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import { LOG_HEADER_BYTES } from './log-format.ts'

const PIECE = 0x70
const LOG = 0x6c
const META = 0x6d
const SCRUB = 0x73

const LIVE_ENTRY_BYTES = 28
const TRASHED_ENTRY_BYTES = 34
const LOG_STATE_BYTES = 57
const META_BYTES = 33
const SCRUB_BYTES = 28

/** What the index says of a piece. */
export interface Entry {
  readonly log: number
  /** Of the record in its log. */
  readonly offset: number
  /** Of the piece. */
  readonly bytes: number
  readonly recordBytes: number
  readonly seq: number
  readonly leaseEnd: number
  /** When it leaves the trash; 0 when it is not in the trash. */
  readonly purgeAt: number
}

/** What the index says of a log. All bytes of its file up to `tail` are live, trash, notes, header or garbage. */
export interface LogState {
  readonly id: number
  readonly endTick: number
  /** Index of the folder it was last seen in. */
  readonly disk: number
  /** The index knows every record before here. */
  readonly tail: number
  readonly livePieces: number
  /** Of pieces. */
  readonly liveBytes: number
  /** Of their records. */
  readonly liveRecordBytes: number
  readonly trashPieces: number
  readonly trashBytes: number
  readonly trashRecordBytes: number
  readonly noteBytes: number
  /** No piece of its trash leaves before. */
  readonly purgeAt: number
  /**
   * Its pieces are being copied out. Their old records in it are void, and nothing but the index says so: until it is
   * gone, no log with a copy may go.
   */
  readonly isEmptying: boolean
}

export interface CatalogMeta {
  readonly version: number
  /** 16 bytes. */
  readonly storeId: Uint8Array
  readonly nextSeq: number
  readonly nextLog: number
  /** Newest tick that the store was told. */
  readonly tick: number
}

/** Everything before this place has been checked in this pass. */
export interface ScrubCursor {
  readonly log: number
  readonly offset: number
  /** Piece bytes checked in this pass. */
  readonly checkedBytes: number
  /** Pieces found damaged in this pass. */
  readonly damagedPieces: number
  /** Passes completed before. */
  readonly passes: number
}

export const META_KEY: Uint8Array = Uint8Array.of(META)
export const SCRUB_KEY: Uint8Array = Uint8Array.of(SCRUB)
export const PIECE_KEYS: readonly [Uint8Array, Uint8Array] = [
  Uint8Array.of(PIECE),
  concat(Uint8Array.of(PIECE), new Uint8Array(HASH_BYTES).fill(0xff))
]
export const LOG_KEYS: readonly [Uint8Array, Uint8Array] = [
  Uint8Array.of(LOG),
  Uint8Array.of(LOG, 0xff, 0xff, 0xff, 0xff)
]

export function pieceKey(root: Uint8Array): Uint8Array {
  assert(root.length === HASH_BYTES, 'piece root is 32 bytes')
  return concat(Uint8Array.of(PIECE), root)
}

export function rootOfKey(key: Uint8Array): Uint8Array {
  // `level` gives Buffers, whose slice() is a view.
  return new Uint8Array(key.subarray(1))
}

export function logKey(id: number): Uint8Array {
  const key = Buffer.alloc(5)
  key.writeUInt8(LOG, 0)
  key.writeUInt32BE(id, 1)
  return key
}

export function encodeEntry(entry: Entry): Uint8Array {
  const out = Buffer.alloc(entry.purgeAt === 0 ? LIVE_ENTRY_BYTES : TRASHED_ENTRY_BYTES)
  out.writeUInt32LE(entry.log, 0)
  out.writeUInt32LE(entry.offset, 4)
  out.writeUInt32LE(entry.bytes, 8)
  out.writeUInt32LE(entry.recordBytes, 12)
  out.writeUIntLE(entry.seq, 16, 6)
  out.writeUIntLE(entry.leaseEnd, 22, 6)
  if (entry.purgeAt > 0) out.writeUIntLE(entry.purgeAt, 28, 6)
  return out
}

export function decodeEntry(value: Uint8Array): Entry {
  const from = view(value)
  return {
    log: from.readUInt32LE(0),
    offset: from.readUInt32LE(4),
    bytes: from.readUInt32LE(8),
    recordBytes: from.readUInt32LE(12),
    seq: from.readUIntLE(16, 6),
    leaseEnd: from.readUIntLE(22, 6),
    purgeAt: from.length === TRASHED_ENTRY_BYTES ? from.readUIntLE(28, 6) : 0
  }
}

export function emptyLog(id: number, endTick: number, disk: number): LogState {
  return {
    ...{ id, endTick, disk, tail: LOG_HEADER_BYTES, livePieces: 0, liveBytes: 0 },
    ...{ liveRecordBytes: 0, trashPieces: 0, trashBytes: 0, trashRecordBytes: 0 },
    ...{ noteBytes: 0, purgeAt: 0, isEmptying: false }
  }
}

/** Bytes of a log that nobody needs any more, notes aside. */
export function garbageBytesOf(state: LogState): number {
  const needed = state.liveRecordBytes + state.trashRecordBytes + state.noteBytes
  return state.tail - LOG_HEADER_BYTES - needed
}

export function encodeLogState(state: LogState): Uint8Array {
  const out = Buffer.alloc(LOG_STATE_BYTES)
  out.writeUIntLE(state.endTick, 0, 6)
  out.writeUInt16LE(state.disk, 6)
  out.writeUInt32LE(state.tail, 8)
  out.writeUInt32LE(state.livePieces, 12)
  out.writeUIntLE(state.liveBytes, 16, 6)
  out.writeUIntLE(state.liveRecordBytes, 22, 6)
  out.writeUInt32LE(state.trashPieces, 28)
  out.writeUIntLE(state.trashBytes, 32, 6)
  out.writeUIntLE(state.trashRecordBytes, 38, 6)
  out.writeUIntLE(state.noteBytes, 44, 6)
  out.writeUIntLE(state.purgeAt, 50, 6)
  out.writeUInt8(state.isEmptying ? 1 : 0, 56)
  return out
}

export function decodeLogState(key: Uint8Array, value: Uint8Array): LogState {
  const from = view(value)
  return {
    id: view(key).readUInt32BE(1),
    endTick: from.readUIntLE(0, 6),
    disk: from.readUInt16LE(6),
    tail: from.readUInt32LE(8),
    livePieces: from.readUInt32LE(12),
    liveBytes: from.readUIntLE(16, 6),
    liveRecordBytes: from.readUIntLE(22, 6),
    trashPieces: from.readUInt32LE(28),
    trashBytes: from.readUIntLE(32, 6),
    trashRecordBytes: from.readUIntLE(38, 6),
    noteBytes: from.readUIntLE(44, 6),
    purgeAt: from.readUIntLE(50, 6),
    isEmptying: from.readUInt8(56) === 1
  }
}

export function encodeMeta(meta: CatalogMeta): Uint8Array {
  const out = Buffer.alloc(META_BYTES)
  out.writeUInt8(meta.version, 0)
  out.set(meta.storeId, 1)
  out.writeUIntLE(meta.nextSeq, 17, 6)
  out.writeUInt32LE(meta.nextLog, 23)
  out.writeUIntLE(meta.tick, 27, 6)
  return out
}

export function decodeMeta(value: Uint8Array): CatalogMeta {
  const from = view(value)
  return {
    version: from.readUInt8(0),
    storeId: new Uint8Array(from.subarray(1, 17)),
    nextSeq: from.readUIntLE(17, 6),
    nextLog: from.readUInt32LE(23),
    tick: from.readUIntLE(27, 6)
  }
}

export function encodeCursor(cursor: ScrubCursor): Uint8Array {
  const out = Buffer.alloc(SCRUB_BYTES)
  out.writeUInt32LE(cursor.log, 0)
  out.writeUInt32LE(cursor.offset, 4)
  out.writeUIntLE(cursor.checkedBytes, 8, 6)
  out.writeUInt32LE(cursor.damagedPieces, 14)
  out.writeUInt32LE(cursor.passes, 18)
  return out
}

export function decodeCursor(value: Uint8Array): ScrubCursor {
  const from = view(value)
  return {
    log: from.readUInt32LE(0),
    offset: from.readUInt32LE(4),
    checkedBytes: from.readUIntLE(8, 6),
    damagedPieces: from.readUInt32LE(14),
    passes: from.readUInt32LE(18)
  }
}
