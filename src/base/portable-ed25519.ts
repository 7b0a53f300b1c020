/**
 * The equation of Ed25519 without a cofactor, as node:crypto checks it, on @noble/curves: for browsers. The library's
 * own verify multiplies by the cofactor and so accepts more.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat, equal } from './bytes.ts'

const { Point } = ed25519

/**
 * True if S·B − k·A encodes as R. The caller has checked that A, R and S are canonical.
 * @param signature R || S, 64 bytes
 */
export function verifyEquation(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array
): boolean {
  try {
    const a = Point.fromBytes(publicKey)
    const r = signature.subarray(0, 32)
    const k = littleEndian(sha512(concat(r, publicKey, message))) % Point.Fn.ORDER
    const s = littleEndian(signature.subarray(32))
    const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k))
    return equal(expected.toBytes(), r)
  } catch {
    return false // A is not on the curve
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!)
  return value
}
