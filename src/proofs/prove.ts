/** The provider's side of a challenge: builds the opening of one leaf from stored bytes. */
import { HoldfastError } from '../base/errors.ts'
import { LEAVES_PER_GROUP } from './blake3.ts'
import { openLeaf, verifyLeaf } from './leaf.ts'
import type { Opening } from './opening.ts'
import type { SumTree } from './sum-tree.ts'

/** Reads one 16 KiB group (fewer bytes for a piece's last group) of a stored piece. */
export type ReadGroup = (pieceRoot: Uint8Array, groupIndex: number) => Promise<Uint8Array>
/** Reads the chaining values of a stored piece: 32 bytes per group. */
export type GroupCvsOf = (pieceRoot: Uint8Array) => Promise<Uint8Array>

/**
 * Opens leaf `leafIndex` (0..tree.leaves-1) of a deal; reads one group and the chaining values of one piece. The result
 * has been checked: damaged storage makes this fail, never an opening that does not verify.
 * @throws HoldfastError PIECE_DAMAGED when stored bytes do not belong to the piece root; whatever the readers throw
 */
export async function openingFor(init: {
  tree: SumTree
  leafIndex: bigint
  readGroup: ReadGroup
  groupCvsOf: GroupCvsOf
}): Promise<Opening> {
  const { tree, readGroup, groupCvsOf } = init
  const { slot, leafInPiece: leafIndex } = tree.locate(init.leafIndex)
  // Taken before the first await: the tree may change while the disk is read.
  const slotPath = tree.open(slot)
  const { root, bytes: pieceBytes } = tree.get(slot)!
  const groupIndex = Math.floor(leafIndex / LEAVES_PER_GROUP)
  const [groupBytes, groupCvs] = await Promise.all([readGroup(root, groupIndex), groupCvsOf(root)])
  const { leaf, path } = openLeaf({ groupCvs, pieceBytes, groupBytes, leafIndex })
  if (!verifyLeaf({ root, pieceBytes, leafIndex, leaf, path })) {
    throw new HoldfastError('PIECE_DAMAGED', 'stored bytes do not belong to the piece', {
      details: { groupIndex }
    })
  }
  return { slot, pieceRoot: new Uint8Array(root), pieceBytes, slotPath, leaf, leafPath: path }
}
