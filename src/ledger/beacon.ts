/**
 * The randomness beacon: RANDAO over unique BLS12-381 signatures (IETF draft-irtf-cfrg-bls-signature, minimal-pubkey
 * variant, proof-of-possession suite: signature bytes are the same in every library). A proposer can withhold its
 * reveal by withholding its block, but cannot choose it.
 */
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { assert } from '../base/assert.ts'
import { concat, equal, toHex, utf8 } from '../base/bytes.ts'
import { domain, domainHash, type Hash, sha256 } from '../base/hash.ts'
import { nodeCrypto } from '../base/node-crypto.ts'
import type { Params } from './params.ts'
import { REVEAL_BYTES } from './types/block.ts'
import { chainIdType, type NetworkId } from './types/network.ts'
import { BEACON_KEY_BYTES } from './types/records.ts'
import { bytes32, container, type Ssz, u64 } from './types/ssz.ts'
import { type ValidatorBinding, validatorBindingType } from './types/validator-tx.ts'

const { longSignatures: bls, fields } = bls12_381
const DST = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_'
const REVEAL_LABEL = 'ledger/beacon-reveal/v1'
/** The draft's suite for proofs of possession: no reveal can be passed off as one. */
const PROOF_DST = 'BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_'
const PROOF_LABEL = 'ledger/beacon-proof/v1'
const SECRET_BYTES = 32

export interface RevealBody extends NetworkId {
  height: bigint
  /** Mix after the block below. */
  mix: Uint8Array
}

export const revealBodyType: Ssz<RevealBody> = container<RevealBody>('RevealBody', {
  chainId: chainIdType,
  genesisHash: bytes32,
  height: u64,
  mix: bytes32
})

export interface BeaconKey {
  /** 48 bytes. */
  readonly publicKey: Uint8Array
  /** 96 bytes; the only valid reveal of this key for this body. */
  reveal(body: RevealBody): Uint8Array
  /** 96 bytes: the key is held by whoever binds it to an account. */
  provePossession(binding: ValidatorBinding): Uint8Array
}

/**
 * The beacon key of a validator, by the draft's KeyGen (HKDF-SHA256 mod r).
 * @param secret 32 bytes: KeySet.beaconSecret
 */
export function beaconKeyFromSecret(secret: Uint8Array): BeaconKey {
  assert(secret.length === SECRET_BYTES, 'a beacon secret is 32 bytes')
  const scalar = scalarFrom(secret)
  return {
    publicKey: Uint8Array.from(bls.getPublicKey(scalar).toBytes()),
    reveal: body => Uint8Array.from(bls.Signature.toBytes(bls.sign(messageOf(body), scalar))),
    provePossession: binding =>
      Uint8Array.from(bls.Signature.toBytes(bls.sign(bindingMessage(binding), scalar)))
  }
}

/** True if `reveal` is the proposer's signature over the body. Takes some 16 ms. */
export function verifyReveal(publicKey: Uint8Array, body: RevealBody, reveal: Uint8Array): boolean {
  return isSigned(publicKey, messageOf(body), reveal)
}

/** True if whoever holds the binding's beacon key signed the binding. Takes some 16 ms. */
export function verifyPossession(binding: ValidatorBinding, proof: Uint8Array): boolean {
  return isSigned(binding.beaconKey, bindingMessage(binding), proof)
}

function isSigned(
  publicKey: Uint8Array,
  message: ReturnType<typeof bls.hash>,
  signature: Uint8Array
): boolean {
  if (signature.length !== REVEAL_BYTES) return false
  try {
    const point = bls.Signature.fromBytes(signature)
    if (!equal(bls.Signature.toBytes(point), signature)) return false
    return bls.verify(point, message, publicKey)
  } catch {
    return false // bytes that are not points of the groups
  }
}

/** True for the encoding of a point of G1 that is not zero. */
export function isBeaconKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== BEACON_KEY_BYTES) return false
  try {
    const point = bls12_381.G1.Point.fromBytes(publicKey)
    point.assertValidity()
    return !point.is0() && point.isTorsionFree() && equal(point.toBytes(), publicKey)
  } catch {
    return false
  }
}

export function revealDue(params: Params, height: bigint): boolean {
  return height % BigInt(params.revealEveryHeights) === 0n
}

/** The mix before the first block. */
export function initialMix(genesisHash: Hash): Hash {
  return domainHash('ledger/beacon-genesis/v1', genesisHash)
}

/** The mix after a block with this reveal (96 bytes or none). */
export function nextMix(mix: Hash, reveal: Uint8Array): Hash {
  return domainHash('ledger/beacon-mix/v1', mix, reveal)
}

function messageOf(body: RevealBody): ReturnType<typeof bls.hash> {
  return bls.hash(concat(domain(REVEAL_LABEL), revealBodyType.hashTreeRoot(body)), DST)
}

function bindingMessage(binding: ValidatorBinding): ReturnType<typeof bls.hash> {
  return bls.hash(
    concat(domain(PROOF_LABEL), validatorBindingType.hashTreeRoot(binding)),
    PROOF_DST
  )
}

function scalarFrom(secret: Uint8Array): Uint8Array {
  assert(nodeCrypto !== undefined, 'keys that sign live in Node')
  const material = concat(secret, Uint8Array.of(0))
  const info = Uint8Array.of(0, 48)
  let salt = sha256(utf8('BLS-SIG-KEYGEN-SALT-'))
  for (;;) {
    const okm = new Uint8Array(nodeCrypto.hkdfSync('sha256', material, salt, info, 48))
    const scalar = BigInt(`0x${toHex(okm)}`) % fields.Fr.ORDER
    if (scalar !== 0n) return fields.Fr.toBytes(scalar)
    salt = sha256(salt)
  }
}
