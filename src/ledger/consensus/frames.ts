/**
 * How the consensus journal lies in its file. Everything between two flushes is one frame, so that whatever a power cut
 * tears is the last frame and was never acted on; a frame that does not check with another one behind it was durable
 * once, and is damage.
 *
 *   frame   bodyBytes u32 | sequence u64 | crc32c(body) u32 | crc32c(of these 16 bytes) u32 | body
 *   body    records: type u8 | bytes u32 | payload          all numbers big-endian
 */
import { assert } from '../../base/assert.ts'
import { concat, view } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { crc32c } from './crc32c.ts'

export interface FileRecord {
  type: number
  payload: Uint8Array
}

export interface Frame {
  sequence: bigint
  records: FileRecord[]
}

export interface ScannedFile {
  frames: Frame[]
  /** Bytes up to the end of the last frame; what follows is a torn tail. */
  length: number
}

export const FRAME_HEAD_BYTES = 20
const RECORD_HEAD_BYTES = 5

export function encodeFrame(sequence: bigint, records: readonly FileRecord[]): Uint8Array {
  const parts: Uint8Array[] = []
  for (const { type, payload } of records) {
    const head = Buffer.alloc(RECORD_HEAD_BYTES)
    head.writeUInt8(type, 0)
    head.writeUInt32BE(payload.length, 1)
    parts.push(head, payload)
  }
  const body = concat(...parts)
  const head = Buffer.alloc(FRAME_HEAD_BYTES)
  head.writeUInt32BE(body.length, 0)
  head.writeBigUInt64BE(sequence, 4)
  head.writeUInt32BE(crc32c(body), 12)
  head.writeUInt32BE(crc32c(head.subarray(0, 16)), 16)
  return concat(head, body)
}

/**
 * Reads a file up to its torn tail.
 * @throws HoldfastError JOURNAL_DAMAGED when a frame does not check and a good one follows, or one is missing
 */
export function scanFrames(file: Uint8Array): ScannedFile {
  const frames: Frame[] = []
  let at = 0
  while (at < file.length) {
    const found = frameAt(file, at)
    if (found === undefined) {
      if (hasFrameAfter(file, at + 1, frames.at(-1)?.sequence ?? -1n)) damaged(at)
      break
    }
    const before = frames.at(-1)?.sequence
    if (before !== undefined && found.frame.sequence !== before + 1n) damaged(at)
    frames.push(found.frame)
    at = found.end
  }
  return { frames, length: at }
}

function frameAt(file: Uint8Array, at: number): { frame: Frame; end: number } | undefined {
  const head = headAt(file, at)
  if (head === undefined) return undefined
  const start = at + FRAME_HEAD_BYTES
  const end = start + head.bodyBytes
  const body = file.subarray(start, end)
  if (end > file.length || crc32c(body) !== head.bodyCrc) return undefined
  return { frame: { sequence: head.sequence, records: recordsOf(body) }, end }
}

function headAt(
  file: Uint8Array,
  at: number
): { bodyBytes: number; sequence: bigint; bodyCrc: number } | undefined {
  if (at + FRAME_HEAD_BYTES > file.length) return undefined
  const head = view(file.subarray(at, at + FRAME_HEAD_BYTES))
  if (crc32c(head.subarray(0, 16)) !== head.readUInt32BE(16)) return undefined
  return {
    bodyBytes: head.readUInt32BE(0),
    sequence: head.readBigUInt64BE(4),
    bodyCrc: head.readUInt32BE(12)
  }
}

/** A later frame anywhere behind: the tail is not torn, the middle is damaged. */
function hasFrameAfter(file: Uint8Array, from: number, sequence: bigint): boolean {
  for (let at = from; at + FRAME_HEAD_BYTES <= file.length; at++) {
    const head = headAt(file, at)
    if (head !== undefined && head.sequence > sequence) return true
  }
  return false
}

function recordsOf(body: Uint8Array): FileRecord[] {
  const records: FileRecord[] = []
  let at = 0
  while (at < body.length) {
    const head = view(body.subarray(at, at + RECORD_HEAD_BYTES))
    const end = at + RECORD_HEAD_BYTES + head.readUInt32BE(1)
    assert(end <= body.length, 'a frame whose checksum holds consists of whole records')
    records.push({ type: head[0]!, payload: body.slice(at + RECORD_HEAD_BYTES, end) })
    at = end
  }
  return records
}

function damaged(at: number): never {
  throw new HoldfastError('JOURNAL_DAMAGED', `the consensus journal is damaged at byte ${at}`, {
    hint: 'check the disk; without its journal a validator must not vote with this key again at these heights'
  })
}
