/**
 * Stripe encryption: AES-256-GCM, one message per stripe. A segment key is random and encrypts one segment once, so the
 * 96-bit nonce is the stripe index. The AAD names the format version, whether this is the segment's final stripe, and
 * the index: stripes cannot be reordered, cut off at the end, or spliced between segments (the STREAM idea of
 * Hoang, Reyhanitabar, Rogaway and Vizar, 2015).
 */
import { AEAD_NONCE_BYTES, sealAcross, unseal } from './aead.ts'

const FORMAT_VERSION = 1
/** version (1) || final flag (1) || stripe index (4, big-endian) */
const STRIPE_AAD_BYTES = 6

export interface StripePlace {
  readonly index: number
  /** True for the last stripe of the segment. */
  readonly final: boolean
}

/** Fills `shares`, one after the other, with ciphertext || tag; a plaintext that is too short is followed by zeros. */
export function sealStripe(
  key: Uint8Array,
  place: StripePlace,
  plain: Uint8Array,
  shares: readonly Uint8Array[]
): void {
  sealAcross({ key, nonce: nonceOf(place), aad: aadOf(place) }, plain, shares)
}

/**
 * The plaintext of ciphertext || tag (no padding), in fresh memory.
 * @throws HoldfastError DECRYPT_FAILED when altered, in another place, or under another key
 */
export function openStripe(key: Uint8Array, place: StripePlace, sealed: Uint8Array): Uint8Array {
  return unseal({ key, nonce: nonceOf(place), aad: aadOf(place) }, sealed, `stripe ${place.index}`)
}

function nonceOf({ index }: StripePlace): Uint8Array {
  const nonce = Buffer.alloc(AEAD_NONCE_BYTES)
  nonce.writeUInt32BE(index, AEAD_NONCE_BYTES - 4)
  return nonce
}

function aadOf({ index, final }: StripePlace): Uint8Array {
  const aad = Buffer.alloc(STRIPE_AAD_BYTES)
  aad.writeUInt8(FORMAT_VERSION, 0)
  aad.writeUInt8(final ? 1 : 0, 1)
  aad.writeUInt32BE(index, 2)
  return aad
}
