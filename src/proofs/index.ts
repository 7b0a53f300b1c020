/** Proofs: commitments to pieces, verified ranges, the deal's sum tree, challenges and their openings. */
export {
  type AskedPiece,
  type AuditedDeal,
  type AuditedPiece,
  type AuditedPieces,
  faultOfDealLeaves,
  faultOfSlots
} from './audit.ts'
export { type LeavesOpening, openLeaves, verifyLeaves } from './audit-leaves.ts'
export {
  AUDIT_GOAL,
  type AuditGoal,
  confidenceOf,
  drawAudit,
  fewestToLose,
  leavesToDraw
} from './audit-plan.ts'
export { openSlots, type SlotEntry, type SlotsProof, verifySlots } from './audit-slots.ts'
export { blake3 } from './blake3.ts'
export { Blake3, type Blake3Options } from './blake3-tree.ts'
export { challengeSeed, drawLeaves } from './challenge.ts'
export {
  type Commitment,
  type Committer,
  type CommitterOptions,
  commitPiece,
  createCommitter
} from './commit.ts'
export { type LeafOpening, openLeaf, verifyLeaf } from './leaf.ts'
export { bytesOfGroup, bytesOfLeaf, groupsOf, leavesOf } from './lengths.ts'
export type { Opening } from './opening.ts'
export {
  createPieceCid,
  type PieceCid,
  type PieceCidHasher,
  type PieceCidOptions
} from './piece-cid/piece-cid.ts'
export { type GroupCvsOf, openingFor, type ReadGroup } from './prove.ts'
export { openRange, type RangeProof, verifyGroup, verifyRange } from './range.ts'
export { type PieceEntry, type Slot, type SlotStep, SumTree, verifySlot } from './sum-tree.ts'
export { verifyOpening } from './verify.ts'
