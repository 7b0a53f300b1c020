/**
 * Messages of the two piece protocols. Headers are dag-cbor frames, bodies raw bytes.
 *
 *   piece-put   client: PutHeader · provider: PutAnswer · client: body, PutTrailer · provider: PutReceipt
 *   piece-get   client: GetRequest · provider: GetAnswer, body · client: GetRequest … (one stream, many ranges)
 *
 * An error takes the place of any answer: {error: {code, message}}.
 */
import { z } from 'zod'
import { decodeDocument, encodeDocument } from '../../base/codec.ts'
import { type ErrorCode, HoldfastError, toHoldfastError } from '../../base/errors.ts'
import {
  GROUP_BYTES,
  HASH_BYTES,
  KIB,
  PIECE_BYTES_MAX,
  RANGE_BYTES_MAX
} from '../../base/limits.ts'
import { RECEIPT_BYTES_MAX } from '../../market/receipt.ts'
import type { Channel, WaitOptions } from '../net/types.ts'
import { byteString, count, hash32, parseMessage, signature64 } from './schema.ts'

export const HEADER_BYTES_MAX: number = 16 * KIB
export const RANGE_GROUPS_MAX: number = RANGE_BYTES_MAX / GROUP_BYTES
/** Two boundary paths of a tree over PIECE_BYTES_MAX. */
const RANGE_SIBLINGS_MAX = 32

export interface PutHeader {
  deal: Uint8Array
  /** Length of the piece. */
  bytes: number
}

export interface PutReceipt {
  /** SSZ of the receipt. */
  receipt: Uint8Array
  signature: Uint8Array
}

export interface GetRequestMessage {
  root: Uint8Array
  firstGroup: number
  groups: number
}

export interface GetAnswerMessage {
  pieceBytes: number
  cvs: Uint8Array
  siblings: Uint8Array[]
  /** Group indexes whose stored bytes fail their checksum; they are left out of the body. */
  damaged: number[]
}

const GROUPS_MAX: number = PIECE_BYTES_MAX / GROUP_BYTES

export const putHeader: z.ZodType<PutHeader> = z.strictObject({
  deal: hash32,
  bytes: count(1, PIECE_BYTES_MAX)
})
export const putAnswer: z.ZodType<{ ok: true }> = z.strictObject({ ok: z.literal(true) })
export const putTrailer: z.ZodType<{ root: Uint8Array }> = z.strictObject({ root: hash32 })
export const putReceipt: z.ZodType<PutReceipt> = z.strictObject({
  receipt: byteString(1, RECEIPT_BYTES_MAX),
  signature: signature64
})
export const getRequest: z.ZodType<GetRequestMessage> = z.strictObject({
  root: hash32,
  firstGroup: count(0, GROUPS_MAX),
  groups: count(1, RANGE_GROUPS_MAX)
})
export const getAnswer: z.ZodType<GetAnswerMessage> = z.strictObject({
  pieceBytes: count(1, PIECE_BYTES_MAX),
  cvs: byteString(HASH_BYTES, HASH_BYTES * RANGE_GROUPS_MAX),
  siblings: z.array(hash32).max(RANGE_SIBLINGS_MAX),
  damaged: z.array(count(0, GROUPS_MAX)).max(RANGE_GROUPS_MAX)
})

export async function sendMessage(
  channel: Channel,
  message: unknown,
  options?: WaitOptions
): Promise<void> {
  await channel.writeFrame(encodeDocument(message), options)
}

export async function sendError(channel: Channel, error: unknown): Promise<void> {
  const { code, message } = toHoldfastError(error)
  const told = code === 'INTERNAL' ? 'internal error' : message.slice(0, 500)
  await channel.writeFrame(encodeDocument({ error: { code, message: told } }))
}

const errorMessage = z.strictObject({
  error: z.strictObject({ code: z.string().max(64), message: z.string().max(500) })
})

/**
 * Reads one message; undefined when the other side ended cleanly instead.
 * @throws HoldfastError the peer's error, or PROTOCOL_VIOLATION
 */
export async function receiveMessage<T>(
  channel: Channel,
  schema: z.ZodType<T>,
  options?: WaitOptions
): Promise<T | undefined> {
  const frame = await channel.readFrame(HEADER_BYTES_MAX, options)
  if (frame === undefined) return undefined
  const message = decodeDocument(frame, HEADER_BYTES_MAX)
  const failed = errorMessage.safeParse(message)
  if (failed.success) throw refusal(failed.data.error)
  return parseMessage(schema, message)
}

/** As `receiveMessage`, where a clean end is a violation too. */
export async function expectMessage<T>(
  channel: Channel,
  schema: z.ZodType<T>,
  options?: WaitOptions
): Promise<T> {
  const message = await receiveMessage(channel, schema, options)
  if (message === undefined) {
    throw new HoldfastError('FRAME_TRUNCATED', 'the peer ended the stream before it answered')
  }
  return message
}

/** Codes a peer may use for the reason of its refusal; anything else is REMOTE_REFUSED. */
const REMOTE_CODES: readonly string[] = [
  'QUOTA_EXCEEDED',
  'STORE_READ_ONLY',
  'PIECE_NOT_FOUND',
  'PIECE_MISMATCH',
  'PIECE_DAMAGED',
  'NOT_FOUND',
  'TERMS_REFUSED',
  'PROTOCOL_VIOLATION'
] satisfies ErrorCode[]

function refusal({ code, message }: { code: string; message: string }): HoldfastError {
  const known = REMOTE_CODES.includes(code) ? (code as ErrorCode) : 'REMOTE_REFUSED'
  const clean = message.replace(/[^\x20-\x7e]/g, '?')
  return new HoldfastError(known, `the provider refused: ${clean}`)
}
