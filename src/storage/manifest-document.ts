/**
 * The manifest as data, and as the dag-cbor document inside its encryption. Reading is strict: every count, length and
 * sum must be the one that the profile and the object's length give.
 */
import { HoldfastError } from '../base/errors.ts'
import { HASH_BYTES, SEGMENT_BYTES_MAX, SEGMENTS_PER_OBJECT_MAX } from '../base/limits.ts'
import { WRAPPED_KEY_BYTES } from './keyring.ts'
import { segmentLayout, segmentsOf } from './layout.ts'
import { checkProfile, type Profile } from './profile.ts'

export interface Manifest {
  readonly version: 1
  /** Plaintext bytes of the object; 0 has no segments. */
  readonly bytes: number
  /** Milliseconds since the Unix epoch. */
  readonly modifiedMs: number
  readonly profile: Profile
  /** Plaintext bytes of every segment but the last. */
  readonly segmentBytes: number
  readonly segments: readonly SegmentEntry[]
}

export interface SegmentEntry {
  /** Plaintext bytes. */
  readonly bytes: number
  /** The segment key under the path key: WRAPPED_KEY_BYTES bytes. */
  readonly wrappedKey: Uint8Array
  readonly pieceBytes: number
  /** n of them, in the order of the erasure code. */
  readonly pieces: readonly PieceEntry[]
}

export interface PieceEntry {
  /** 32-byte piece root. */
  readonly root: Uint8Array
  /** 32-byte account key of the provider. */
  readonly provider: Uint8Array
  /** 32-byte deal id. */
  readonly deal: Uint8Array
}

/** The dag-cbor shape: pieces are arrays [root, provider, deal], because their field names would be a tenth of it. */
export function toDocument(manifest: Manifest): unknown {
  return {
    version: manifest.version,
    bytes: manifest.bytes,
    modifiedMs: manifest.modifiedMs,
    profile: [manifest.profile.k, manifest.profile.n],
    segmentBytes: manifest.segmentBytes,
    segments: manifest.segments.map(segment => ({
      bytes: segment.bytes,
      wrappedKey: segment.wrappedKey,
      pieceBytes: segment.pieceBytes,
      pieces: segment.pieces.map(piece => [piece.root, piece.provider, piece.deal])
    }))
  }
}

/** @throws HoldfastError MANIFEST_INVALID */
export function fromDocument(document: unknown): Manifest {
  const fields = mapOf(document, 'manifest', [
    'version',
    'bytes',
    'modifiedMs',
    'profile',
    'segmentBytes',
    'segments'
  ])
  if (fields['version'] !== 1) throw manifestInvalid('version is not 1')
  const bytes = integerOf(fields['bytes'], 'bytes', 0, Number.MAX_SAFE_INTEGER)
  const modifiedMs = integerOf(fields['modifiedMs'], 'modifiedMs', 0, Number.MAX_SAFE_INTEGER)
  const profile = profileOf(fields['profile'])
  const segmentBytes = integerOf(fields['segmentBytes'], 'segmentBytes', 1, SEGMENT_BYTES_MAX)
  const count = segmentsOf(bytes, segmentBytes)
  if (count > SEGMENTS_PER_OBJECT_MAX) throw manifestInvalid('too many segments')
  const segments = arrayOf(fields['segments'], 'segments', count).map((segment, index) =>
    segmentOf(segment, profile, Math.min(segmentBytes, bytes - index * segmentBytes))
  )
  return { version: 1, bytes, modifiedMs, profile, segmentBytes, segments }
}

export function manifestInvalid(reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('MANIFEST_INVALID', `manifest: ${reason}`, { cause })
}

/** A map with exactly these keys. @throws HoldfastError MANIFEST_INVALID */
export function mapOf(
  value: unknown,
  name: string,
  keys: readonly string[]
): Record<string, unknown> {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isMap || value instanceof Uint8Array) throw manifestInvalid(`${name} is not a map`)
  const found = Object.keys(value)
  if (found.length !== keys.length || !keys.every(key => Object.hasOwn(value, key))) {
    throw manifestInvalid(`${name} has other fields than ${keys.join(', ')}`)
  }
  return value as Record<string, unknown>
}

/** Bytes, of exactly that length if one is given. @throws HoldfastError MANIFEST_INVALID */
export function bytesOf(value: unknown, name: string, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array) || (length !== undefined && value.length !== length)) {
    throw manifestInvalid(`${name} is not ${length ?? 'any number of'} bytes`)
  }
  return value
}

function segmentOf(value: unknown, profile: Profile, bytesExpected: number): SegmentEntry {
  const fields = mapOf(value, 'segment', ['bytes', 'wrappedKey', 'pieceBytes', 'pieces'])
  const { pieceBytes } = segmentLayout(profile, bytesExpected)
  return {
    bytes: integerOf(fields['bytes'], 'segment bytes', bytesExpected, bytesExpected),
    wrappedKey: bytesOf(fields['wrappedKey'], 'wrappedKey', WRAPPED_KEY_BYTES),
    pieceBytes: integerOf(fields['pieceBytes'], 'pieceBytes', pieceBytes, pieceBytes),
    pieces: arrayOf(fields['pieces'], 'pieces', profile.n).map(pieceOf)
  }
}

function pieceOf(value: unknown): PieceEntry {
  const [root, provider, deal] = arrayOf(value, 'piece', 3)
  return {
    root: bytesOf(root, 'piece root', HASH_BYTES),
    provider: bytesOf(provider, 'provider', HASH_BYTES),
    deal: bytesOf(deal, 'deal', HASH_BYTES)
  }
}

function profileOf(value: unknown): Profile {
  const [k, n] = arrayOf(value, 'profile', 2)
  try {
    return checkProfile({ k: k as number, n: n as number })
  } catch (cause) {
    throw manifestInvalid('profile is impossible', cause)
  }
}

function arrayOf(value: unknown, name: string, length: number): unknown[] {
  if (!Array.isArray(value) || value.length !== length) {
    throw manifestInvalid(`${name} is not an array of ${length}`)
  }
  return value
}

function integerOf(value: unknown, name: string, min: number, max: number): number {
  if (!Number.isSafeInteger(value) || (value as number) < min || (value as number) > max) {
    throw manifestInvalid(`${name} is not an integer from ${min} to ${max}`)
  }
  return value as number
}
