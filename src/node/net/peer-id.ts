/** PeerIds and the Ed25519 keys they stand for; libp2p's identity multihash makes the two interchangeable. */
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id'
import { HoldfastError } from '../../base/errors.ts'
import { PUBLIC_KEY_BYTES } from '../../base/keys.ts'

/** Longest text of any PeerId kind; anything longer is not worth decoding. */
const PEER_ID_CHARS_MAX = 128

/** @throws HoldfastError INVALID_ARGUMENT unless 32 bytes */
export function peerIdOf(peerKey: Uint8Array): string {
  if (peerKey.length !== PUBLIC_KEY_BYTES) {
    throw new HoldfastError('INVALID_ARGUMENT', `a peer key has ${PUBLIC_KEY_BYTES} bytes`, {
      details: { bytes: peerKey.length }
    })
  }
  return peerIdFromPublicKey(publicKeyFromRaw(peerKey)).toString()
}

/** The 32-byte Ed25519 key. @throws HoldfastError INVALID_ARGUMENT unless the PeerId of an Ed25519 key */
export function peerKeyOf(peerId: string): Uint8Array {
  return keyOf(parsePeerId(peerId))
}

/** @throws HoldfastError INVALID_ARGUMENT unless the PeerId of an Ed25519 key */
export function parsePeerId(text: string): PeerId {
  try {
    if (text.length > PEER_ID_CHARS_MAX) throw new RangeError('too long')
    const peerId = peerIdFromString(text)
    if (peerId.type === 'Ed25519') return peerId
  } catch {
    // the one error below says all a caller can use
  }
  throw new HoldfastError(
    'INVALID_ARGUMENT',
    `not a peer id: ${text.slice(0, PEER_ID_CHARS_MAX)}`,
    {
      hint: 'peer ids start with 12D3Koo; `holdfast status` prints yours'
    }
  )
}

/** @throws HoldfastError INVALID_ARGUMENT unless an Ed25519 PeerId */
export function keyOf(peerId: PeerId): Uint8Array {
  if (peerId.type !== 'Ed25519') {
    throw new HoldfastError('INVALID_ARGUMENT', `not an Ed25519 peer id: ${peerId.toString()}`)
  }
  return new Uint8Array(peerId.publicKey.raw)
}
