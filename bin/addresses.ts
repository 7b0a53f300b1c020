/** A bootstrap address ends in the peer id, so that nobody else can answer there. */
export function withPeerId(address: string, peerId: string): string {
  return address.includes('/p2p/') ? address : `${address}/p2p/${peerId}`
}
