/** AES-256-GCM (NIST SP 800-38D) on node:crypto: 32-byte keys, 12-byte nonces, 16-byte tags behind the ciphertext. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { assert } from '../base/assert.ts'
import { HoldfastError } from '../base/errors.ts'
import { AEAD_TAG_BYTES } from '../base/limits.ts'

const ALGORITHM = 'aes-256-gcm'
export const AEAD_KEY_BYTES = 32
export const AEAD_NONCE_BYTES = 12

export interface AeadMessage {
  readonly key: Uint8Array
  /** Never twice under one key. */
  readonly nonce: Uint8Array
  /** Authenticated, not encrypted. */
  readonly aad: Uint8Array
}

/**
 * Writes ciphertext || tag to `parts`, one after the other, and fills all of them: zeros follow a plaintext that is
 * shorter. The last part has room for the tag.
 */
export function sealAcross(
  message: AeadMessage,
  plain: Uint8Array,
  parts: readonly Uint8Array[]
): void {
  checkLengths(message)
  const cipher = createCipheriv(ALGORITHM, message.key, message.nonce, {
    authTagLength: AEAD_TAG_BYTES
  })
  cipher.setAAD(message.aad)
  let taken = 0
  // Part by part: the cipher returns its output in memory of its own, and small results stay in the cache.
  for (const [i, part] of parts.entries()) {
    const room = i === parts.length - 1 ? part.length - AEAD_TAG_BYTES : part.length
    assert(room >= 0, 'the last part has room for the tag')
    const text = plain.subarray(taken, taken + room)
    part.set(cipher.update(text))
    if (text.length < room) {
      part.set(cipher.update(new Uint8Array(room - text.length)), text.length)
    }
    taken += text.length
  }
  assert(taken === plain.length, 'room for ciphertext and tag')
  cipher.final()
  const last = parts.at(-1)!
  last.set(cipher.getAuthTag(), last.length - AEAD_TAG_BYTES)
}

/** ciphertext || tag in fresh memory. */
export function seal(message: AeadMessage, plain: Uint8Array): Uint8Array {
  const out = new Uint8Array(plain.length + AEAD_TAG_BYTES)
  sealAcross(message, plain, [out])
  return out
}

/**
 * The plaintext, in fresh memory.
 * @throws HoldfastError DECRYPT_FAILED on a wrong key, nonce or AAD, and on any altered byte
 */
export function unseal(message: AeadMessage, sealed: Uint8Array, what: string): Uint8Array {
  checkLengths(message)
  if (sealed.length < AEAD_TAG_BYTES) throw decryptFailed(what)
  const plainBytes = sealed.length - AEAD_TAG_BYTES
  const decipher = createDecipheriv(ALGORITHM, message.key, message.nonce, {
    authTagLength: AEAD_TAG_BYTES
  })
  decipher.setAAD(message.aad)
  decipher.setAuthTag(sealed.subarray(plainBytes))
  const plain = decipher.update(sealed.subarray(0, plainBytes))
  try {
    decipher.final()
  } catch (cause) {
    throw decryptFailed(what, cause)
  }
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength)
}

function checkLengths({ key, nonce }: AeadMessage): void {
  assert(key.length === AEAD_KEY_BYTES, 'AES-256 key is 32 bytes')
  assert(nonce.length === AEAD_NONCE_BYTES, 'GCM nonce is 12 bytes')
}

function decryptFailed(what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('DECRYPT_FAILED', `${what}: wrong key or altered bytes`, { cause })
}
