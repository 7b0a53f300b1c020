/**
 * A get, step by step: name → manifest → the segments that the range touches → more than k pieces asked at once, every
 * 16 KiB checked against its piece root on arrival → the fastest k shares decoded → decrypted → streamed in order.
 */
import { HoldfastError } from '../../base/errors.ts'
import {
  createErasureCode,
  normalisePath,
  plainAt,
  type SegmentEntry,
  segmentLayout,
  stripeRange,
  unwrapKey
} from '../../storage/index.ts'
import type { GetHandle, GetRequest } from '../control/types.ts'
import { peerIdOf } from '../net/peer-id.ts'
import type { ClientContext } from './context.ts'
import { FailureList } from './failure-list.ts'
import { type OpenedObject, openObject } from './objects.ts'
import { PieceSource } from './piece-source.ts'
import { readStripes } from './segment-reader.ts'

/** @throws HoldfastError NOT_FOUND | RANGE_INVALID; the body throws UNRECOVERABLE | DECRYPT_FAILED | ABORTED */
export async function get(client: ClientContext, request: GetRequest): Promise<GetHandle> {
  const object = await openObject(client, normalisePath(request.path))
  const range = resolveRange(request.range, object.manifest.bytes)
  const failures = new FailureList(client.quality)
  const memories = Array.from({ length: object.manifest.profile.n }, () => [])
  const signal = AbortSignal.any([client.signal, ...(request.signal ? [request.signal] : [])])
  return {
    path: object.path,
    bytes: range === undefined ? 0 : range.last - range.first + 1,
    body: readObject(client, object, { range, failures, memories, signal }),
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
  /** Memory of the sources, by piece index, used again in every segment. */
  memories: Uint8Array[][]
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

async function* readObject(
  client: ClientContext,
  object: OpenedObject,
  reading: Reading
): AsyncGenerator<Uint8Array> {
  const { range } = reading
  if (range === undefined) return
  let segmentStart = 0
  for (const entry of object.manifest.segments) {
    const first = Math.max(range.first, segmentStart) - segmentStart
    const last = Math.min(range.last, segmentStart + entry.bytes - 1) - segmentStart
    if (first <= last) {
      yield* readSegment(client, object, entry, { ...reading, range: { first, last } })
    }
    segmentStart += entry.bytes
  }
}

/** Plaintext first..last of one segment. */
async function* readSegment(
  client: ClientContext,
  { manifest, pathKey }: OpenedObject,
  entry: SegmentEntry,
  reading: Reading & { range: Range }
): AsyncGenerator<Uint8Array> {
  const { range, signal } = reading
  const layout = segmentLayout(manifest.profile, entry.bytes)
  const code = await createErasureCode(manifest.profile)
  const key = unwrapKey(pathKey, entry.wrappedKey)
  const sources = openSources(client, entry, reading)
  try {
    const stripes = stripeRange(layout, range.first, range.last)
    let stripe = stripes.first
    const reader = { layout, code, key, sources, signal }
    for await (const plain of readStripes(reader, stripes.first, stripes.last)) {
      const { offset } = plainAt(layout, stripe)
      yield plain.subarray(Math.max(0, range.first - offset), range.last - offset + 1)
      stripe++
    }
  } finally {
    for (const source of sources) source.close()
  }
}

/** One source per piece, by piece index. */
function openSources(
  client: ClientContext,
  entry: SegmentEntry,
  { failures, memories, signal }: Reading
): PieceSource[] {
  return entry.pieces.map(({ root, provider }, index) => {
    const record = client.replica.provider(provider)
    if (record === undefined)
      throw new HoldfastError('MANIFEST_INVALID', 'a piece of no known provider')
    return new PieceSource({
      net: client.net,
      locate: (peerId, until) => client.orderBook.locate(peerId, until),
      peerId: peerIdOf(record.peerKey),
      root,
      pieceBytes: entry.pieceBytes,
      memory: memories[index]!,
      signal,
      onFailure: (peerId, reason) => failures.add(peerId, reason)
    })
  })
}
