/**
 * Content keys. Every path has a key, derived part by part with HKDF-SHA256 (RFC 5869): the key of "/a/b" comes from
 * the key of "/a", so the key of a prefix opens everything under it and nothing beside it.
 *
 *   key("/")       = HKDF(contentSecret, "path/root")
 *   key(p + "/x")  = HKDF(key(p), SHA-256(domain "path/part" || "x"))
 *
 * A path key never encrypts: the keys that wrap segment keys and seal manifests are derived from it once more.
 */
import { hkdfSync } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { concat, utf8 } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { domain, domainHash } from '../base/hash.ts'
import { AEAD_TAG_BYTES } from '../base/limits.ts'
import type { Random } from '../base/ports.ts'
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, seal, unseal } from './aead.ts'
import { normalisePrefix, pathParts } from './path.ts'

export const CONTENT_KEY_BYTES = 32
/** nonce || encrypted segment key || tag */
export const WRAPPED_KEY_BYTES: number = AEAD_NONCE_BYTES + AEAD_KEY_BYTES + AEAD_TAG_BYTES

export interface Keyring {
  /**
   * 32-byte key of an object's path, or of a prefix ("/" for everything).
   * @throws HoldfastError INVALID_ARGUMENT on a malformed path
   */
  pathKey(path: string): Uint8Array
}

/** Keys of the owner of a 32-byte content secret (base/seed.ts). */
export function createKeyring(contentSecret: Uint8Array): Keyring {
  assert(contentSecret.length === CONTENT_KEY_BYTES, 'content secret is 32 bytes')
  const root = deriveKey(contentSecret, domain('path/root'))
  return { pathKey: path => descend(root, pathParts(normalisePrefix(path))) }
}

/** From the key of a prefix to the key of what lies `parts` below it: what the holder of a grant computes. */
export function descend(prefixKey: Uint8Array, parts: readonly string[]): Uint8Array {
  let key = prefixKey
  // Hashed first because HKDF of node:crypto takes at most 1024 bytes of info.
  for (const part of parts) key = deriveKey(key, domainHash('path/part', utf8(part)))
  return key
}

/** Encrypts a 32-byte segment key under a path key; WRAPPED_KEY_BYTES bytes. */
export function wrapKey(pathKey: Uint8Array, segmentKey: Uint8Array, random: Random): Uint8Array {
  assert(segmentKey.length === AEAD_KEY_BYTES, 'segment key is 32 bytes')
  const nonce = random.bytes(AEAD_NONCE_BYTES)
  return concat(nonce, seal(wrapping(pathKey, nonce), segmentKey))
}

/** @throws HoldfastError DECRYPT_FAILED on a wrong path key or altered bytes */
export function unwrapKey(pathKey: Uint8Array, wrapped: Uint8Array): Uint8Array {
  if (wrapped.length !== WRAPPED_KEY_BYTES) {
    throw new HoldfastError('DECRYPT_FAILED', `wrapped key of ${wrapped.length} bytes`)
  }
  const nonce = wrapped.subarray(0, AEAD_NONCE_BYTES)
  return unseal(wrapping(pathKey, nonce), wrapped.subarray(AEAD_NONCE_BYTES), 'segment key')
}

/** HKDF-SHA256 without salt (the input is a uniform key already); 32 bytes. `info` at most 1024 bytes. */
export function deriveKey(key: Uint8Array, info: Uint8Array): Uint8Array {
  assert(key.length === CONTENT_KEY_BYTES, 'keys are derived from 32-byte keys')
  return new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), info, CONTENT_KEY_BYTES))
}

function wrapping(
  pathKey: Uint8Array,
  nonce: Uint8Array
): { key: Uint8Array; nonce: Uint8Array; aad: Uint8Array } {
  return { key: deriveKey(pathKey, domain('wrap')), nonce, aad: domain('segment-key') }
}
