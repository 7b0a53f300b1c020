/**
 * An evidence bundle: one file that shows, offline, what the ledger says of deals. It brings the light blocks that lead
 * from what the reader trusts to a header, records of the state under that header with their proofs, and for objects
 * the slots of their pieces. Nothing in it is trusted. Canonical dag-cbor:
 *
 *   { version: 1, genesis: bytes | null, blocks: [bytes], records: [[table, key, value, proof]],
 *     object: { digest, map } | null, holdings: [{ deal, signed: [revision, clientSignature, providerSignature] |
 * null, pieces: [[slot, root, bytes]],
 *       depth, hashes, sums }] }
 *
 * Records ascend by table and key, holdings by deal and slot. `digest` is that of the map's CID: what the bundle is
 * about. genesis (GenesisSummary), blocks (LightBlock), values, proofs (StateProof) and revisions are SSZ.
 */
import { equal } from '../base/bytes.ts'
import { decodeDocument, encodeDocument } from '../base/codec.ts'
import { HoldfastError } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import {
  DEAL_PIECES_MAX,
  DEAL_TREE_DEPTH_MAX,
  HASH_BYTES,
  MIB,
  PIECE_BYTES_MAX
} from '../base/limits.ts'
import type { SlotEntry, SlotsProof } from '../proofs/audit-slots.ts'

export const EVIDENCE_VERSION = 1
export const EVIDENCE_BYTES_MAX: number = 32 * MIB
export const EVIDENCE_BLOCKS_MAX = 64
export const EVIDENCE_RECORDS_MAX = 65_536
const HOLDINGS_MAX = 4_096
const SMALL_BYTES_MAX = 128 * 1024
const SIGNED_BYTES_MAX = 512
const SIGNATURE_BYTES = 64

/** A record of the state and its proof, as bytes. */
export interface BundleRecord {
  table: string
  key: Uint8Array
  value: Uint8Array
  proof: Uint8Array
}

/** Some pieces of a deal, in their slots of the tree that the ledger has, or of a newer one that both sides signed. */
export interface BundleHolding {
  deal: Uint8Array
  signed: BundleSigned | undefined
  pieces: SlotEntry[]
  proof: SlotsProof
}

export interface BundleSigned {
  revision: Uint8Array
  clientSignature: Uint8Array
  providerSignature: Uint8Array
}

export interface EvidenceBundle {
  genesis: Uint8Array | undefined
  blocks: Uint8Array[]
  records: BundleRecord[]
  /** Encoded repair map of the object that it is about. */
  map: Uint8Array | undefined
  holdings: BundleHolding[]
}

/** @throws HoldfastError INVALID_ARGUMENT when it is larger than a bundle may be */
export function encodeBundle(bundle: EvidenceBundle): Uint8Array {
  const bytes = encodeDocument({
    version: EVIDENCE_VERSION,
    genesis: bundle.genesis ?? null,
    blocks: bundle.blocks,
    records: bundle.records.map(({ table, key, value, proof }) => [table, key, value, proof]),
    object: bundle.map === undefined ? null : { digest: sha256(bundle.map), map: bundle.map },
    holdings: bundle.holdings.map(({ deal, signed, pieces, proof }) => ({
      deal,
      signed: signed ? [signed.revision, signed.clientSignature, signed.providerSignature] : null,
      pieces: pieces.map(({ slot, root, bytes: pieceBytes }) => [slot, root, pieceBytes]),
      ...proof
    }))
  })
  if (bytes.length <= EVIDENCE_BYTES_MAX) return bytes
  throw new HoldfastError('INVALID_ARGUMENT', 'the evidence is too much for one bundle', {
    details: { bytes: bytes.length, bytesMax: EVIDENCE_BYTES_MAX },
    hint: 'export the evidence of single deals'
  })
}

