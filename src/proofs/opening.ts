/** The answer to one drawn leaf of a deal: which piece holds it, and the leaf, each with its path. */
import type { SlotStep } from './sum-hash.ts'

export type { SlotStep } from './sum-hash.ts'

export interface Opening {
  /** Slot of the piece in the deal's sum tree. */
  slot: number
  /** 32 bytes. */
  pieceRoot: Uint8Array
  /** Length of the piece, 1..PIECE_BYTES_MAX. */
  pieceBytes: number
  /** From the slot to the deal's root, bottom-up; at most DEAL_TREE_DEPTH_MAX steps. */
  slotPath: SlotStep[]
  /** The leaf's bytes: 1024, fewer for a piece's last leaf. */
  leaf: Uint8Array
  /** From the leaf to the piece root, bottom-up, 32 bytes each. */
  leafPath: Uint8Array[]
}
