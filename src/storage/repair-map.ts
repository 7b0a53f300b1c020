/**
 * The public part of a manifest: which pieces make up each segment, and in which slot of which deal each one is. It has
 * no keys and no names, so anybody may hold it: with it a stranger can audit the object and rebuild a lost piece. A
 * dag-cbor document named by its CID (dag-cbor, SHA-256).
 *
 *   { version: 1, network, profile: [k, n], deals: [id, …], segments: [{ pieceBytes, pieces: [[root, deal, slot], …]
 * }] }
 *
 * `deal` is a position in `deals`, which are ascending and all in use.
 */
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { compare, toHex } from '../base/bytes.ts'
import { decodeDocument, encodeDocument } from '../base/codec.ts'
import { HoldfastError } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import {
  DEAL_PIECES_MAX,
  HASH_BYTES,
  MIB,
  PIECE_BYTES_MAX,
  SEGMENTS_PER_OBJECT_MAX
} from '../base/limits.ts'
import { checkProfile, type Profile } from './profile.ts'

const DAG_CBOR_CODE = 0x71
const SHA2_256_CODE = 0x12

/** Every object whose manifest fits its own bound has a map below this. */
export const REPAIR_MAP_BYTES_MAX: number = 32 * MIB

export interface RepairMap {
  readonly version: 1
  /** 32-byte genesis hash. */
  readonly network: Uint8Array
  readonly profile: Profile
  readonly segments: readonly MapSegment[]
}

export interface MapSegment {
  readonly pieceBytes: number
  /** n of them, in the order of the erasure code. */
  readonly pieces: readonly MapPiece[]
}

export interface MapPiece {
  /** 32-byte piece root. */
  readonly root: Uint8Array
  /** 32-byte deal id. */
  readonly deal: Uint8Array
  readonly slot: number
}

/** @throws HoldfastError MANIFEST_INVALID when a part is out of range, or above REPAIR_MAP_BYTES_MAX */
export function encodeRepairMap(map: RepairMap): Uint8Array {
  const deals = dealsOf(map)
  const places = new Map(deals.map((id, place) => [toHex(id), place]))
  const bytes = encodeDocument({
    version: map.version,
    network: map.network,
    profile: [map.profile.k, map.profile.n],
    deals,
    segments: map.segments.map(({ pieceBytes, pieces }) => ({
      pieceBytes,
      pieces: pieces.map(({ root, deal, slot }) => [root, places.get(toHex(deal)), slot])
    }))
  })
  decodeRepairMap(bytes)
  return bytes
}

/** @throws HoldfastError MANIFEST_INVALID on anything but a well-formed map in its canonical form */
export function decodeRepairMap(bytes: Uint8Array): RepairMap {
  let document: unknown
  try {
    document = decodeDocument(bytes, REPAIR_MAP_BYTES_MAX)
  } catch (cause) {
    throw invalid('not a document of the right form and length', cause)
  }
  return mapOf(document)
}

/** CIDv1, dag-cbor, sha2-256 of the encoded map. */
export function repairMapCid(bytes: Uint8Array): string {
  return cidOfDigest(sha256(bytes))
}

/** @param digest SHA-256 of the encoded map */
export function cidOfDigest(digest: Uint8Array): string {
  return CID.createV1(DAG_CBOR_CODE, create(SHA2_256_CODE, digest)).toString()
}

/** The 32-byte digest in the CID of a map. @throws HoldfastError INVALID_ARGUMENT on any other CID */
export function digestOfRepairMapCid(text: string): Uint8Array {
  let cid: CID
  try {
    cid = CID.parse(text)
  } catch (cause) {
    throw new HoldfastError('INVALID_ARGUMENT', `not a CID: ${text}`, { cause })
  }
  const { code, digest } = cid.multihash
  const fits = cid.version === 1 && cid.code === DAG_CBOR_CODE && code === SHA2_256_CODE
  if (fits && digest.length === HASH_BYTES) return digest
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `not the CID of a repair map (CIDv1, dag-cbor, sha2-256): ${text}`
  )
}

/** Every deal that a map names, ascending. */
export function dealsOf({ segments }: Pick<RepairMap, 'segments'>): Uint8Array[] {
  const found = new Map<string, Uint8Array>()
  for (const { pieces } of segments) for (const { deal } of pieces) found.set(toHex(deal), deal)
  return [...found.values()].sort(compare)
}

function mapOf(document: unknown): RepairMap {
  const keys = ['version', 'network', 'profile', 'deals', 'segments']
  const { version, network, profile, deals, segments } = recordOf(document, 'map', keys)
  if (version !== 1) throw invalid('version is not 1')
  const shape = profileOf(profile)
  const ids = listOf(deals, 'deals', 0, Number.MAX_SAFE_INTEGER).map(id => hashOf(id, 'deal'))
  const map: RepairMap = {
    version: 1,
    network: hashOf(network, 'network'),
    profile: shape,
    segments: listOf(segments, 'segments', 0, SEGMENTS_PER_OBJECT_MAX).map(segment =>
      segmentOf(segment, shape, ids)
    )
  }
  const named = dealsOf(map)
  const same = named.length === ids.length && named.every((id, i) => compare(id, ids[i]!) === 0)
  if (!same) throw invalid('its deals are not those of its pieces in order')
  return map
}

function segmentOf(value: unknown, { n }: Profile, deals: readonly Uint8Array[]): MapSegment {
  const { pieceBytes, pieces } = recordOf(value, 'segment', ['pieceBytes', 'pieces'])
  return {
    pieceBytes: integerOf(pieceBytes, 'pieceBytes', 1, PIECE_BYTES_MAX),
    pieces: listOf(pieces, 'pieces', n, n).map(piece => {
      const [root, deal, slot] = listOf(piece, 'piece', 3, 3)
      return {
        root: hashOf(root, 'piece root'),
        deal: deals[integerOf(deal, 'deal', 0, deals.length - 1)]!,
        slot: integerOf(slot, 'slot', 0, DEAL_PIECES_MAX - 1)
      }
    })
  }
}

function profileOf(value: unknown): Profile {
  const [k, n] = listOf(value, 'profile', 2, 2)
  try {
    return checkProfile({ k: k as number, n: n as number })
  } catch (cause) {
    throw invalid('profile is impossible', cause)
  }
}

function recordOf(value: unknown, name: string, keys: readonly string[]): Record<string, unknown> {
  const isRecord = typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
  const found = isRecord && !Array.isArray(value) ? Object.keys(value) : []
  if (found.length !== keys.length || !keys.every(key => found.includes(key))) {
    throw invalid(`${name} does not have the fields ${keys.join(', ')}`)
  }
  return value as Record<string, unknown>
}

function listOf(value: unknown, name: string, min: number, max: number): unknown[] {
  if (Array.isArray(value) && value.length >= min && value.length <= max) return value
  throw invalid(`${name} is not a list of ${min === max ? min : `${min} to ${max}`}`)
}

function hashOf(value: unknown, name: string): Uint8Array {
  if (value instanceof Uint8Array && value.length === HASH_BYTES) return value
  throw invalid(`${name} is not ${HASH_BYTES} bytes`)
}

function integerOf(value: unknown, name: string, min: number, max: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) {
    return value as number
  }
  throw invalid(`${name} is not an integer from ${min} to ${max}`)
}

function invalid(reason: string, cause?: unknown): HoldfastError {
  return new HoldfastError('MANIFEST_INVALID', `repair map: ${reason}`, { cause })
}
