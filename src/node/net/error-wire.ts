/**
 * Errors between peers: {code, message, details?} in dag-cbor. What leaves is what a person at the other end can use,
 * never a stack or the message of a bug; what arrives is somebody else's claim, bounded and cleaned.
 */
import { z } from 'zod'
import { encodeDocument } from '../../base/codec.ts'
import { type ErrorCode, HoldfastError, toHoldfastError } from '../../base/errors.ts'
import { KIB } from '../../base/limits.ts'

const MESSAGE_CHARS_MAX = 500
const DETAILS_BYTES_MAX: number = 4 * KIB

export interface WireError {
  code: string
  message: string
  details?: Record<string, unknown>
}

const schema = z.object({
  code: z.string().max(64),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).optional()
})

export function wireErrorOf(error: unknown): WireError {
  const { code, message, details } = toHoldfastError(error)
  if (code === 'INTERNAL') return { code, message: 'the peer has failed at this; its log says why' }
  const bounded = boundedDetails(details)
  return { code, message: clean(message), ...(bounded === undefined ? {} : { details: bounded }) }
}

/**
 * The error a peer answered with: its code if we know it, else REMOTE_REFUSED.
 * @throws HoldfastError PROTOCOL_VIOLATION when it is no error document
 */
export function errorFromWire(value: unknown, peerId: string): HoldfastError {
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    throw new HoldfastError('PROTOCOL_VIOLATION', 'malformed error from the peer')
  }
  const { code, message } = parsed.data
  const details = boundedDetails(parsed.data.details ?? {}) ?? {}
  return new HoldfastError(isErrorCode(code) ? code : 'REMOTE_REFUSED', clean(message), {
    details: { ...details, peer: peerId }
  })
}

/** Printable, on one line, at most 500 characters. */
function clean(message: string): string {
  // \p{C}: control and format characters, lone surrogates; \p{Zl}, \p{Zp}: line and paragraph separators
  return message
    .slice(0, 2 * MESSAGE_CHARS_MAX)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .slice(0, MESSAGE_CHARS_MAX)
    .replace(/\p{C}$/u, '')
}

/** Undefined unless there are details, encodable and small. */
function boundedDetails(details: Record<string, unknown>): Record<string, unknown> | undefined {
  if (Object.keys(details).length === 0) return undefined
  try {
    return encodeDocument(details).length <= DETAILS_BYTES_MAX ? details : undefined
  } catch {
    // an undefined or a class instance among them: the message has to do
    return undefined
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CODES, code)
}

/** Every code of base/errors.ts; the type makes the compiler keep it complete. */
const CODES: Record<ErrorCode, true> = {
  INVALID_ARGUMENT: true,
  CONFIG_INVALID: true,
  NOT_FOUND: true,
  ALREADY_EXISTS: true,
  SOURCE_CHANGED: true,
  PROFILE_IMPOSSIBLE: true,
  TOO_FEW_PROVIDERS: true,
  PUT_INCOMPLETE: true,
  UNRECOVERABLE: true,
  RANGE_INVALID: true,
  DECRYPT_FAILED: true,
  MANIFEST_INVALID: true,
  QUOTA_EXCEEDED: true,
  PIECE_NOT_FOUND: true,
  PIECE_DAMAGED: true,
  PIECE_MISMATCH: true,
  STORE_READ_ONLY: true,
  STORE_BUSY: true,
  PROOF_INVALID: true,
  UNREACHABLE: true,
  TIMEOUT: true,
  FRAME_TOO_LARGE: true,
  FRAME_TRUNCATED: true,
  PROTOCOL_VIOLATION: true,
  REMOTE_REFUSED: true,
  WRONG_NETWORK: true,
  ASK_INVALID: true,
  ASK_EXPIRED: true,
  TERMS_REFUSED: true,
  BUDGET_EXCEEDED: true,
  REVISION_CONFLICT: true,
  VOUCHER_INVALID: true,
  TX_INVALID: true,
  TX_REJECTED: true,
  TX_EXPIRED: true,
  INSUFFICIENT_FUNDS: true,
  BLOCK_INVALID: true,
  REPLICA_DIVERGED: true,
  JOURNAL_DAMAGED: true,
  SNAPSHOT_INVALID: true,
  TRUST_EXPIRED: true,
  TOO_FEW_WITNESSES: true,
  LEDGER_FORK: true,
  HOME_IN_USE: true,
  HOME_MISSING: true,
  NOT_RUNNING: true,
  UNAUTHORIZED: true,
  PORT_IN_USE: true,
  ROLE_DISABLED: true,
  ABORTED: true,
  INTERNAL: true
}
