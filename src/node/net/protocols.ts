/**
 * Protocol ids. On every one of them the side that accepts the stream first sends one byte, STREAM_ACCEPTED, when its
 * handler starts: libp2p negotiates a protocol before anybody listens, and the opener may not flood that gap.
 */
const protocol = (name: string): string => `/holdfast/${name}/1.0.0`

/** Network, roles and software of both sides; dag-cbor frames. */
export const HELLO_PROTOCOL: string = protocol('hello')
/** A provider's current ask. */
export const ASK_PROTOCOL: string = protocol('ask')
/** Opening and revising deals. */
export const DEAL_PROTOCOL: string = protocol('deal')
/** Upload of one or more pieces. */
export const PIECE_PUT_PROTOCOL: string = protocol('piece-put')
/** Verified reads of pieces. */
export const PIECE_GET_PROTOCOL: string = protocol('piece-get')
/** Stream of final blocks from a height on. */
export const FOLLOW_PROTOCOL: string = protocol('follow')
/** Hands a transaction to a validator. */
export const TX_PROTOCOL: string = protocol('tx')
/** Consensus messages between validators. */
export const CONSENSUS_PROTOCOL: string = protocol('consensus')
/** Openings of random leaves, for anybody. */
export const AUDIT_PROTOCOL: string = protocol('audit')
/** Public maps of objects: handed over by clients, served to anybody. */
export const REPAIR_MAP_PROTOCOL: string = protocol('repair-map')
/** Final headers and proven records, for light clients. */
export const LIGHT_PROTOCOL: string = protocol('light')
/** Snapshots of the state, for replicas that begin. */
export const SNAPSHOT_PROTOCOL: string = protocol('snapshot')

export const STREAM_ACCEPTED = 0x01

const NETWORK_PREFIX_DIGITS = 16

/** The private DHT of one network. */
export function kadProtocol(networkId: string): string {
  return `/holdfast/kad/1.0.0/${networkId.slice(0, NETWORK_PREFIX_DIGITS)}`
}
