/**
 * Messages of the snapshot protocol, one question and one answer each:
 *
 *   {op: 'list'}                  → {snapshots: [{height, appHash, chunks, bytes}]}
 *   {op: 'chunk', height, index}  → {chunk}
 */
import { z } from 'zod'
import { KIB } from '../../base/limits.ts'
import { SNAPSHOT_CHUNK_BYTES_MAX } from '../../ledger/index.ts'
import { byteString, count, hash32 } from '../wire/schema.ts'

/** Newest ones that are told of. */
export const SNAPSHOTS_LISTED_MAX = 8
export const SNAPSHOT_REQUEST_BYTES_MAX: number = 1 * KIB
export const LIST_BYTES_MAX: number = 4 * KIB
export const CHUNK_ANSWER_BYTES_MAX: number = SNAPSHOT_CHUNK_BYTES_MAX + KIB
/** 2^20 chunks are a TiB of state. */
export const CHUNKS_MAX: number = 2 ** 20

const height = count(1, Number.MAX_SAFE_INTEGER)

export type SnapshotRequest = { op: 'list' } | { op: 'chunk'; height: number; index: number }

export const snapshotRequest: z.ZodType<SnapshotRequest> = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('list') }),
  z.strictObject({ op: z.literal('chunk'), height, index: count(0, CHUNKS_MAX) })
])

/** The state after `height`, as its chunks. */
export interface ListedSnapshot {
  height: number
  /** 32 bytes. */
  appHash: Uint8Array
  chunks: number
  /** Of all chunks. */
  bytes: number
}

export const listAnswer: z.ZodType<{ snapshots: ListedSnapshot[] }> = z.strictObject({
  snapshots: z
    .array(
      z.strictObject({
        height,
        appHash: hash32,
        chunks: count(1, CHUNKS_MAX),
        bytes: count(1, Number.MAX_SAFE_INTEGER)
      })
    )
    .max(SNAPSHOTS_LISTED_MAX)
})

export const chunkAnswer: z.ZodType<{ chunk: Uint8Array }> = z.strictObject({
  chunk: byteString(1, SNAPSHOT_CHUNK_BYTES_MAX)
})
