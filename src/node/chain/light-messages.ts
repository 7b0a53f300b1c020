/**
 * Messages of the light protocol, one question and one answer each:
 *
 *   {op: 'block', height?}             → {block}            the newest without a height
 *   {op: 'records', records: [{table, key}]} → {height, records: [{value?, siblings, leaf?}]}
 *
 * Records are of one height, proven under the header of `height`, in the order of the question.
 */
import { z } from 'zod'
import { HASH_BYTES, KIB, MIB } from '../../base/limits.ts'
import { LIGHT_BLOCK_BYTES_MAX, type ProvenRecord } from '../../ledger/index.ts'
import { byteString, count, hash32 } from '../wire/schema.ts'

/** Of one question. Their values together stay within RECORDS_BYTES_MAX. */
export const RECORDS_MAX = 16
export const LIGHT_REQUEST_BYTES_MAX: number = 4 * KIB
/** An answer with a block. */
export const BLOCK_ANSWER_BYTES_MAX: number = LIGHT_BLOCK_BYTES_MAX + KIB
/** An answer with records: RECORDS_MAX values of 64 KiB, and their proofs. */
export const RECORDS_BYTES_MAX: number = 2 * MIB
const KEY_BYTES_MAX = 64
const VALUE_BYTES_MAX: number = 64 * KIB

/** Which record of the state. */
export interface RecordQuery {
  /** A name of AUTHENTICATED_TABLES. */
  table: string
  key: Uint8Array
}

const height = count(1, Number.MAX_SAFE_INTEGER)

export type LightRequest =
  | { op: 'block'; height?: number | undefined }
  | { op: 'records'; records: RecordQuery[] }

export const lightRequest: z.ZodType<LightRequest> = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('block'), height: height.optional() }),
  z.strictObject({
    op: z.literal('records'),
    records: z
      .array(
        z.strictObject({
          table: z.string().regex(/^[A-Za-z]{1,32}$/),
          key: byteString(0, KEY_BYTES_MAX)
        })
      )
      .min(1)
      .max(RECORDS_MAX)
  })
])

export const blockAnswer: z.ZodType<{ block: Uint8Array }> = z.strictObject({
  block: byteString(1, LIGHT_BLOCK_BYTES_MAX)
})

export interface WireRecord {
  value?: Uint8Array | undefined
  siblings: Uint8Array[]
  leaf?: { key: Uint8Array; valueHash: Uint8Array } | undefined
}

const wireRecord: z.ZodType<WireRecord> = z.strictObject({
  value: byteString(0, VALUE_BYTES_MAX).optional(),
  siblings: z.array(hash32).max(HASH_BYTES * 8),
  leaf: z.strictObject({ key: hash32, valueHash: hash32 }).optional()
})

export const recordsAnswer: z.ZodType<{ height: number; records: WireRecord[] }> = z.strictObject({
  height,
  records: z.array(wireRecord).max(RECORDS_MAX)
})

export function recordToWire({ value, proof }: ProvenRecord): WireRecord {
  const { siblings, leaf } = proof
  return { ...(value && { value }), siblings, ...(leaf && { leaf }) }
}

/** What was asked for stands in the question, so it cannot be another record. */
export function recordFromWire({ table, key }: RecordQuery, wire: WireRecord): ProvenRecord {
  const { value, siblings, leaf } = wire
  return { table, key, ...(value && { value }), proof: { siblings, ...(leaf && { leaf }) } }
}
