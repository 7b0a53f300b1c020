/**
 * Hashes with domain separation. SHA-256 is for the ledger and everything signed; BLAKE3 (piece roots) lives in
 * src/proofs because it needs the tree. A domain is a short ASCII label; hashing it first (32 bytes) keeps every
 * use apart from every other.
 */
import { sha256 as portableSha256 } from '@noble/hashes/sha2.js'
import { concat } from './bytes.ts'
import { HASH_BYTES } from './limits.ts'
import { nodeCrypto } from './node-crypto.ts'

export type Hash = Uint8Array

export const ZERO_HASH: Hash = new Uint8Array(HASH_BYTES)

/** SHA-256 over the concatenation of the parts; 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Hash {
  if (nodeCrypto === undefined) return portableSha256(concat(...parts))
  if (parts.length === 1) return nodeCrypto.hash('sha256', parts[0]!, 'buffer')
  const state = nodeCrypto.createHash('sha256')
  for (const part of parts) state.update(part)
  return state.digest()
}

const domains = new Map<string, Hash>()

/** SHA-256("holdfast/<label>"), cached. */
export function domain(label: string): Hash {
  let found = domains.get(label)
  if (found === undefined) {
    found = sha256(new TextEncoder().encode(`holdfast/${label}`))
    domains.set(label, found)
  }
  return found
}

/** SHA-256(domain(label) || parts). */
export function domainHash(label: string, ...parts: readonly Uint8Array[]): Hash {
  return sha256(domain(label), ...parts)
}
