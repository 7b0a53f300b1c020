/** Limits of the network layer. Sizes in bytes, times in milliseconds. */
import { assert } from '../../base/assert.ts'
import { KIB, MIB } from '../../base/limits.ts'

// streams
/** Our own write buffer per stream: `write` waits above it. */
export const WRITE_HIGH_WATER_BYTES: number = 256 * KIB
/**
 * One muxer frame: large enough that its own cost does not count, small enough to let other streams in. Writes in bulk
 * are multiples of it: what is left over makes a frame of its own.
 */
export const SEND_CHUNK_BYTES: number = 128 * KIB
/** Up to here a write is copied and need not wait until the connection has taken it. */
export const COPIED_BYTES_MAX: number = 16 * KIB
/** Our own read queue per stream: above it the stream is paused. */
export const READ_HIGH_WATER_BYTES: number = 256 * KIB
/** At or below this a paused stream resumes. */
export const READ_LOW_WATER_BYTES: number = 64 * KIB
/** Cap of yamux's own window tuning; local, never advertised. Bounds what one paused stream can hold. */
export const STREAM_WINDOW_BYTES_MAX: number = 2 * MIB
/** libp2p aborts a stream above this, so it must hold a full window and what arrives before a handler listens. */
export const STREAM_READ_BUFFER_BYTES_MAX: number = 4 * MIB
export const STREAM_WRITE_BUFFER_BYTES_MAX: number = 4 * MIB
/** What an opener may send before the other side's handler has said that it listens. */
export const UNACCEPTED_BYTES_MAX: number = 256 * KIB
/** Concurrent streams of one protocol on one connection, each way. */
export const PROTOCOL_STREAMS_MAX = 64
export const CONNECTION_STREAMS_MAX = 256

// connections
export const CONNECTIONS_MAX = 300
export const PENDING_INBOUND_CONNECTIONS_MAX = 128
/** Per remote address and second; thirty nodes on one loopback address all come from the same one. */
export const INBOUND_CONNECTIONS_PER_SECOND_MAX = 100
export const ADDRESSES_PER_PEER_MAX = 16
/** A handshake is CPU work on both sides; a busy home server needs more than libp2p's 6 seconds. */
export const DIAL_ADDRESS_TIMEOUT_MS = 10_000
export const DIAL_TIMEOUT_MS = 20_000
export const UPGRADE_TIMEOUT_MS = 20_000
export const PING_INTERVAL_MS = 15_000
/** libp2p drops a connection whose ping fails; a blocked event loop must not look like a dead peer. */
export const PING_TIMEOUT_MS_MIN = 15_000

// operations
export const INACTIVITY_TIMEOUT_MS = 30_000
export const OPEN_TIMEOUT_MS = 20_000
export const FIND_TIMEOUT_MS = 10_000
export const STOP_TIMEOUT_MS = 1_500
/** A stream that has nothing left to send waits this long for its turn on a busy connection. */
export const STREAM_CLOSE_TIMEOUT_MS = 10_000
/** How long a closed channel waits for the peer to end its side before it is reset. */
export const CLOSE_LINGER_MS = 500
export const CONNECTION_CLOSE_TIMEOUT_MS = 1_000

// hello
export const HELLO_BYTES_MAX: number = 8 * KIB
export const HELLO_TIMEOUT_MS = 20_000
export const HELLO_ROLES_MAX = 16
export const HELLO_AGENT_CHARS_MAX = 128
/** How long a peer of another network is not dialled again. */
export const FOREIGN_PEER_MS: number = 10 * 60_000
export const FOREIGN_PEERS_MAX = 1024
/** Time for streams to leave a duplicate connection before it is closed. */
export const DUPLICATE_GRACE_MS = 2_000

// bootstrap
export const BOOTSTRAP_BACKOFF_MS_MIN = 500
export const BOOTSTRAP_BACKOFF_MS_MAX = 30_000

// directory
export const ANNOUNCE_SPACING_MS_MIN = 1_000
export const ANNOUNCE_SPACING_MS_MAX = 60_000
/** Below an hour: the peer store forgets addresses after that, and a provider without addresses is not served. */
export const ANNOUNCE_PERIOD_MS: number = 20 * 60_000
export const ANNOUNCE_TIMEOUT_MS = 30_000
/** Provider records of peers that stopped announcing. Shorter than PEER_FORGOTTEN_MS, see stack.ts. */
export const PROVIDER_RECORD_MS: number = 3 * 60 * 60_000
export const PEER_FORGOTTEN_MS: number = 12 * 60 * 60_000

assert(
  STREAM_READ_BUFFER_BYTES_MAX >= STREAM_WINDOW_BYTES_MAX + UNACCEPTED_BYTES_MAX,
  'a paused stream holds at least one window'
)
assert(STREAM_WRITE_BUFFER_BYTES_MAX > WRITE_HIGH_WATER_BYTES + SEND_CHUNK_BYTES, 'write buffer')
assert(PROVIDER_RECORD_MS < PEER_FORGOTTEN_MS, 'no provider record outlives its peer')
