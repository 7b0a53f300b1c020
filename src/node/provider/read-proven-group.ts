/** Reads one 16 KiB group for a proof; damage is told to the owner and fails the proof rather than lying. */
import { HoldfastError } from '../../base/errors.ts'
import type { PieceStore } from '../../storage/index.ts'

/** @throws HoldfastError PIECE_NOT_FOUND | PIECE_DAMAGED */
export async function readProvenGroup(
  store: PieceStore,
  root: Uint8Array,
  group: number,
  onDamage: (root: Uint8Array, groups: readonly number[]) => void
): Promise<Uint8Array> {
  const { bytes, damaged } = await store.readGroups(root, group, 1)
  if (damaged.length > 0) {
    onDamage(root, damaged)
    throw new HoldfastError('PIECE_DAMAGED', 'bytes that a proof needs fail their checksum')
  }
  return bytes
}
