/** Proofs: commitments to pieces, verified ranges, the deal's sum tree, challenges and their openings. */
export { blake3 } from './blake3.ts'
export { challengeSeed, drawLeaves } from './challenge.ts'
export {
  bytesOfGroup,
  bytesOfLeaf,
  type Commitment,
  type Committer,
  commitPiece,
  createCommitter,
  groupsOf,
  leavesOf
} from './commit.ts'
export { type LeafOpening, openLeaf, verifyLeaf } from './leaf.ts'
export type { Opening } from './opening.ts'
export { type GroupCvsOf, openingFor, type ReadGroup } from './prove.ts'
export { openRange, type RangeProof, verifyGroup, verifyRange } from './range.ts'
export { type PieceEntry, type Slot, type SlotStep, SumTree, verifySlot } from './sum-tree.ts'
export { verifyOpening } from './verify.ts'
