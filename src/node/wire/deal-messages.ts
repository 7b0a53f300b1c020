/**
 * Messages of the ask and deal protocols (request and response over `net/rpc.ts`). Signed parts travel as SSZ bytes.
 */
import { z } from 'zod'
import { DEAL_PIECES_MAX, MIB, PIECE_BYTES_MAX, REVISION_CHANGES_MAX } from '../../base/limits.ts'
import { ASK_BYTES_MAX } from '../../market/index.ts'
import { byteString, count, hash32, signature64 } from './schema.ts'

/** SSZ of terms or of a revision. */
export const SIGNED_BYTES_MAX = 512
export const DEAL_MESSAGE_BYTES_MAX: number = 1 * MIB

export interface AskAnswer {
  ask: Uint8Array
  signature: Uint8Array
}

export interface ProposedChange {
  slot: number
  /** Absent: the slot is emptied. */
  after?: { root: Uint8Array; bytes: number } | undefined
}

export interface OpenRequest {
  op: 'open'
  /** SSZ of the terms. */
  terms: Uint8Array
  /** The client's. */
  signature: Uint8Array
  /** Ledger height that the client has seen. */
  height: number
}

export interface ReviseRequest {
  op: 'revise'
  /** SSZ of the revision. */
  revision: Uint8Array
  /** The client's. */
  signature: Uint8Array
  /** Ledger height that the client has seen: its last top-up is in it. */
  height: number
  changes: ProposedChange[]
}

export interface StateRequest {
  op: 'state'
  deal: Uint8Array
  /** Which revision is wanted: the one after the newest that the asker holds. */
  revision: number
}

export type DealRequest = OpenRequest | ReviseRequest | StateRequest

export interface StateAnswer {
  revision: Uint8Array
  clientSignature: Uint8Array
  providerSignature: Uint8Array
  changes: ProposedChange[]
}

const signedBytes = byteString(1, SIGNED_BYTES_MAX)
const height = count(0, Number.MAX_SAFE_INTEGER)

const changes: z.ZodType<ProposedChange[]> = z
  .array(
    z.strictObject({
      slot: count(0, DEAL_PIECES_MAX - 1),
      after: z.strictObject({ root: hash32, bytes: count(1, PIECE_BYTES_MAX) }).optional()
    })
  )
  .min(1)
  .max(REVISION_CHANGES_MAX)

export const askAnswer: z.ZodType<AskAnswer> = z.strictObject({
  ask: byteString(1, ASK_BYTES_MAX),
  signature: signature64
})

export const dealRequest: z.ZodType<DealRequest> = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('open'), terms: signedBytes, signature: signature64, height }),
  z.strictObject({
    op: z.literal('revise'),
    revision: signedBytes,
    signature: signature64,
    height,
    changes
  }),
  z.strictObject({
    op: z.literal('state'),
    deal: hash32,
    revision: count(1, Number.MAX_SAFE_INTEGER)
  })
])

export const signatureAnswer: z.ZodType<{ signature: Uint8Array }> = z.strictObject({
  signature: signature64
})

export const stateAnswer: z.ZodType<StateAnswer> = z.strictObject({
  revision: signedBytes,
  clientSignature: signature64,
  providerSignature: signature64,
  changes
})
