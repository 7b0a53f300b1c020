/** Cuts the state that a view shows into chunks, one in memory at a time. */
import type { Hash } from '../../base/hash.ts'
import { proveRange } from '../state/range-proof.ts'
import { type StateView, type StoredRecord, treeKeyOf } from '../state/view.ts'
import { recordBytes, SNAPSHOT_CUT_BYTES, type SnapshotChunk } from './chunk.ts'

/** @param height the view is of the state after it */
export async function* chunksOf(view: StateView, height: bigint): AsyncGenerator<SnapshotChunk> {
  let index = 0
  let after: Hash | undefined
  let records: StoredRecord[] = []
  let bytes = 0
  const chunk = (last: boolean): SnapshotChunk => {
    const end = treeKeyOf(records.at(-1)!.record)
    const range = { ...(after && { after }), ...(last ? {} : { last: end }) }
    const made = { height, index, records, proof: proveRange(view.nodes(), range) }
    after = end
    index++
    records = []
    bytes = 0
    return made
  }
  for await (const record of view.records()) {
    if (bytes >= SNAPSHOT_CUT_BYTES) yield chunk(false)
    records.push(record)
    bytes += recordBytes(record)
  }
  yield chunk(true)
}