/** Bounded and canonical; nothing is verified. @throws HoldfastError PROOF_INVALID */
export function decodeBundle(bytes: Uint8Array): EvidenceBundle {
  let document: unknown
  try {
    document = decodeDocument(bytes, EVIDENCE_BYTES_MAX)
  } catch (cause) {
    throw invalid('is not a document of the right form and length', cause)
  }
  const fields = recordOf(document, [
    'version',
    'genesis',
    'blocks',
    'records',
    'object',
    'holdings'
  ])
  if (fields['version'] !== EVIDENCE_VERSION) throw invalid('is of another version')
  return {
    genesis: optional(fields['genesis'], value => bytesOf(value, SMALL_BYTES_MAX)),
    blocks: listOf(fields['blocks'], EVIDENCE_BLOCKS_MAX).map(each =>
      bytesOf(each, SMALL_BYTES_MAX)
    ),
    records: listOf(fields['records'], EVIDENCE_RECORDS_MAX).map(recordOfBundle),
    map: optional(fields['object'], mapOf),
    holdings: listOf(fields['holdings'], HOLDINGS_MAX).map(holdingOf)
  }
}

function recordOfBundle(item: unknown): BundleRecord {
  const [table, key, value, proof] = tupleOf(item, 4)
  if (typeof table !== 'string' || table.length > 32) throw invalid('names no table')
  return {
    table,
    key: bytesOf(key, 64),
    value: bytesOf(value, SMALL_BYTES_MAX),
    proof: bytesOf(proof, SMALL_BYTES_MAX)
  }
}

function mapOf(item: unknown): Uint8Array {
  const fields = recordOf(item, ['digest', 'map'])
  const map = bytesOf(fields['map'], EVIDENCE_BYTES_MAX)
  if (equal(fixedOf(fields['digest'], HASH_BYTES), sha256(map))) return map
  throw invalid('brings another repair map than it is about')
}

function holdingOf(item: unknown): BundleHolding {
  const fields = recordOf(item, ['deal', 'signed', 'pieces', 'depth', 'hashes', 'sums'])
  return {
    deal: fixedOf(fields['deal'], HASH_BYTES),
    signed: optional(fields['signed'], signedOf),
    pieces: listOf(fields['pieces'], DEAL_PIECES_MAX).map(piece => {
      const [slot, root, length] = tupleOf(piece, 3)
      return {
        slot: integerOf(slot, DEAL_PIECES_MAX - 1),
        root: fixedOf(root, HASH_BYTES),
        bytes: integerOf(length, PIECE_BYTES_MAX)
      }
    }),
    proof: {
      depth: integerOf(fields['depth'], DEAL_TREE_DEPTH_MAX),
      hashes: bytesOf(fields['hashes'], EVIDENCE_BYTES_MAX),
      sums: listOf(fields['sums'], EVIDENCE_BYTES_MAX).map(sum =>
        integerOf(sum, Number.MAX_SAFE_INTEGER)
      )
    }
  }
}

function signedOf(item: unknown): BundleSigned {
  const [revision, clientSignature, providerSignature] = tupleOf(item, 3)
  return {
    revision: bytesOf(revision, SIGNED_BYTES_MAX),
    clientSignature: fixedOf(clientSignature, SIGNATURE_BYTES),
    providerSignature: fixedOf(providerSignature, SIGNATURE_BYTES)
  }
}

function recordOf(value: unknown, keys: readonly string[]): Record<string, unknown> {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  const found = isRecord ? Object.keys(value) : []
  if (found.length !== keys.length || !keys.every(key => found.includes(key))) {
    throw invalid(`does not have the fields ${keys.join(', ')}`)
  }
  return value as Record<string, unknown>
}

function listOf(value: unknown, max: number): unknown[] {
  if (Array.isArray(value) && value.length <= max) return value
  throw invalid(`has no list of at most ${max}`)
}

function tupleOf(value: unknown, length: number): unknown[] {
  if (Array.isArray(value) && value.length === length) return value
  throw invalid(`has no list of ${length}`)
}

function bytesOf(value: unknown, max: number): Uint8Array {
  if (value instanceof Uint8Array && value.length <= max) return value
  throw invalid(`does not have at most ${max} bytes where it should`)
}

function fixedOf(value: unknown, length: number): Uint8Array {
  if (value instanceof Uint8Array && value.length === length) return value
  throw invalid(`does not have ${length} bytes where it should`)
}

function integerOf(value: unknown, max: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max) {
    return value as number
  }
  throw invalid(`has no number from 0 to ${max} where it should`)
}

function optional<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === null ? undefined : parse(value)
}

export function invalid(problem: string, cause?: unknown): HoldfastError {
  return new HoldfastError('PROOF_INVALID', `the evidence ${problem}`, { cause })
}
