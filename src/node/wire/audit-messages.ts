/**
 * Messages of the audit protocol (request and response over `net/rpc.ts`) and of the repair-map protocol.
 *
 * An audit asks for leaves of one deal: by slot and leaf within the piece, as a repair map names them, or by leaf of
 * the whole deal. `revision` says of which tree; without it the provider answers of its newest one and brings the
 * revision that both sides signed.
 *
 *   repair-map   get:   {op: 'get', digest} → {bytes}, the map, raw
 *                list:  {op: 'list', deal, after?} → {digests}, ascending, more of them if the answer is full
 *                put:   {op: 'put', deal, bytes} → {ok: true} · the map, raw → {ok: true}
 *                drop:  {op: 'drop', deal, digest} → {ok: true}
 *
 * An error takes the place of any answer: {error: {code, message}}.
 */
import { z } from 'zod'
import {
  DEAL_PIECES_MAX,
  DEAL_TREE_DEPTH_MAX,
  HASH_BYTES,
  KIB,
  LEAF_BYTES,
  MIB,
  PIECE_BYTES_MAX
} from '../../base/limits.ts'
import type { SlotsProof } from '../../proofs/index.ts'
import { REPAIR_MAP_BYTES_MAX } from '../../storage/index.ts'
import { SIGNED_BYTES_MAX } from './deal-messages.ts'
import { byteString, count, hash32, signature64 } from './schema.ts'

/** Leaves of one answer, and slots of one answer: bounds what a provider reads at once. */
export const AUDIT_LEAVES_MAX = 256
export const AUDIT_REQUEST_BYTES_MAX: number = 16 * KIB
export const AUDIT_ANSWER_BYTES_MAX: number = 1 * MIB
/** Digests in one answer. */
export const MAP_LIST_MAX = 256

const LEAVES_PER_PIECE_MAX: number = PIECE_BYTES_MAX / LEAF_BYTES
/** Nodes beside the paths to AUDIT_LEAVES_MAX leaves of a piece. */
const NODES_BYTES_MAX: number = AUDIT_LEAVES_MAX * 17 * HASH_BYTES
const STEPS_MAX: number = AUDIT_LEAVES_MAX * DEAL_TREE_DEPTH_MAX

export interface SlotPick {
  slot: number
  /** Of the piece, ascending; none to see only that the slot holds it. */
  leaves: number[]
}

/** Leaves of pieces whose slots are known. */
export interface SlotsRequest {
  op: 'slots'
  deal: Uint8Array
  revision?: number | undefined
  /** Ascending by slot. */
  picks: SlotPick[]
}

/** Leaves of the deal, ascending. */
export interface LeavesRequest {
  op: 'leaves'
  deal: Uint8Array
  revision?: number | undefined
  leaves: number[]
}

export type AuditRequest = SlotsRequest | LeavesRequest

export interface AnsweredPiece {
  slot: number
  root: Uint8Array
  bytes: number
  /** Indexes within the piece, ascending; none when none were asked for. */
  indexes: number[]
  leaves: Uint8Array[]
  nodes: Uint8Array
}

export interface SignedRevision {
  /** SSZ of the revision. */
  revision: Uint8Array
  clientSignature: Uint8Array
  providerSignature: Uint8Array
}

export interface AuditAnswer {
  /** Ascending by slot. */
  pieces: AnsweredPiece[]
  /** That the pieces are in their slots. */
  proof: SlotsProof
  /** Of the tree, when the request named none. */
  signed?: SignedRevision | undefined
}

const revision = count(1, Number.MAX_SAFE_INTEGER).optional()
const leavesOfPiece = z.array(count(0, LEAVES_PER_PIECE_MAX - 1)).max(AUDIT_LEAVES_MAX)

export const auditRequest: z.ZodType<AuditRequest> = z
  .discriminatedUnion('op', [
    z.strictObject({
      op: z.literal('slots'),
      deal: hash32,
      revision,
      picks: z
        .array(z.strictObject({ slot: count(0, DEAL_PIECES_MAX - 1), leaves: leavesOfPiece }))
        .min(1)
        .max(AUDIT_LEAVES_MAX)
    }),
    z.strictObject({
      op: z.literal('leaves'),
      deal: hash32,
      revision,
      leaves: z.array(count(0, Number.MAX_SAFE_INTEGER)).min(1).max(AUDIT_LEAVES_MAX)
    })
  ])
  .refine(isBounded)

function isBounded(request: AuditRequest): boolean {
  if (request.op === 'leaves') return isAscending(request.leaves)
  const { picks } = request
  const leaves = picks.reduce((sum, pick) => sum + pick.leaves.length, 0)
  return (
    leaves <= AUDIT_LEAVES_MAX &&
    isAscending(picks.map(({ slot }) => slot)) &&
    picks.every(pick => isAscending(pick.leaves))
  )
}

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((value, i) => i === 0 || numbers[i - 1]! < value)
}

export const signedRevision: z.ZodType<SignedRevision> = z.strictObject({
  revision: byteString(1, SIGNED_BYTES_MAX),
  clientSignature: signature64,
  providerSignature: signature64
})

export const auditAnswer: z.ZodType<AuditAnswer> = z.strictObject({
  pieces: z
    .array(
      z.strictObject({
        slot: count(0, DEAL_PIECES_MAX - 1),
        root: hash32,
        bytes: count(1, PIECE_BYTES_MAX),
        indexes: leavesOfPiece,
        leaves: z.array(byteString(1, LEAF_BYTES)).max(AUDIT_LEAVES_MAX),
        nodes: byteString(0, NODES_BYTES_MAX)
      })
    )
    .min(1)
    .max(AUDIT_LEAVES_MAX),
  proof: z.strictObject({
    depth: count(0, DEAL_TREE_DEPTH_MAX),
    hashes: byteString(0, STEPS_MAX * HASH_BYTES),
    sums: z.array(count(0, Number.MAX_SAFE_INTEGER)).max(STEPS_MAX)
  }),
  signed: signedRevision.optional()
})

export type MapRequest =
  | { op: 'get'; digest: Uint8Array }
  | { op: 'list'; deal: Uint8Array; after?: Uint8Array | undefined }
  | { op: 'put'; deal: Uint8Array; bytes: number }
  | { op: 'drop'; deal: Uint8Array; digest: Uint8Array }

const mapBytes = count(1, REPAIR_MAP_BYTES_MAX)

export const mapRequest: z.ZodType<MapRequest> = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('get'), digest: hash32 }),
  z.strictObject({ op: z.literal('list'), deal: hash32, after: hash32.optional() }),
  z.strictObject({ op: z.literal('put'), deal: hash32, bytes: mapBytes }),
  z.strictObject({ op: z.literal('drop'), deal: hash32, digest: hash32 })
])

export const mapHeader: z.ZodType<{ bytes: number }> = z.strictObject({ bytes: mapBytes })
export const mapList: z.ZodType<{ digests: Uint8Array[] }> = z.strictObject({
  digests: z.array(hash32).max(MAP_LIST_MAX)
})
export const mapDone: z.ZodType<{ ok: true }> = z.strictObject({ ok: z.literal(true) })
