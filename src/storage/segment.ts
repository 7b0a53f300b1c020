/** Re-chunks a stream into segments, in bounded memory: one segment, or the buffers of the caller. */
import { assert } from '../base/assert.ts'
import { KIB, SEGMENT_BYTES_MAX } from '../base/limits.ts'

/** First allocation for a stream of unknown length: small objects stay small. */
const BUFFER_BYTES_MIN: number = 64 * KIB

/**
 * Segments of exactly `segmentBytes`; the last one may be shorter; an empty source has none.
 *
 * Ownership: without `buffers` every segment is fresh memory and belongs to the caller. With `buffers` (each at least
 * `segmentBytes` long) segment i is a view of buffer i modulo their count: it is the caller's until the caller asks for
 * the segment `buffers.length` places later, which overwrites it. So two buffers allow two segments in flight.
 * Chunks of the source are copied; the source may reuse them.
 */
export async function* cutSegments(
  source: AsyncIterable<Uint8Array>,
  segmentBytes: number,
  buffers?: readonly Uint8Array[]
): AsyncGenerator<Uint8Array, void, undefined> {
  assert(
    Number.isInteger(segmentBytes) && segmentBytes > 0 && segmentBytes <= SEGMENT_BYTES_MAX,
    'segment length'
  )
  assert(buffers === undefined || buffers.length > 0, 'at least one buffer')
  let index = 0
  let target = firstBuffer(segmentBytes, buffers)
  let filled = 0
  for await (const chunk of source) {
    let taken = 0
    while (taken < chunk.length) {
      if (filled === segmentBytes) {
        yield target.subarray(0, filled)
        index += 1
        target = nextBuffer(index, segmentBytes, buffers)
        filled = 0
      }
      const take = Math.min(segmentBytes - filled, chunk.length - taken)
      target = grown(target, filled, filled + take, segmentBytes)
      target.set(chunk.subarray(taken, taken + take), filled)
      filled += take
      taken += take
    }
  }
  if (filled > 0) yield target.subarray(0, filled)
}

function firstBuffer(segmentBytes: number, buffers?: readonly Uint8Array[]): Uint8Array {
  if (buffers !== undefined) return bufferAt(0, segmentBytes, buffers)
  return new Uint8Array(Math.min(BUFFER_BYTES_MIN, segmentBytes))
}

function nextBuffer(
  index: number,
  segmentBytes: number,
  buffers?: readonly Uint8Array[]
): Uint8Array {
  if (buffers !== undefined) return bufferAt(index, segmentBytes, buffers)
  return new Uint8Array(segmentBytes)
}

function bufferAt(index: number, segmentBytes: number, buffers: readonly Uint8Array[]): Uint8Array {
  const buffer = buffers[index % buffers.length]!
  assert(buffer.length >= segmentBytes, 'a buffer holds a whole segment')
  return buffer
}

/** The buffer itself, or a copy at least twice as long, never longer than a segment. */
function grown(
  buffer: Uint8Array,
  filled: number,
  needed: number,
  segmentBytes: number
): Uint8Array {
  if (needed <= buffer.length) return buffer
  const larger = new Uint8Array(Math.min(segmentBytes, Math.max(needed, 2 * buffer.length)))
  larger.set(buffer.subarray(0, filled))
  return larger
}
