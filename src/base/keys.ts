/**
 * Ed25519 keys on node:crypto. Verification is the ledger's strict rule (reference: RFC 8032 with the checks that the
 * "ed25519-speccheck" vectors tell apart): canonical A and R, no small-order A or R, S < L, then the cofactorless
 * equation. Node 20 and 24 disagree on such signatures, so the checks are ours and the vectors are in the tests.
 */
import type { KeyObject } from 'node:crypto'
import { assert } from './assert.ts'
import { concat, fromHex, toHex } from './bytes.ts'
import { domain } from './hash.ts'
import { nodeCrypto } from './node-crypto.ts'
import { verifyEquation } from './portable-ed25519.ts'

export const PUBLIC_KEY_BYTES = 32
export const SIGNATURE_BYTES = 64
export const SEED_BYTES = 32

const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')
const SPKI_PREFIX = fromHex('302a300506032b6570032100')
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const P = 2n ** 255n - 19n

/** y coordinates of the eight small-order points, with every non-canonical spelling left to the canonical check. */
const SMALL_ORDER_Y = new Set<bigint>([
  0n,
  1n,
  P - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303021290n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n
])

export interface SigningKey {
  readonly publicKey: Uint8Array
  /** 32-byte Ed25519 seed; never logged, never leaves the process except into the key file. */
  readonly seed: Uint8Array
  /** 64-byte signature over domain(label) || message. */
  sign(label: string, message: Uint8Array): Uint8Array
}

export function signingKeyFromSeed(seed: Uint8Array): SigningKey {
  assert(seed.length === SEED_BYTES, 'Ed25519 seed is 32 bytes')
  assert(nodeCrypto !== undefined, 'keys that sign live in Node')
  const { createPrivateKey, createPublicKey, sign } = nodeCrypto
  const key = createPrivateKey({
    key: Buffer.from(concat(PKCS8_PREFIX, seed)),
    format: 'der',
    type: 'pkcs8'
  })
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' })
  const publicKey = new Uint8Array(spki.subarray(SPKI_PREFIX.length))
  return {
    publicKey,
    seed,
    sign: (label, message) => new Uint8Array(sign(null, concat(domain(label), message), key))
  }
}

/** True if `signature` is valid for domain(label) || message under the strict rule. */
export function verifySignature(
  publicKey: Uint8Array,
  label: string,
  message: Uint8Array,
  signature: Uint8Array
): boolean {
  return verifyStrict(publicKey, concat(domain(label), message), signature)
}

/** The strict rule over raw message bytes; exported for the published vectors. */
export function verifyStrict(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array
): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false
  if (!isAcceptablePoint(publicKey) || !isAcceptablePoint(signature.subarray(0, 32))) return false
  if (littleEndian(signature.subarray(32)) >= L) return false
  if (nodeCrypto === undefined) return verifyEquation(publicKey, message, signature)
  const key = keyObjectOf(publicKey)
  return key !== undefined && nodeCrypto.verify(null, message, key, signature)
}

/** Canonical y and not of small order; whether it is on the curve at all is the library's check. */
function isAcceptablePoint(encoded: Uint8Array): boolean {
  const y = littleEndian(encoded) & ((1n << 255n) - 1n)
  return y < P && !SMALL_ORDER_Y.has(y)
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(Uint8Array.from(bytes).reverse())}`)
}

/** Building a KeyObject costs a third of a verification (8.5k/s against 11.3k/s), so the last ones are kept. */
const KEY_CACHE_ENTRIES_MAX = 1024
const keyCache = new Map<string, KeyObject>()

function keyObjectOf(publicKey: Uint8Array): KeyObject | undefined {
  const id = toHex(publicKey)
  const cached = keyCache.get(id)
  if (cached !== undefined) return cached
  let key: KeyObject
  try {
    key = nodeCrypto!.createPublicKey({
      key: Buffer.from(concat(SPKI_PREFIX, publicKey)),
      format: 'der',
      type: 'spki'
    })
  } catch {
    return undefined
  }
  if (keyCache.size >= KEY_CACHE_ENTRIES_MAX) keyCache.delete(keyCache.keys().next().value!)
  keyCache.set(id, key)
  return key
}
