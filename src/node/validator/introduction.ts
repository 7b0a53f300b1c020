/**
 * How one end of a link proves that it speaks for a validator: a signature of the vote key over the network and both
 * ends of the connection, whose own keys the handshake has proven.
 */
import { concat } from '../../base/bytes.ts'
import { sha256 } from '../../base/hash.ts'
import {
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  type SigningKey,
  verifySignature
} from '../../base/keys.ts'

const LABEL = 'net/validator-link/v1'
export const INTRODUCTION_BYTES: number = PUBLIC_KEY_BYTES + SIGNATURE_BYTES

export interface LinkEnds {
  /** 32 bytes. */
  genesisHash: Uint8Array
  /** Node key of the one who introduces itself. */
  fromPeerKey: Uint8Array
  /** Node key of the one it introduces itself to. */
  toPeerKey: Uint8Array
}

/** 96 bytes: vote key, signature. */
export function introduce(key: SigningKey, ends: LinkEnds): Uint8Array {
  return concat(key.publicKey, key.sign(LABEL, statementOf(ends)))
}

/** The vote key that an introduction proves; undefined when it proves none. */
export function introduced(bytes: Uint8Array, ends: LinkEnds): Uint8Array | undefined {
  if (bytes.length !== INTRODUCTION_BYTES) return undefined
  const publicKey = bytes.slice(0, PUBLIC_KEY_BYTES)
  const signature = bytes.subarray(PUBLIC_KEY_BYTES)
  return verifySignature(publicKey, LABEL, statementOf(ends), signature) ? publicKey : undefined
}

function statementOf({ genesisHash, fromPeerKey, toPeerKey }: LinkEnds): Uint8Array {
  return sha256(concat(genesisHash, fromPeerKey, toPeerKey))
}
