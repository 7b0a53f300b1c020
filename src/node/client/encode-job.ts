/**
 * The CPU work of a put for one segment: every stripe is sealed, erasure-coded and hashed into its
 * pieces' commitments while it is still in the cache. Runs in a worker thread, or in place for small segments. Imports
 * no more than it needs: all of both folders costs each worker 36 MiB and 250 ms.
 */
import { type Commitment, createCommitter } from '../../proofs/commit.ts'
import { createErasureCode } from '../../storage/erasure.ts'
import { segmentLayout } from '../../storage/layout.ts'
import type { Profile } from '../../storage/profile.ts'
import { createSegmentEncoder, piecesIn } from '../../storage/segment-encoder.ts'

export interface EncodeJob {
  profile: Profile
  /** The segment; shared memory when it goes to a worker. */
  plain: Uint8Array
  /** 32-byte segment key. */
  key: Uint8Array
  /** Takes the pieces, where `piecesIn` finds them; shared memory when it goes to a worker. */
  arena: Uint8Array
}

/** Fills the arena; returns the commitment of each piece, by piece index. */
export async function encodeSegment({
  profile,
  plain,
  key,
  arena
}: EncodeJob): Promise<Commitment[]> {
  const layout = segmentLayout(profile, plain.length)
  const code = await createErasureCode(profile)
  const pieces = piecesIn(arena, layout)
  const encoder = createSegmentEncoder({ layout, code, key, plain, pieces })
  const committers = Array.from({ length: layout.n }, createCommitter)
  for (let stripe = 0; stripe < layout.stripes; stripe++) {
    const shares = encoder.encodeStripe(stripe)
    for (let i = 0; i < layout.n; i++) committers[i]!.update(shares[i]!)
  }
  return committers.map(committer => committer.finish())
}
