/** A peer that sends anything but the right chunk is found at that chunk, and the right one is taken afterwards. */
import assert from 'node:assert/strict'
import { decodeChunk, encodeChunk, type SnapshotChunk } from '../../src/ledger/snapshot/chunk.ts'
import type { SnapshotRestore } from '../../src/ledger/snapshot/restore.ts'
import { proveRange } from '../../src/ledger/state/range-proof.ts'
import { StateView, treeKeyOf } from '../../src/ledger/state/view.ts'
import { flipped, itRandom } from '../proofs/random.ts'
import {
  beginRestore,
  chunksIn,
  extendTo,
  Ledgers,
  type OpenLedger,
  snapshotGenesis,
  THREE_CHUNKS
} from './snapshot-support.ts'

describe('a lying snapshot peer', () => {
  const ledgers = new Ledgers()
  let source: OpenLedger
  let view: StateView
  let good: Uint8Array[]
  let later: Uint8Array[]
  let restore: SnapshotRestore
  before(async function () {
    this.timeout(60_000)
    source = await ledgers.open(snapshotGenesis(THREE_CHUNKS))
    await extendTo(source, 2n)
    const info = await source.replica.snapshots.make()
    view = new StateView(source.db)
    await extendTo(source, 4n)
    later = await chunksIn(source.replica, await source.replica.snapshots.make())
    good = await chunksIn(source.replica, info)
    restore = await beginRestore(source.replica, await ledgers.openDb(), info)
  })
  after(async () => {
    await restore.close()
    await view.close()
    await ledgers.close()
  })

  const refused = (bytes: Uint8Array): Promise<void> =>
    assert.rejects(restore.addChunk(bytes), { code: 'SNAPSHOT_INVALID' })

  /** A chunk with other records, and the honest edges for them: all that is wrong is where it is cut. */
  function recut(chunk: SnapshotChunk, records: SnapshotChunk['records']): Uint8Array {
    const after = chunk.proof.below?.leaf.key
    const last = treeKeyOf(records.at(-1)!.record)
    const proof = proveRange(view.nodes(), { ...(after && { after }), last })
    return encodeChunk({ ...chunk, records, proof })
  }

  /** Everything a liar may try at a chunk. */
  async function attack(index: number): Promise<void> {
    const bytes = good[index]!
    const chunk = decodeChunk(bytes)
    const { records, proof } = chunk
    const next = good[index + 1]
    const [record] = records
    const lies: SnapshotChunk[] = [
      { ...chunk, height: 3n },
      { ...chunk, index: index + 1 },
      { ...chunk, records: [] },
      { ...chunk, records: records.slice(1) },
      { ...chunk, records: records.toSpliced(9, 1) },
      { ...chunk, records: records.toSpliced(1, 0, record!) },
      { ...chunk, records: records.toReversed() },
      { ...chunk, records: records.with(3, { ...records[3]!, value: record!.value.slice(1) }) },
      { ...chunk, proof: {} },
      { ...chunk, proof: { ...proof, above: { depth: 0, siblings: [] } } }
    ]
    if (next !== undefined) {
      const { records: more, proof: theirs } = decodeChunk(next)
      lies.push({ ...chunk, proof: theirs }, { ...chunk, records: [...records, more[0]!] })
      const { above, ...final } = proof
      assert.ok(above !== undefined)
      lies.push({ ...chunk, proof: final })
      await refused(next)
      await refused(recut(chunk, [...records, more[0]!]))
    }
    for (const lie of lies) await refused(encodeChunk(lie))
    await refused(recut(chunk, records.slice(0, -1)))
    await refused(recut(chunk, records.slice(0, 1)))
    await refused(bytes.subarray(0, -1))
    await refused(new Uint8Array([...bytes, 0]))
    await refused(new Uint8Array(0))
    await refused(later[index]!)
  }

  itRandom('is found at every chunk', async random => {
    for (const [index, bytes] of good.entries()) {
      await attack(index)
      for (let i = 0; i < 3; i++) await refused(flipped(bytes, random.int(bytes.length * 8)))
      if (index > 0) await refused(good[index - 1]!)
      assert.equal(restore.progress.chunks, index)
      await restore.addChunk(bytes)
    }
    await refused(good.at(-1)!)
    await restore.finish()
  })
})
