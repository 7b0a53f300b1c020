/**
 * The CPU work of a get for a run of stripes: missing data shares are reconstructed, and the stripes opened. Runs in a
 * worker thread, or in place for a few bytes. Imports no more than it needs, as encode-job.ts does.
 */
import { createErasureCode } from '../../storage/erasure.ts'
import type { SegmentLayout } from '../../storage/layout.ts'
import { createSegmentDecoder } from '../../storage/segment-decoder.ts'

export interface DecodeJob {
  layout: SegmentLayout
  /** 32-byte segment key. */
  key: Uint8Array
  /** Index of the first stripe. */
  first: number
  /** rows[stripe - first][index]: verified shares, k or more of each stripe; shared memory when it goes to a worker. */
  rows: readonly (readonly (Uint8Array | undefined)[])[]
}

/**
 * The plaintext of each stripe, in fresh memory of its own.
 * @throws HoldfastError DECRYPT_FAILED
 */
export async function decodeStripes({
  layout,
  key,
  first,
  rows
}: DecodeJob): Promise<Uint8Array[]> {
  const { k, n } = layout
  const decoder = createSegmentDecoder({ layout, code: await createErasureCode({ k, n }), key })
  return rows.map((row, i) => decoder.decodeStripe(first + i, row))
}
