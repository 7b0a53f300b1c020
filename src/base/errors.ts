/**
 * Operating errors: everything that can go wrong without a bug in Holdfast. Each carries a stable `code`, a message
 * that says what happened, and, where a person can act, a `hint` that says what to do next. Programmer errors are
 * assertions (`assert.ts`). Every code is listed in docs/ERRORS.md; test/tidy.test.ts checks that.
 */

/** One code per failure a caller may want to tell apart. */
export type ErrorCode =
  // input
  | 'INVALID_ARGUMENT' // a value from the caller is out of its range or form
  | 'CONFIG_INVALID' // the config file, an environment variable or a flag does not fit the schema
  // objects and storage
  | 'NOT_FOUND' // no object under that path
  | 'ALREADY_EXISTS' // an object is already stored under that path
  | 'SOURCE_CHANGED' // the file changed while it was being read
  | 'PROFILE_IMPOSSIBLE' // k/n is not a valid erasure code
  | 'TOO_FEW_PROVIDERS' // fewer usable providers than the profile needs
  | 'PUT_INCOMPLETE' // not every piece got its durable receipt
  | 'UNRECOVERABLE' // fewer than k good shares of a stripe could be fetched
  | 'RANGE_INVALID' // a byte range outside the object
  | 'DECRYPT_FAILED' // AEAD tag mismatch: wrong key or altered bytes
  | 'MANIFEST_INVALID' // a manifest that does not decode
  // piece store
  | 'QUOTA_EXCEEDED' // the provider has no room left for the piece
  | 'PIECE_NOT_FOUND' // the provider does not hold the piece
  | 'PIECE_DAMAGED' // stored bytes no longer match their checksum
  | 'PIECE_MISMATCH' // bytes received do not hash to the announced root
  | 'STORE_READ_ONLY' // disk trouble: the store accepts no writes
  | 'STORE_BUSY' // too many bytes are on their way to disk
  // proofs
  | 'PROOF_INVALID' // a proof or verified range that does not check
  // network
  | 'UNREACHABLE' // the peer could not be dialled
  | 'TIMEOUT' // no answer within the deadline
  | 'FRAME_TOO_LARGE' // a frame above its maximum
  | 'FRAME_TRUNCATED' // the stream ended inside a frame
  | 'PROTOCOL_VIOLATION' // a message that does not fit the protocol
  | 'REMOTE_REFUSED' // the peer answered with an error of its own
  | 'WRONG_NETWORK' // the peer, genesis or file belongs to another network
  // market
  | 'ASK_INVALID' // an ask with a bad signature or fields
  | 'ASK_EXPIRED' // an ask past its validity
  | 'TERMS_REFUSED' // the provider does not accept these deal terms
  | 'BUDGET_EXCEEDED' // it would cost more than the owner allows
  | 'REVISION_CONFLICT' // the two sides hold different newest revisions
  | 'VOUCHER_INVALID' // a voucher that its channel does not back
  // ledger
  | 'TX_INVALID' // malformed, badly signed or inapplicable transaction
  | 'TX_REJECTED' // included in a block, and failed there
  | 'TX_EXPIRED' // not included before its expiry height
  | 'INSUFFICIENT_FUNDS' // balance below what the operation needs
  | 'BLOCK_INVALID' // a block or certificate that does not verify
  | 'REPLICA_DIVERGED' // re-execution gave another state hash: this replica stops
  | 'JOURNAL_DAMAGED' // what a validator has signed can no longer be read: it does not vote
  | 'SNAPSHOT_INVALID' // a part of a snapshot that does not prove itself against the header
  | 'TRUST_EXPIRED' // what the light client trusts is older than the trusting period
  | 'TOO_FEW_WITNESSES' // not enough independent sources confirm the header
  | 'LEDGER_FORK' // two valid, contradicting finalizations of one height
  // node
  | 'HOME_IN_USE' // another process holds this home
  | 'HOME_MISSING' // no node was initialised here
  | 'NOT_RUNNING' // no daemon answers for this home
  | 'UNAUTHORIZED' // wrong or missing control token
  | 'PORT_IN_USE' // a listening address is taken
  | 'ROLE_DISABLED' // this daemon does not run that role
  | 'ABORTED' // cancelled by the caller
  | 'INTERNAL' // a bug: please report it

export interface ErrorInit {
  /** Machine-readable facts about the failure. */
  details?: Record<string, unknown>
  /** What a person can do next. */
  hint?: string
  cause?: unknown
  /** True when the same call may succeed later. @default false */
  retryable?: boolean
}

const BRAND = Symbol.for('holdfast.error')

export class HoldfastError extends Error {
  readonly code: ErrorCode
  readonly details: Record<string, unknown>
  readonly hint: string | undefined
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, init: ErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause })
    this.name = 'HoldfastError'
    this.code = code
    this.details = init.details ?? {}
    this.hint = init.hint
    this.retryable = init.retryable ?? false
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** True for a HoldfastError of any copy of this library; with `code`, only for that code. */
  static is(error: unknown, code?: ErrorCode): error is HoldfastError {
    return (
      typeof error === 'object' &&
      error !== null &&
      (error as { [BRAND]?: boolean })[BRAND] === true &&
      (code === undefined || (error as HoldfastError).code === code)
    )
  }

  toJSON(): ErrorJson {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(Object.keys(this.details).length === 0 ? {} : { details: this.details })
    }
  }
}

/** What crosses the control API. */
export interface ErrorJson {
  code: ErrorCode
  message: string
  hint?: string
  details?: Record<string, unknown>
}

/** Any thrown value as a HoldfastError: itself if it is one, ABORTED for abort signals, else INTERNAL. */
export function toHoldfastError(error: unknown): HoldfastError {
  if (HoldfastError.is(error)) return error
  const name = (error as { name?: unknown } | null)?.name
  if (name === 'AbortError') return new HoldfastError('ABORTED', 'cancelled', { cause: error })
  if (name === 'TimeoutError') {
    return new HoldfastError('TIMEOUT', 'no answer within the deadline', {
      cause: error,
      retryable: true
    })
  }
  return new HoldfastError('INTERNAL', messageOf(error), { cause: error })
}

/** The message of any thrown value, for logs and reasons. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
