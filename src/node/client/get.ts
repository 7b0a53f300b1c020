/**
 * A get, step by step: name → manifest → the parts of segments that the range touches → more than k pieces asked at
 * once, every 16 KiB checked against its piece root on arrival → the fastest k shares decoded and decrypted in a worker
 * thread, while the next ones are fetched → streamed in order.
 */
import { HoldfastError } from '../../base/errors.ts'
import { normalisePath, type SegmentEntry, segmentLayout, unwrapKey } from '../../storage/index.ts'
import type { GetHandle, GetRequest } from '../control/types.ts'
import { peerIdOf } from '../net/peer-id.ts'
import type { ClientContext } from './context.ts'
import { FailureList } from './failure-list.ts'
import { type OpenedObject, openObject } from './objects.ts'
import { PieceSource } from './piece-source.ts'
import { readParts, type SegmentPart } from './segment-reader.ts'

/** @throws HoldfastError NOT_FOUND | RANGE_INVALID; the body throws UNRECOVERABLE | DECRYPT_FAILED | ABORTED */
export async function get(client: ClientContext, request: GetRequest): Promise<GetHandle> {
  const object = await openObject(client, normalisePath(request.path))
  const range = resolveRange(request.range, object.manifest.bytes)
  const failures = new FailureList(client.quality)
  const signal = AbortSignal.any([client.signal, ...(request.signal ? [request.signal] : [])])
  const parts = partsOf(client, object, { range, failures, signal })
  const doubts = failures.doubts.bind(failures)
  return {
    path: object.path,
    bytes: range === undefined ? 0 : range.last - range.first + 1,
    body: readParts(parts, { ...client, doubts, signal }),
    failed: () => failures.list()
  }
}

interface Range {
  first: number
  last: number
}

interface Reading {
  range: Range | undefined
  failures: FailureList
  signal: AbortSignal
}

/** The bytes to read; undefined when there are none (an empty object). */
function resolveRange(asked: Range | undefined, bytes: number): Range | undefined {
  if (asked === undefined) return bytes === 0 ? undefined : { first: 0, last: bytes - 1 }
  if (!(asked.first >= 0 && asked.first <= asked.last && asked.first < bytes)) {
    throw new HoldfastError(
      'RANGE_INVALID',
      `the range ${asked.first}-${asked.last} does not lie in an object of ${bytes} bytes`
    )
  }
  return { first: asked.first, last: Math.min(asked.last, bytes - 1) }
}

/** What the range takes of each segment that it touches. */
function* partsOf(
  client: ClientContext,
  { manifest, pathKey }: OpenedObject,
  reading: Reading
): Generator<SegmentPart> {
  const { range } = reading
  if (range === undefined) return
  let segmentStart = 0
  for (const entry of manifest.segments) {
    const first = Math.max(range.first, segmentStart) - segmentStart
    const last = Math.min(range.last, segmentStart + entry.bytes - 1) - segmentStart
    if (first <= last) {
      const layout = segmentLayout(manifest.profile, entry.bytes)
      const key = unwrapKey(pathKey, entry.wrappedKey)
      const openSources = (): PieceSource[] => sourcesOf(client, entry, reading)
      yield { layout, key, first, last, openSources }
    }
    segmentStart += entry.bytes
  }
}

/** One source per piece, by piece index. */
function sourcesOf(
  client: ClientContext,
  entry: SegmentEntry,
  { failures, signal }: Reading
): PieceSource[] {
  return entry.pieces.map(({ root, provider }) => {
    const record = client.replica.provider(provider)
    if (record === undefined)
      throw new HoldfastError('MANIFEST_INVALID', 'a piece of no known provider')
    return new PieceSource({
      net: client.net,
      locate: (peerId, until) => client.orderBook.locate(peerId, until),
      peerId: peerIdOf(record.peerKey),
      root,
      pieceBytes: entry.pieceBytes,
      memory: client.memory,
      signal,
      onFailure: (peerId, reason) => failures.add(peerId, reason),
      onLag: peerId => failures.lag(peerId),
      onServed: (peerId, bytes, ms) => client.quality.recordTransfer(peerId, bytes, ms)
    })
  })
}
