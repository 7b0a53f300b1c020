/**
 * Opens random leaves for anybody who asks: each with its path up to the piece root and the deal root. Reads only the
 * 16 KiB groups that hold the leaves. Bytes that fail their checksum fail the answer: a provider with disk trouble is
 * never a liar.
 */
import { toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { GROUP_BYTES, LEAF_BYTES } from '../../base/limits.ts'
import type { Clock } from '../../base/ports.ts'
import { leavesOf, openLeaves, openSlots, type SumTree, verifyLeaves } from '../../proofs/index.ts'
import type { PieceStore } from '../../storage/index.ts'
import type { DealBook, DealFile } from '../deals/deal-book.ts'
import { AUDIT_PROTOCOL } from '../net/protocols.ts'
import { serve } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import { RateLimit } from '../rate-limit.ts'
import {
  type AnsweredPiece,
  AUDIT_REQUEST_BYTES_MAX,
  type AuditAnswer,
  type AuditRequest,
  auditRequest,
  type SlotPick
} from '../wire/audit-messages.ts'
import { parseMessage } from '../wire/schema.ts'
import { readProvenGroup } from './read-proven-group.ts'

/** Answers under way, over all peers; each holds at most one answer and one group of 16 KiB per leaf. */
const ANSWERING_MAX = 16
/**
 * Leaves and slots a peer may ask for at once, and per second after that: an audit of a large deal takes a thousand.
 */
const BURST = 4_096
const PER_SECOND = 256
/** Trees of older revisions kept: an audit asks for the one on the ledger many times. */
const TREES_KEPT_MAX = 4
const LEAVES_PER_GROUP = GROUP_BYTES / LEAF_BYTES

export interface AuditServeComponents {
  net: Net
  book: DealBook
  store: PieceStore
  clock: Clock
  onDamage: (root: Uint8Array, groups: readonly number[]) => void
}

/** Serves the audit protocol on `net`. */
export function serveAudits(components: AuditServeComponents): void {
  const limit = new RateLimit({ clock: components.clock, burst: BURST, perSecond: PER_SECOND })
  const trees = new TreeCache()
  let answering = 0
  const limits = { requestBytesMax: AUDIT_REQUEST_BYTES_MAX }
  serve(components.net, AUDIT_PROTOCOL, limits, async (body, remote) => {
    const request = parseMessage(auditRequest, body)
    if (answering >= ANSWERING_MAX || !limit.take(remote.peerId, costOf(request))) {
      throw new HoldfastError('REMOTE_REFUSED', 'too many audits at once: ask again later')
    }
    answering++
    try {
      return await answer(components, trees, request)
    } finally {
      answering--
    }
  })
}

function costOf(request: AuditRequest): number {
  if (request.op === 'leaves') return request.leaves.length
  return request.picks.reduce((sum, { leaves }) => sum + Math.max(1, leaves.length), 0)
}

async function answer(
  components: AuditServeComponents,
  trees: TreeCache,
  request: AuditRequest
): Promise<AuditAnswer> {
  const file = components.book.get(request.deal)
  if (file === undefined) throw new HoldfastError('NOT_FOUND', 'no deal of that id is kept here')
  // Tree and revision are taken together: a revision may be agreed on while the disk is read.
  const newest = file.head.revision
  const tree = await trees.at(
    file,
    request.revision === undefined ? newest : BigInt(request.revision)
  )
  const picks = request.op === 'slots' ? request.picks : picksOf(tree, request.leaves)
  const entries = picks.map(({ slot }) => entryOf(tree, slot))
  const proof = openSlots(
    tree,
    picks.map(({ slot }) => slot)
  )
  const pieces: AnsweredPiece[] = []
  for (const [i, { slot, leaves }] of picks.entries()) {
    const { root, bytes } = entries[i]!
    const opened = await openPiece(components, { root, bytes, indexes: leaves })
    pieces.push({ slot, root, bytes, indexes: leaves, ...opened })
  }
  if (request.revision !== undefined) return { pieces, proof }
  return { pieces, proof, signed: await signedRevision(file, newest) }
}

/** Leaves of a deal as leaves of its pieces. @throws HoldfastError PROTOCOL_VIOLATION beyond the deal's end */
function picksOf(tree: SumTree, leaves: readonly number[]): SlotPick[] {
  const picks: SlotPick[] = []
  for (const leaf of leaves) {
    if (BigInt(leaf) >= tree.leaves) {
      throw new HoldfastError('PROTOCOL_VIOLATION', 'the deal does not have so many leaves')
    }
    const { slot, leafInPiece } = tree.locate(BigInt(leaf))
    const last = picks.at(-1)
    if (last?.slot === slot) last.leaves.push(leafInPiece)
    else picks.push({ slot, leaves: [leafInPiece] })
  }
  return picks
}

function entryOf(tree: SumTree, slot: number): { root: Uint8Array; bytes: number } {
  const entry = slot < tree.slots ? tree.get(slot) : undefined
  if (entry !== undefined) return { root: new Uint8Array(entry.root), bytes: entry.bytes }
  throw new HoldfastError('PIECE_NOT_FOUND', `the deal holds nothing in slot ${slot}`)
}

/** @throws HoldfastError PROTOCOL_VIOLATION | PIECE_NOT_FOUND | PIECE_DAMAGED */
async function openPiece(
  { store, onDamage }: AuditServeComponents,
  { root, bytes, indexes }: { root: Uint8Array; bytes: number; indexes: number[] }
): Promise<{ leaves: Uint8Array[]; nodes: Uint8Array }> {
  if (indexes.length === 0) return { leaves: [], nodes: new Uint8Array(0) }
  if (indexes.at(-1)! >= leavesOf(bytes)) {
    throw new HoldfastError('PROTOCOL_VIOLATION', 'the piece does not have so many leaves')
  }
  const groupCvs = await store.groupCvs(root)

  const groups = new Map<number, Uint8Array>()
  for (const index of indexes) {
    const group = Math.floor(index / LEAVES_PER_GROUP)
    if (!groups.has(group)) groups.set(group, await readProvenGroup(store, root, group, onDamage))
  }
  const opening = openLeaves({ groupCvs, pieceBytes: bytes, indexes, groups })
  if (!verifyLeaves({ root, pieceBytes: bytes, indexes, opening })) {
    throw new HoldfastError('PIECE_DAMAGED', 'stored bytes do not belong to the piece')
  }
  return opening
}

async function signedRevision(
  file: DealFile,
  number: bigint
): Promise<NonNullable<AuditAnswer['signed']>> {
  const log = await file.revision(number)
  if (log === undefined) throw new HoldfastError('NOT_FOUND', 'the deal holds nothing yet')
  const { revision, clientSignature, providerSignature } = log
  return { revision, clientSignature, providerSignature }
}

/** The newest tree is at hand; one that is older is rebuilt, and kept for the next question. */
class TreeCache {
  readonly #trees = new Map<string, SumTree>()

  /** @throws HoldfastError NOT_FOUND for a revision that was pruned, or never agreed */
  async at(file: DealFile, revision: bigint): Promise<SumTree> {
    const { revision: newest, prunedTo } = file.head
    if (revision === newest) return file.tree.clone()
    if (revision > newest || revision < prunedTo) {
      throw new HoldfastError('NOT_FOUND', `revision ${revision} is not held here`)
    }
    const key = `${toHex(file.id)}/${revision}`
    const tree = this.#trees.get(key) ?? (await file.treeAt(revision))
    this.#trees.set(key, tree)
    if (this.#trees.size > TREES_KEPT_MAX) this.#trees.delete(this.#trees.keys().next().value!)
    return tree
  }
}
