/**
 * Segments on their way out: plaintext → sealed, erasure-coded pieces and their commitments. A worker thread encodes
 * one segment while the one before it is being uploaded; two arenas take turns, so memory stays at 2·n/k segments
 * whatever the object's size, and the event loop stays free for the network.
 */
import { KIB, SEGMENT_BYTES_DEFAULT } from '../../base/limits.ts'
import type { Commitment } from '../../proofs/index.ts'
import {
  cutSegments,
  type Profile,
  type SegmentLayout,
  segmentLayout,
  wrapKey
} from '../../storage/index.ts'
import type { ClientContext } from './context.ts'
import { encodeSegment } from './encode-job.ts'

const SEGMENT_KEY_BYTES = 32
/** Below this, encoding in place takes a few milliseconds: less than the way to a worker and back. */
const IN_PLACE_BYTES_MAX: number = 256 * KIB

export interface EncodedSegment {
  layout: SegmentLayout
  wrappedKey: Uint8Array
  /** By piece index; views into an arena that is reused two segments later. */
  pieces: Uint8Array[]
  commitments: Commitment[]
}

export interface EncodeRequest {
  source: AsyncIterable<Uint8Array>
  /** Length of the source when it is known. */
  bytes?: number
  profile: Profile
  pathKey: Uint8Array
  signal: AbortSignal
}

/** Yields segments in order, each a step ahead of the consumer. @throws HoldfastError ABORTED, or the source's error */
export async function* encodeSegments(
  client: ClientContext,
  request: EncodeRequest
): AsyncGenerator<EncodedSegment> {
  const encoding = encodeOneByOne(client, request)
  let next = encoding.next()
  try {
    for (;;) {
      const { done, value } = await next
      if (done === true) return
      next = encoding.next()
      // Awaited on the next turn; a consumer that stops early must not leave a rejection unhandled.
      next.catch(() => {})
      yield value
    }
  } finally {
    await encoding.return(undefined).catch(() => {})
  }
}

async function* encodeOneByOne(
  client: ClientContext,
  request: EncodeRequest
): AsyncGenerator<EncodedSegment> {
  const arenas = [new ReusedMemory(), new ReusedMemory()] as const
  // One plaintext buffer is enough: a segment is encoded before the next one is read.
  const segmentBytesMax = Math.min(SEGMENT_BYTES_DEFAULT, request.bytes ?? SEGMENT_BYTES_DEFAULT)
  const inPlace = segmentBytesMax <= IN_PLACE_BYTES_MAX
  const buffers = inPlace ? undefined : [sharedBytes(SEGMENT_BYTES_DEFAULT)]
  let turn: 0 | 1 = 0
  for await (const plain of cutSegments(request.source, SEGMENT_BYTES_DEFAULT, buffers)) {
    request.signal.throwIfAborted()
    const layout = segmentLayout(request.profile, plain.length)
    const arena = arenas[turn].atLeast(layout.n * layout.pieceBytes)
    const key = client.random.bytes(SEGMENT_KEY_BYTES)
    const job = { profile: request.profile, plain, key, arena }
    const commitments = inPlace ? await encodeSegment(job) : await client.encoders.run(job)
    yield {
      layout,
      wrappedKey: wrapKey(request.pathKey, key, client.random),
      pieces: piecesIn(arena, layout),
      commitments
    }
    turn = turn === 0 ? 1 : 0
  }
}

/** Memory that both threads see, kept from segment to segment. */
class ReusedMemory {
  #bytes = new Uint8Array(0)

  atLeast(bytes: number): Uint8Array {
    if (this.#bytes.length < bytes) this.#bytes = sharedBytes(bytes)
    return this.#bytes
  }
}

function sharedBytes(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(bytes)) as Uint8Array as Uint8Array<ArrayBuffer>
}

function piecesIn(arena: Uint8Array, { n, pieceBytes }: SegmentLayout): Uint8Array[] {
  return Array.from({ length: n }, (_, i) => arena.subarray(i * pieceBytes, (i + 1) * pieceBytes))
}
