/** Peers that say they are validators. Saying so proves nothing: votes and certificates are signed by vote keys. */
import type { ConnectedPeer, Net } from '../net/types.ts'

/** Role in a hello, and topic in the directory. */
export const VALIDATOR_ROLE = 'validator'

export function isValidator({ roles }: ConnectedPeer): boolean {
  return roles.includes(VALIDATOR_ROLE)
}

/** Peer ids. */
export function connectedValidators(net: Net): string[] {
  return net
    .connected()
    .filter(isValidator)
    .map(({ peerId }) => peerId)
}
