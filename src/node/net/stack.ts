/**
 * The libp2p node: TCP, TLS or Noise, yamux, identify, ping and a private Kademlia DHT, with the limits of this project
 * in place of defaults that do not suit it (each says why). Everything above uses it through p2p.ts.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { type KadDHT, kadDHT } from '@libp2p/kad-dht'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import type { LevelDatastore } from 'datastore-level'
import { createLibp2p } from 'libp2p'
import { HoldfastError } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import { addressFilter } from './addresses.ts'
import {
  ADDRESSES_PER_PEER_MAX,
  CONNECTION_CLOSE_TIMEOUT_MS,
  CONNECTION_STREAMS_MAX,
  CONNECTIONS_MAX,
  DIAL_ADDRESS_TIMEOUT_MS,
  DIAL_TIMEOUT_MS,
  INBOUND_CONNECTIONS_PER_SECOND_MAX,
  PEER_FORGOTTEN_MS,
  PENDING_INBOUND_CONNECTIONS_MAX,
  PING_INTERVAL_MS,
  PING_TIMEOUT_MS_MIN,
  PROVIDER_RECORD_MS,
  STREAM_READ_BUFFER_BYTES_MAX,
  STREAM_WINDOW_BYTES_MAX,
  STREAM_WRITE_BUFFER_BYTES_MAX,
  UPGRADE_TIMEOUT_MS
} from './limits.ts'
import { gatedMuxer } from './muxer-gate.ts'
import { kadProtocol } from './protocols.ts'
import { nativeTls } from './tls/encrypter.ts'
import { guardedMuxer } from './yamux-guard.ts'

export interface StackInit {
  key: SigningKey
  listen: readonly string[]
  announce: readonly string[]
  networkId: string
  userAgent: string
  datastore: LevelDatastore | undefined
  /** Peers that are not to be dialled now. */
  isForeign: (peerId: PeerId) => boolean
}

export type Stack = Libp2p<{ identify: Identify; ping: Ping; dht: KadDHT }>

const HOUR_MS = 60 * 60_000
/** The first query of our own neighbourhood; all others wait for it. */
const FIRST_SELF_QUERY_MS = 50
/** Lookups in flight; libp2p's 10 costs three times the RPCs and finds no more in networks of our size. */
const DHT_PARALLEL = 3

export async function createStack(init: StackInit): Promise<Stack> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', init.key.seed)
  const self = peerIdFromPrivateKey(privateKey)
  const stack: Stack = await createLibp2p({
    start: false,
    privateKey,
    ...(init.datastore === undefined ? {} : { datastore: init.datastore }),
    nodeInfo: { name: 'holdfast', userAgent: init.userAgent },
    addresses: { listen: [...init.listen], announce: [...init.announce] },
    transports: [tcp({ maxConnections: CONNECTIONS_MAX + PENDING_INBOUND_CONNECTIONS_MAX })],
    // the dialler's order wins: TLS on the socket between us, Noise for everybody else
    connectionEncrypters: [nativeTls(), noise()],
    streamMuxers: [muxer()],
    connectionManager: connectionLimits(),
    connectionMonitor: {
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: { minTimeout: PING_TIMEOUT_MS_MIN },
      // measured: under load pings queue up beyond their stream limit and healthy connections were cut mid-upload;
      // every operation of ours has a timeout of its own
      abortConnectionOnPingFailure: false
    },
    connectionGater: {
      denyDialPeer: init.isForeign,
      // accounts, receipts and RemotePeer are Ed25519 keys
      denyInboundEncryptedConnection: peerId => peerId.type !== 'Ed25519',
      denyOutboundEncryptedConnection: peerId => peerId.type !== 'Ed25519'
    },
    peerStore: { maxPeerAge: PEER_FORGOTTEN_MS },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: kadProtocol(init.networkId),
        clientMode: false,
        alpha: DHT_PARALLEL,
        disjointPaths: DHT_PARALLEL,
        initialQuerySelfInterval: FIRST_SELF_QUERY_MS,
        peerInfoMapper: addressFilter(() => stack.getMultiaddrs(), self),
        // answering GET_PROVIDERS fails whole when the store has forgotten one provider: records must go first
        reprovide: { validity: PROVIDER_RECORD_MS, threshold: HOUR_MS, interval: HOUR_MS / 4 },
        // value records are unbounded and may be rolled back by anyone: we store none
        validators: { pk: refuseValue }
      })
    }
  })
  return stack
}

function muxer(): () => ReturnType<typeof guardedMuxer> {
  const create = yamux({
    maxInboundStreams: CONNECTION_STREAMS_MAX,
    maxOutboundStreams: CONNECTION_STREAMS_MAX,
    streamOptions: {
      // the initial window stays: it is not negotiated, and a different one on the other end kills the connection
      maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX,
      maxReadBufferLength: STREAM_READ_BUFFER_BYTES_MAX,
      maxWriteBufferLength: STREAM_WRITE_BUFFER_BYTES_MAX
    }
  })
  return () => gatedMuxer(guardedMuxer(create()))
}

function connectionLimits(): Record<string, number> {
  return {
    maxConnections: CONNECTIONS_MAX,
    maxIncomingPendingConnections: PENDING_INBOUND_CONNECTIONS_MAX,
    inboundConnectionThreshold: INBOUND_CONNECTIONS_PER_SECOND_MAX,
    maxPeerAddrsToDial: ADDRESSES_PER_PEER_MAX,
    dialTimeout: DIAL_TIMEOUT_MS,
    addressDialTimeout: DIAL_ADDRESS_TIMEOUT_MS,
    inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS,
    inboundStreamProtocolNegotiationTimeout: UPGRADE_TIMEOUT_MS,
    connectionCloseTimeout: CONNECTION_CLOSE_TIMEOUT_MS
  }
}

function refuseValue(): never {
  throw new HoldfastError('REMOTE_REFUSED', 'this DHT stores no values')
}
