/** The proof transaction's payload: openings of the drawn leaves, in the order of the draw. */
import {
  DEAL_TREE_DEPTH_MAX,
  HASH_BYTES,
  LEAF_BYTES,
  PIECE_BYTES_MAX,
  PROOF_LEAVES_MAX
} from '../../base/limits.ts'
import type { Opening, SlotStep } from '../../proofs/opening.ts'
import { byteList, bytes32, container, listOf, type Ssz, u32, u64 } from './ssz.ts'

export interface ProofPayload {
  period: bigint
  openings: Opening[]
}

/** Depth of the BLAKE3 tree over the longest piece. */
export const LEAF_PATH_MAX: number = Math.ceil(Math.log2(PIECE_BYTES_MAX / LEAF_BYTES))

const SLOT_STEP_BYTES = HASH_BYTES + 8
const OFFSET_BYTES = 4

/** Largest encoded opening with its offset in the list. */
export const OPENING_BYTES_MAX: number =
  OFFSET_BYTES +
  (4 + HASH_BYTES + 4 + 3 * OFFSET_BYTES) +
  DEAL_TREE_DEPTH_MAX * SLOT_STEP_BYTES +
  LEAF_BYTES +
  LEAF_PATH_MAX * HASH_BYTES

const slotStepType: Ssz<SlotStep> = container<SlotStep>('SlotStep', { hash: bytes32, leaves: u64 })

export const openingType: Ssz<Opening> = container<Opening>('Opening', {
  slot: u32,
  pieceRoot: bytes32,
  pieceBytes: u32,
  slotPath: listOf(slotStepType, DEAL_TREE_DEPTH_MAX),
  leaf: byteList(LEAF_BYTES),
  leafPath: listOf(bytes32, LEAF_PATH_MAX)
})

export const proofPayloadType: Ssz<ProofPayload> = container<ProofPayload>('ProofPayload', {
  period: u64,
  openings: listOf(openingType, PROOF_LEAVES_MAX)
})
