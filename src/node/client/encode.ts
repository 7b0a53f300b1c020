/**
 * Segments on their way out: plaintext → sealed, erasure-coded pieces and their commitments. While one segment is read
 * from the source, those before it are encoded by worker threads and uploaded by the consumer. Every segment under way
 * lies in an arena; when all are in use the source has to wait, so memory is bounded whatever the object's size.
 */
import { KIB, MIB, SEGMENT_BYTES_DEFAULT } from '../../base/limits.ts'
import type { Commitment } from '../../proofs/index.ts'
import {
  arenaBytes,
  cutSegments,
  type Profile,
  piecesIn,
  type SegmentLayout,
  segmentLayout,
  wrapKey
} from '../../storage/index.ts'
import { raceAbort } from '../net/wait.ts'
import { Arenas } from './arenas.ts'
import type { ClientContext } from './context.ts'
import { encodeSegment } from './encode-job.ts'

const SEGMENT_KEY_BYTES = 32
/** Below this, encoding in place takes a few milliseconds: less than the way to a worker and back. */
const IN_PLACE_BYTES_MAX: number = 256 * KIB
/** All arenas of a put together, as far as at least two segments allow it. */
const ARENA_BYTES_MAX: number = 144 * MIB
/** One being encoded, the others uploaded, each with a stream to every provider. More do not fit in 256 MiB. */
const ARENAS_MAX = 3
/** One segment is read while the one before it is encoded. */
const PLAIN_BUFFERS = 2

export interface EncodedSegment {
  layout: SegmentLayout
  wrappedKey: Uint8Array
  /** By piece index; views into an arena. */
  pieces: Uint8Array[]
  commitments: Commitment[]
  /** The consumer is done with the pieces: gives the arena to a later segment. */
  release: () => void
}

export interface EncodeRequest {
  source: AsyncIterable<Uint8Array>
  /** Length of the source when it is known. */
  bytes?: number
  profile: Profile
  pathKey: Uint8Array
  signal: AbortSignal
}

/**
 * Yields segments in order; the next one is encoded meanwhile.
 * @throws HoldfastError ABORTED or the signal's own, at once, even if the source does not answer; or the source's error
 */
export async function* encodeSegments(
  client: ClientContext,
  request: EncodeRequest
): AsyncGenerator<EncodedSegment> {
  const encodings = startEncodings(client, request)
  let next = encodings.next()
  try {
    for (;;) {
      const { done, value } = await raceAbort(next, request.signal)
      if (done === true) return
      next = encodings.next()
      // Awaited on the next turn; a consumer that stops early must not leave a rejection unhandled.
      next.catch(() => {})
      yield await raceAbort(value.encoded, request.signal)
    }
  } finally {
    // Not awaited: a source that does not answer would hold the error up.
    void encodings.return(undefined).catch(() => {})
  }
}

/** Yields every encoding as it starts. Memory of a put that fails is left to the garbage collector. */
async function* startEncodings(
  client: ClientContext,
  request: EncodeRequest
): AsyncGenerator<{ encoded: Promise<EncodedSegment> }> {
  const { source, bytes = SEGMENT_BYTES_DEFAULT, profile, signal } = request
  const inPlace = bytes <= IN_PLACE_BYTES_MAX
  const arenas = new Arenas(client.memory, arenaCount(profile))
  const plains = Array.from({ length: inPlace ? 0 : PLAIN_BUFFERS }, () =>
    client.memory.take(SEGMENT_BYTES_DEFAULT)
  )
  let last: Promise<unknown> = Promise.resolve()
  let beforeLast = last
  const buffers = inPlace ? undefined : plains
  for await (const plain of cutSegments(source, SEGMENT_BYTES_DEFAULT, buffers)) {
    signal.throwIfAborted()
    const encoded = encodeOne(client, { ...request, plain, arenas, inPlace })
    encoded.catch(() => {})
    yield { encoded }
    ;[beforeLast, last] = [last, encoded]
    // Its plaintext is where the next segment is going to be read.
    await beforeLast
  }
  await last
  for (const plain of plains) client.memory.give(plain)
}

async function encodeOne(
  client: ClientContext,
  request: EncodeRequest & { plain: Uint8Array; arenas: Arenas; inPlace: boolean }
): Promise<EncodedSegment> {
  const { profile, pathKey, plain, arenas, inPlace } = request
  const layout = segmentLayout(profile, plain.length)
  const arena = await arenas.take(arenaBytes(layout))
  const key = client.random.bytes(SEGMENT_KEY_BYTES)
  const job = { profile, plain, key, arena }
  const commitments = await (inPlace ? encodeSegment(job) : client.workers.run('encode', job))
  const wrappedKey = wrapKey(pathKey, key, client.random)
  const release = (): void => arenas.give(arena)
  return { layout, wrappedKey, pieces: piecesIn(arena, layout), commitments, release }
}

function arenaCount(profile: Profile): number {
  const bytes = arenaBytes(segmentLayout(profile, SEGMENT_BYTES_DEFAULT))
  return Math.max(2, Math.min(ARENAS_MAX, Math.floor(ARENA_BYTES_MAX / bytes)))
}
