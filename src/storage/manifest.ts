/**
 * The manifest on the wire and on disk: a small dag-cbor envelope { body, nonce, version } whose body is the dag-cbor
 * document under AES-256-GCM with a key derived from the object's path key. Its CID (dag-cbor, SHA-256) names the
 * object. Nothing but its length is visible without the key.
 */
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { concat } from '../base/bytes.ts'
import { decodeDocument, encodeDocument } from '../base/codec.ts'
import { domain, sha256 } from '../base/hash.ts'
import { AEAD_TAG_BYTES, MANIFEST_BYTES_MAX } from '../base/limits.ts'
import type { Random } from '../base/ports.ts'
import { AEAD_NONCE_BYTES, type AeadMessage, seal, unseal } from './aead.ts'
import { deriveKey } from './keyring.ts'
import {
  bytesOf,
  fromDocument,
  type Manifest,
  manifestInvalid,
  mapOf,
  toDocument
} from './manifest-document.ts'

export type { Manifest, PieceEntry, SegmentEntry } from './manifest-document.ts'

const ENVELOPE_VERSION = 1
const DAG_CBOR_CODE = 0x71
const SHA2_256_CODE = 0x12

/**
 * Encrypts a manifest under the 32-byte path key of its object.
 * @throws HoldfastError MANIFEST_INVALID when its counts, lengths and sums do not fit together, or above
 * MANIFEST_BYTES_MAX
 */
export function sealManifest(manifest: Manifest, pathKey: Uint8Array, random: Random): Uint8Array {
  const document = toDocument(manifest)
  fromDocument(document)
  const nonce = random.bytes(AEAD_NONCE_BYTES)
  const body = seal(sealing(pathKey, nonce), encodeDocument(document))
  const bytes = encodeDocument({ version: ENVELOPE_VERSION, nonce, body })
  if (bytes.length > MANIFEST_BYTES_MAX) {
    throw manifestInvalid(`${bytes.length} bytes, ${MANIFEST_BYTES_MAX} allowed`)
  }
  return bytes
}

/**
 * @throws HoldfastError MANIFEST_INVALID on anything but a well-formed manifest, DECRYPT_FAILED when the path key is
 * not the one it was sealed with or the bytes were altered
 */
export function openManifest(bytes: Uint8Array, pathKey: Uint8Array): Manifest {
  const fields = mapOf(decode(bytes), 'envelope', ['version', 'nonce', 'body'])
  if (fields['version'] !== ENVELOPE_VERSION) {
    throw manifestInvalid(`envelope version is not ${ENVELOPE_VERSION}`)
  }
  const nonce = bytesOf(fields['nonce'], 'nonce', AEAD_NONCE_BYTES)
  const body = bytesOf(fields['body'], 'body')
  if (body.length < AEAD_TAG_BYTES) throw manifestInvalid('body is shorter than its tag')
  return fromDocument(decode(unseal(sealing(pathKey, nonce), body, 'manifest')))
}

/** CIDv1, dag-cbor, sha2-256 of the sealed bytes: the object's name. */
export function manifestCid(bytes: Uint8Array): string {
  return CID.createV1(DAG_CBOR_CODE, create(SHA2_256_CODE, sha256(bytes))).toString()
}

function decode(bytes: Uint8Array): unknown {
  try {
    return decodeDocument(bytes, MANIFEST_BYTES_MAX)
  } catch (cause) {
    throw manifestInvalid('not a document of the right form and length', cause)
  }
}

function sealing(pathKey: Uint8Array, nonce: Uint8Array): AeadMessage {
  const aad = concat(domain('manifest'), Uint8Array.of(ENVELOPE_VERSION))
  return { key: deriveKey(pathKey, domain('manifest-key')), nonce, aad }
}
