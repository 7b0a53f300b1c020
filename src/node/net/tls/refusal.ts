/** Why a TLS connection was not accepted, as HoldfastErrors whose details carry one stable reason each. */
import { HoldfastError, messageOf } from '../../../base/errors.ts'
import { abortErrorOf } from '../wait.ts'

export type RefusalReason =
  | 'handshake-failed' // what came is not a TLS 1.3 handshake, or OpenSSL refused it
  | 'alpn-missing' // the peer did not agree to the application protocol "libp2p"
  | 'certificate-missing' // a peer must show one
  | 'certificate-chain' // and no more than one
  | 'certificate-malformed' // not an X.509 certificate, or too large
  | 'certificate-not-current' // not valid yet, or expired
  | 'certificate-signature' // not signed by its own key
  | 'extension-missing' // no libp2p public key extension
  | 'extension-unknown' // a critical extension that is not understood
  | 'extension-malformed' // not one SignedKey with a public key libp2p knows
  | 'key-mismatch' // the peer's signature is not over this certificate's key
  | 'wrong-peer' // a peer, but not the one that was expected

/** PROTOCOL_VIOLATION with the reason in its message and details. */
export function refusal(reason: RefusalReason, message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('PROTOCOL_VIOLATION', `TLS refused, ${reason}: ${message}`, {
    cause,
    details: { reason }
  })
}

/** Any failure of a handshake: a HoldfastError as is, TLS errors as refusals, all else as a lost connection. */
export function handshakeError(error: unknown, signal: AbortSignal): HoldfastError {
  if (HoldfastError.is(error)) return error
  if (signal.aborted) return abortErrorOf(signal)
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string' && /^ERR_(SSL|TLS|OSSL|CRYPTO)/.test(code)) {
    return refusal('handshake-failed', messageOf(error), error)
  }
  return new HoldfastError('UNREACHABLE', `lost during the TLS handshake: ${messageOf(error)}`, {
    cause: error,
    retryable: true
  })
}
