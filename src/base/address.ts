/**
 * Addresses of ledger accounts: bech32m of the 32-byte Ed25519 public key with prefix "hf" (BIP-350). A typing error
 * of up to three characters is always noticed.
 */
import { bech32m } from '@scure/base'
import { HoldfastError } from './errors.ts'
import { HASH_BYTES } from './limits.ts'

const PREFIX = 'hf'

export function addressOf(publicKey: Uint8Array): string {
  return bech32m.encodeFromBytes(PREFIX, publicKey)
}

/** @throws HoldfastError INVALID_ARGUMENT unless a well-formed address */
export function accountOfAddress(address: string): Uint8Array {
  try {
    const { prefix, bytes } = bech32m.decodeToBytes(address)
    if (prefix === PREFIX && bytes.length === HASH_BYTES) return bytes
  } catch {
    // falls through to the one error below: which check failed does not help the caller
  }
  throw new HoldfastError('INVALID_ARGUMENT', `not an address: ${address}`, {
    hint: 'addresses start with hf1; `holdfast wallet address` prints yours'
  })
}
