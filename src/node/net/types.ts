/**
 * What the roles see of the network: peers known by their Ed25519 key, channels of bytes and frames with real
 * backpressure, and a directory of who plays which role. Nothing above this folder imports libp2p.
 */
import type { SigningKey } from '../../base/keys.ts'
import type { Logger, Startable } from '../../base/ports.ts'

export interface RemotePeer {
  /** The libp2p PeerId in its usual text form ("12D3Koo…"). */
  peerId: string
  /** The 32-byte Ed25519 public key the PeerId stands for; proven by the handshake of the connection. */
  peerKey: Uint8Array
}

export interface WaitOptions {
  /** Cancels the operation: ABORTED, or TIMEOUT when the signal is a timeout. */
  signal?: AbortSignal
  /**
   * Longest time without any progress, in milliseconds. Infinity waits as long as the connection lives.
   * @default 30 seconds
   */
  timeoutMs?: number
}

/**
 * One protocol stream. A frame is its length (u32, big-endian) and that many bytes; bytes outside frames are allowed
 * where a protocol says so. One reader at a time; writers queue.
 *
 * Every operation rejects with a HoldfastError: TIMEOUT (no progress), ABORTED (signal, or the channel was aborted
 * here), UNREACHABLE (the connection or the stream was lost or reset by the peer). A read that fails between frames
 * may be tried again; one that fails inside a frame fails every read after it. A write that fails aborts the channel.
 * What the peer sent before it closed or reset its side can still be read.
 */
export interface Channel {
  readonly remote: RemotePeer
  /**
   * The next frame; undefined when the peer has ended its side cleanly before one.
   * @throws HoldfastError FRAME_TOO_LARGE above bytesMax, before anything of the frame is buffered; FRAME_TRUNCATED
   *   when the stream ends or is lost inside the frame
   */
  readFrame(bytesMax: number, options?: WaitOptions): Promise<Uint8Array | undefined>
  /** Exactly `length` bytes. @throws HoldfastError FRAME_TRUNCATED when the stream ends or is lost before that */
  readExactly(length: number, options?: WaitOptions): Promise<Uint8Array>
  /**
   * Fills `target`: the way to read in bulk, since fresh memory doubles the cost.
   * @throws HoldfastError as readExactly
   */
  readInto(target: Uint8Array, options?: WaitOptions): Promise<void>
  /** 1 to bytesMax bytes, as they come; undefined at a clean end. */
  readSome(bytesMax: number, options?: WaitOptions): Promise<Uint8Array | undefined>
  /** At most 2^32 - 1 bytes; resolves as `write` does. */
  writeFrame(bytes: Uint8Array, options?: WaitOptions): Promise<void>
  /**
   * Resolves once the connection has taken the bytes, or has little of them left to take: then, and not before, the
   * caller may change them.
   */
  write(bytes: Uint8Array, options?: WaitOptions): Promise<void>
  /** Ends our side after everything written has left; the other side stays readable. */
  closeWrite(): Promise<void>
  /** closeWrite, then gives up what has not been read. Never rejects: a channel that cannot close is aborted. */
  close(): Promise<void>
  /** Ends both sides at once and tells the peer; pending and later operations reject with `error`. */
  abort(error: Error): void
}

export interface PeerInfo {
  peerId: string
  /** Multiaddrs, each ending in /p2p/<peerId>. */
  addresses: string[]
}

export interface ConnectedPeer extends PeerInfo {
  /** From the peer's hello: what it says, not what it proves. */
  roles: string[]
}

export interface NetInit {
  /** The node key; the PeerId derives from it. */
  key: SigningKey
  /** Multiaddrs. @default ['/ip4/127.0.0.1/tcp/0'] */
  listen?: string[]
  /** Addresses to tell others instead of those listened on, for example behind a port forward. */
  announce?: string[]
  bootstrap: string[]
  /** Hex of the genesis hash. */
  networkId: string
  /** Folder for known peers and DHT records. @default in memory */
  datastorePath?: string
  roles: string[]
  userAgent: string
  logger: Logger
}

export type ChannelHandler = (channel: Channel, signal: AbortSignal) => Promise<void>

export interface Net extends Startable {
  readonly peerId: string
  /** 32 bytes. */
  readonly peerKey: Uint8Array
  /** Where this node can be dialled; empty before `start`. */
  addresses(): string[]
  /**
   * Serves a protocol, before or after `start`; once per protocol. The signal aborts when the stream ends early or the
   * node stops. The channel is closed when the handler returns and aborted when it throws.
   */
  handle(protocol: string, handler: ChannelHandler): void
  /**
   * A channel to a peer, dialled if need be by what is known of its addresses; `timeoutMs` bounds the whole call.
   * @throws HoldfastError UNREACHABLE, TIMEOUT, ABORTED, WRONG_NETWORK, INVALID_ARGUMENT (not a PeerId),
   *   REMOTE_REFUSED (the peer does not speak the protocol)
   */
  open(peer: string, protocol: string, options?: WaitOptions): Promise<Channel>
  /**
   * Dials a multiaddr and exchanges hellos; resolves to the PeerId found there.
   * @throws HoldfastError as `open`
   */
  connect(address: string, options?: WaitOptions): Promise<string>
  /** Keeps a provider record for a topic ('provider', 'validator') alive in the DHT. */
  announce(topic: string): void
  /** Peers of a topic: connected ones first, then those the DHT knows. Without this node, without duplicates. */
  find(topic: string, options?: WaitOptions): AsyncIterable<PeerInfo>
  /** Peers whose hello has succeeded. */
  connected(): ConnectedPeer[]
  /** Called after each first successful hello with a peer; returns the function that ends it. */
  onPeer(listener: (peerId: string) => void): () => void
  /** Remembers where a peer may be dialled. @throws HoldfastError INVALID_ARGUMENT on a bad PeerId or multiaddr */
  addAddresses(peerId: string, addresses: string[]): Promise<void>
  /** Closes every connection to a peer. */
  disconnect(peerId: string): Promise<void>
}
