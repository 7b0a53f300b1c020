/** One TLS 1.3 handshake over a connection, both peers proven by the certificates they show. */
import type { Duplex } from 'node:stream'
import { connect, type SecureContext, TLSSocket } from 'node:tls'
import type { MessageStream, PeerId } from '@libp2p/interface'
import { HoldfastError } from '../../../base/errors.ts'
import { HANDSHAKE_TIMEOUT_MS, SOCKET_QUEUE_BYTES } from './limits.ts'
import { handshakeError, refusal } from './refusal.ts'
import { verifyCertificate } from './verify.ts'
import { duplexOf, takeSocket } from './wire.ts'

const ALPN = 'libp2p'

export interface HandshakeInit {
  transport: MessageStream
  isServer: boolean
  context: SecureContext
  /** The only peer to accept. */
  expected: PeerId | undefined
  signal: AbortSignal | undefined
}

export interface Handshake {
  /** Paused until somebody listens to its data. */
  socket: TLSSocket
  remotePeer: PeerId
  /** False when TLS passes through JavaScript. */
  native: boolean
}

/**
 * The transport belongs to the returned socket, whose errors abort it; a handshake that fails aborts it too. The socket
 * is never destroyed from here: it ends with its transport.
 * @throws HoldfastError PROTOCOL_VIOLATION with a RefusalReason in its details, UNREACHABLE, TIMEOUT, ABORTED
 */
export async function handshake(init: HandshakeInit): Promise<Handshake> {
  const { transport, expected } = init
  const timeout = AbortSignal.timeout(HANDSHAKE_TIMEOUT_MS)
  const signal = init.signal === undefined ? timeout : AbortSignal.any([init.signal, timeout])
  try {
    signal.throwIfAborted()
    const raw = await takeSocket(transport)
    if (raw?.destroyed === true || transport.status !== 'open') throw lost()
    const socket = startTls(init, raw ?? duplexOf(transport))
    await handshakeEnd(socket, signal)
    const remotePeer = await verifyCertificate(certificateOf(socket), Date.now(), expected)
    if (socket.destroyed) throw lost()
    return { socket, remotePeer, native: raw !== undefined }
  } catch (cause) {
    const error = handshakeError(cause, signal)
    transport.abort(error)
    throw error
  }
}

function startTls(init: HandshakeInit, wire: Duplex): TLSSocket {
  const { isServer, transport } = init
  const options = {
    secureContext: init.context,
    ALPNProtocols: [ALPN],
    // the certificates are self-signed: certificateOf and verifyCertificate decide
    requestCert: true,
    rejectUnauthorized: false,
    highWaterMark: SOCKET_QUEUE_BYTES
  }
  const socket = isServer
    ? new TLSSocket(wire, { ...options, isServer })
    : connect({ ...options, socket: wire })
  const fail = (error: Error): void => {
    setImmediate(() => transport.abort(error))
  }
  socket.on('error', fail)
  // what a server's socket emits instead when no tls.Server owns it, before the handshake and after
  socket.on('_tlsError', fail)
  return socket
}

function handshakeEnd(socket: TLSSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      socket.off('secure', onSecure).off('close', onClose)
      socket.off('error', settle).off('_tlsError', settle)
      signal.removeEventListener('abort', onAbort)
      if (error === undefined) resolve()
      else reject(error)
    }
    // this event comes from inside OpenSSL, and so do all promises it settles: ending the connection there would free
    // what OpenSSL still works on, and crash the process
    const onSecure = (): void => {
      setImmediate(settle)
    }
    const onClose = (): void => settle(lost())
    const onAbort = (): void => settle(signal.reason)
    socket.once('secure', onSecure).once('close', onClose)
    socket.once('error', settle).once('_tlsError', settle)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** The one certificate of the peer. To be called once: Node takes it out of the chain. */
function certificateOf(socket: TLSSocket): Uint8Array {
  if (socket.alpnProtocol !== ALPN) throw refusal('alpn-missing', 'the peer did not agree to it')
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) throw refusal('certificate-missing', 'the peer showed none')
  if (certificate.issuerCertificate !== undefined) {
    throw refusal('certificate-chain', 'the peer showed more than one')
  }
  return certificate.raw
}

function lost(): HoldfastError {
  return new HoldfastError('UNREACHABLE', 'lost during the TLS handshake', { retryable: true })
}
