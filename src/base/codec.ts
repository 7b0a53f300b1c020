/**
 * dag-cbor for manifests and documents that people may look at. Decoding is strict: bounded before it is parsed and
 * re-encoded afterwards, because the decoder alone accepts unsorted maps and short floats.
 */
import { decode, encode } from '@ipld/dag-cbor'
import { equal } from './bytes.ts'
import { HoldfastError } from './errors.ts'

export function encodeDocument(value: unknown): Uint8Array {
  return encode(value)
}

/** @throws HoldfastError FRAME_TOO_LARGE above bytesMax, PROTOCOL_VIOLATION when not canonical dag-cbor */
export function decodeDocument(bytes: Uint8Array, bytesMax: number): unknown {
  if (bytes.length > bytesMax) {
    throw new HoldfastError(
      'FRAME_TOO_LARGE',
      `document of ${bytes.length} bytes, ${bytesMax} allowed`
    )
  }
  let value: unknown
  try {
    value = decode(bytes)
  } catch (cause) {
    throw new HoldfastError('PROTOCOL_VIOLATION', 'not dag-cbor', { cause })
  }
  if (!equal(encode(value), bytes)) {
    throw new HoldfastError('PROTOCOL_VIOLATION', 'dag-cbor is not canonical')
  }
  return value
}
