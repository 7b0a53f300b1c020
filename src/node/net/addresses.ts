/** Multiaddrs as text at our edges, parsed and bounded; and which of them are worth telling others. */
import type { PeerInfo as Libp2pPeerInfo, PeerId } from '@libp2p/interface'
import { removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { HoldfastError } from '../../base/errors.ts'
import { parsePeerId } from './peer-id.ts'

export const ADDRESS_CHARS_MAX = 256

/** @throws HoldfastError INVALID_ARGUMENT unless a multiaddr, and any PeerId in it of the Ed25519 kind */
export function parseAddress(text: string): Multiaddr {
  let address: Multiaddr
  try {
    if (text.length > ADDRESS_CHARS_MAX) throw new RangeError('too long')
    address = multiaddr(text)
  } catch (cause) {
    throw new HoldfastError('INVALID_ARGUMENT', `not a multiaddr: ${text.slice(0, 100)}`, {
      cause,
      hint: 'write addresses like /ip4/203.0.113.7/tcp/4101/p2p/12D3Koo…'
    })
  }
  const peer = peerIn(address)
  if (peer !== undefined) parsePeerId(peer)
  return address
}

export function isAddress(text: string): boolean {
  try {
    parseAddress(text)
    return true
  } catch {
    return false
  }
}

/** The PeerId an address ends in. */
export function peerIn(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(component => component.code === CODE_P2P)?.value
}

/** Texts ending in /p2p/<peerId>, without duplicates. */
export function textsOf(addresses: readonly (Multiaddr | string)[], peerId: string): string[] {
  const suffix = `/p2p/${peerId}`
  const texts = addresses.map(address => {
    const text = address.toString()
    return text.endsWith(suffix) ? text : text + suffix
  })
  return [...new Set(texts)]
}

/**
 * The DHT's address filter: while this node itself listens on private addresses only (one machine, one home network)
 * all addresses count; a public node passes on public ones.
 */
export function addressFilter(
  ownAddresses: () => readonly Multiaddr[],
  self: PeerId
): (peer: Libp2pPeerInfo) => Libp2pPeerInfo {
  return peer => {
    const publicOwn = removePrivateAddressesMapper({ id: self, multiaddrs: [...ownAddresses()] })
    return publicOwn.multiaddrs.length === 0 ? peer : removePrivateAddressesMapper(peer)
  }
}
