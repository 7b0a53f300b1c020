/** Makes the pieces of an uploaded segment once more, from those that its providers hold: same bytes, same roots. */
import { assert } from '../../base/assert.ts'
import { equal } from '../../base/bytes.ts'
import { arenaBytes, piecesIn, type SegmentLayout, unwrapKey } from '../../storage/index.ts'
import type { ClientContext } from './context.ts'
import { PieceSource } from './piece-source.ts'
import type { Holder } from './placement.ts'
import { readParts } from './segment-reader.ts'
import type { SegmentPieces, UploadedSegment } from './transfer.ts'

export interface RebuildInit {
  pathKey: Uint8Array
  /** Holders that are asked last. */
  isGone: (holder: Holder) => boolean
  signal: AbortSignal
}

export interface RebuiltSegment extends SegmentPieces {
  /** The pieces are not needed any more. */
  release: () => void
}

/** @throws HoldfastError UNRECOVERABLE when fewer than k holders answer | ABORTED */
export async function rebuildSegment(
  client: ClientContext,
  segment: UploadedSegment,
  { pathKey, isGone, signal }: RebuildInit
): Promise<RebuiltSegment> {
  const { memory, workers } = client
  const { layout, wrappedKey, commitments } = segment
  const key = unwrapKey(pathKey, wrappedKey)
  const gone = new Set(segment.holders.filter(isGone).map(({ peerId }) => peerId))
  const plain = memory.take(layout.plainBytes)
  const arena = memory.take(arenaBytes(layout))
  const part = {
    ...{ layout, key, first: 0, last: layout.plainBytes - 1 },
    openSources: () => sourcesOf(client, segment, signal)
  }
  const doubts = (peerId: string): number => Number(gone.has(peerId))
  let filled = 0
  for await (const chunk of readParts([part], { workers, memory, doubts, signal })) {
    plain.set(chunk, filled)
    filled += chunk.length
  }
  const { k, n } = layout
  const job = { profile: { k, n }, plain: plain.subarray(0, layout.plainBytes), key, arena }
  const again = await workers.run('encode', job)
  memory.give(plain)
  assertSame(layout, commitments, again)
  const release = (): void => memory.give(arena)
  return { layout, commitments, pieces: piecesIn(arena, layout), release }
}

function sourcesOf(
  client: ClientContext,
  { layout, commitments, holders }: UploadedSegment,
  signal: AbortSignal
): PieceSource[] {
  return commitments.map(({ root }, index) => {
    return new PieceSource({
      net: client.net,
      locate: (peerId, until) => client.orderBook.locate(peerId, until),
      peerId: holders[index]!.peerId,
      root,
      pieceBytes: layout.pieceBytes,
      memory: client.memory,
      signal,
      onFailure: (peerId, reason) => client.logger.info('rebuild.failed', { peerId, reason }),
      onLag: () => {}
    })
  })
}

/** Every byte was checked against its piece root on arrival and under the segment key: encoding is deterministic. */
function assertSame(
  { n }: SegmentLayout,
  before: UploadedSegment['commitments'],
  after: UploadedSegment['commitments']
): void {
  assert(after.length === n, 'a commitment of each piece')
  const same = after.every(({ root }, index) => equal(root, before[index]!.root))
  assert(same, 'the same segment under the same key has the same pieces')
}
