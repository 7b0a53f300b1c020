/** Checks of what peers send: every message is decoded, bounded and matched against a strict schema before use. */
import { z } from 'zod'
import { HoldfastError } from '../../base/errors.ts'
import { HASH_BYTES } from '../../base/limits.ts'

export const byteString = (min: number, max: number): z.ZodType<Uint8Array> =>
  z.custom<Uint8Array>(
    value => value instanceof Uint8Array && value.length >= min && value.length <= max
  )

export const hash32: z.ZodType<Uint8Array> = byteString(HASH_BYTES, HASH_BYTES)
export const signature64: z.ZodType<Uint8Array> = byteString(64, 64)
export const count = (min: number, max: number): z.ZodType<number> => z.int().min(min).max(max)

/** @throws HoldfastError PROTOCOL_VIOLATION naming the first field that does not fit */
export function parseMessage<T>(schema: z.ZodType<T>, message: unknown): T {
  const result = schema.safeParse(message)
  if (result.success) return result.data
  const field = result.error.issues[0]?.path.join('.') || 'message'
  throw new HoldfastError('PROTOCOL_VIOLATION', `the message does not fit the protocol: ${field}`)
}
