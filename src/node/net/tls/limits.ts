/** Limits of the TLS wire. Sizes in bytes, times in milliseconds. */
import { assert } from '../../../base/assert.ts'
import { KIB, MIB } from '../../../base/limits.ts'

/** From the first TLS byte to a verified peer; a busy home server needs seconds for many handshakes at once. */
export const HANDSHAKE_TIMEOUT_MS = 15_000
/** How long a closing connection may take to hand over what it was given. */
export const CLOSE_TIMEOUT_MS = 2_000
/** A P-256 certificate with an Ed25519 peer takes 430 bytes, one with an RSA-8192 peer below 4 KiB. */
export const CERTIFICATE_BYTES_MAX: number = 8 * KIB
/** Public key and signature of the peer inside the certificate, each. */
export const SIGNED_KEY_BYTES_MAX: number = 2 * KIB
/**
 * Plaintext that waits for a full socket. Streams stop writing then, so it holds about one muxer frame and control
 * frames; a peer that makes us answer without ever reading ends the connection here.
 */
export const UNSENT_BYTES_MAX: number = 8 * MIB
/** High-water mark of Node's queue per connection: below one bulk frame, so that frames go out one by one, uncopied. */
export const SOCKET_QUEUE_BYTES: number = 64 * KIB
/** The largest single write: a bulk frame with its header, or a few of them. */
export const SLOT_BYTES: number = 256 * KIB
/** Up to here fresh memory is cheap. */
export const SMALL_WRITE_BYTES_MAX: number = 4 * KIB
/** Of the write buffers that all connections share; more are made while more are in use. */
export const SLOTS_KEPT_MAX = 16
/** Back-dating of our certificate, for peers whose clock is behind. */
export const CERTIFICATE_SKEW_MS: number = 24 * 60 * 60_000
/** As in other libp2p implementations: the key lives as long as the process, the certificate never runs out before. */
export const CERTIFICATE_VALIDITY_MS: number = 100 * 365 * 24 * 60 * 60_000

assert(
  2 * SIGNED_KEY_BYTES_MAX < CERTIFICATE_BYTES_MAX,
  'a certificate holds a key and a signature'
)
