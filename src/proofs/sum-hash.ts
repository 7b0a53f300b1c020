/**
 * Hashes of a deal's Merkle sum tree, SHA-256 with one prefix byte per kind:
 *
 *   empty slot   32 zero bytes, sum 0
 *   slot         sha256(0x00 || piece root || piece bytes u64be), sum = leaves of the piece
 *   inner node   sha256(0x01 || left sum u64be || left hash || right sum u64be || right hash)
 *
 * A node commits to the sums of both children, so no path can claim another position for its leaves.
 */
import { sha256, ZERO_HASH } from '../base/hash.ts'
import { DEAL_PIECES_MAX, HASH_BYTES, PIECE_BYTES_MAX } from '../base/limits.ts'
import { isPieceBytes, leavesOf } from './lengths.ts'

export interface PieceEntry {
  /** Piece root, 32 bytes. */
  readonly root: Uint8Array
  /** Length of the piece, 1..PIECE_BYTES_MAX. */
  readonly bytes: number
}

/** One place of a deal: a piece, or undefined where none is or it was removed. */
export type Slot = PieceEntry | undefined

/** Sibling on the way from a slot to the deal's root. */
export interface SlotStep {
  /** 32 bytes. */
  hash: Uint8Array
  /** Sum of leaves below the sibling. */
  leaves: bigint
}

/** About 2^40: sums of leaves, and of bytes (2^50), are exact as numbers. */
export const DEAL_LEAVES_MAX: number = DEAL_PIECES_MAX * leavesOf(PIECE_BYTES_MAX)

const U64_BYTES = 8
const U32_RANGE = 2 ** 32

// Reused by every call: hashing is synchronous.
const slotInput = new Uint8Array(1 + HASH_BYTES + U64_BYTES).fill(0x00)
const nodeInput = new Uint8Array(1 + 2 * (U64_BYTES + HASH_BYTES)).fill(0x01)
const slotView = new DataView(slotInput.buffer)
const nodeView = new DataView(nodeInput.buffer)

/** @param slot an entry with a 32-byte root, or undefined */
export function hashOfSlot(slot: Slot): Uint8Array {
  if (slot === undefined) return ZERO_HASH
  slotInput.set(slot.root, 1)
  writeU64(slotView, slot.bytes, 1 + HASH_BYTES)
  return sha256(slotInput)
}

/** @param leftLeaves sums of leaves, 0..DEAL_LEAVES_MAX */
export function hashOfNode(
  leftLeaves: number,
  leftHash: Uint8Array,
  rightLeaves: number,
  rightHash: Uint8Array
): Uint8Array {
  const rightAt = 1 + U64_BYTES + HASH_BYTES
  writeU64(nodeView, leftLeaves, 1)
  nodeInput.set(leftHash, 1 + U64_BYTES)
  writeU64(nodeView, rightLeaves, rightAt)
  nodeInput.set(rightHash, rightAt + U64_BYTES)
  return sha256(nodeInput)
}

export function leavesOfSlot(slot: Slot): number {
  return slot === undefined ? 0 : leavesOf(slot.bytes)
}

/** True for an empty slot, and for an entry whose root and length are within their bounds. */
export function isSlot(slot: Slot): boolean {
  return slot === undefined || (slot.root.length === HASH_BYTES && isPieceBytes(slot.bytes))
}

function writeU64(out: DataView, value: number, at: number): void {
  out.setUint32(at, Math.floor(value / U32_RANGE))
  out.setUint32(at + 4, value % U32_RANGE)
}
