/** Checks of proofs: pure, from the ledger's facts alone, safe on hostile input. All the ledger sees of this folder. */
import { verifyLeaf } from './leaf.ts'
import type { Opening } from './opening.ts'
import { verifySlot } from './sum-tree.ts'

export { verifyLeaf } from './leaf.ts'
export type { Opening } from './opening.ts'
export { verifySlot } from './sum-tree.ts'

/**
 * True if the opening shows leaf `leafIndex` of the deal with this root and number of leaves. Never throws.
 * @param init.dealRoot root of the deal's sum tree, 32 bytes
 * @param init.dealLeaves its sum
 * @param init.leafIndex index within the deal, 0..dealLeaves-1
 */
export function verifyOpening(init: {
  opening: Opening
  dealRoot: Uint8Array
  dealLeaves: bigint
  leafIndex: bigint
}): boolean {
  const { opening, dealRoot, dealLeaves, leafIndex } = init
  const { slot, pieceRoot, pieceBytes, slotPath, leaf, leafPath } = opening
  const entry = { root: pieceRoot, bytes: pieceBytes }
  const place = verifySlot({ dealRoot, dealLeaves, slot, entry, path: slotPath })
  if (place === undefined) return false
  // verifyLeaf rejects an index outside the piece; a difference too large for a number stays too large.
  const leafInPiece = Number(leafIndex - place.firstLeaf)
  return verifyLeaf({ root: pieceRoot, pieceBytes, leafIndex: leafInPiece, leaf, path: leafPath })
}
