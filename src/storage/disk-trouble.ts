/** What an error of the operating system means for a piece store. */
import { HoldfastError, messageOf } from '../base/errors.ts'

export interface DiskTrouble {
  readonly error: unknown
  /** True when the disk cannot be trusted with another write. */
  readonly readOnly: boolean
}

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT'])
/** This process or machine is short of something; the disk is well. */
const PASSING = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR'])

/**
 * A typed error for a failed write. Errors that do not come from the operating system or from the index pass unchanged:
 * they are bugs, or typed already.
 */
export function diskTroubleOf(cause: unknown, action: string): DiskTrouble {
  const code = errorCodeOf(cause)
  if (HoldfastError.is(cause) || code === undefined) return { error: cause, readOnly: false }
  const message = `${action}: ${messageOf(cause)}`
  if (DISK_FULL.has(code)) {
    const error = new HoldfastError('QUOTA_EXCEEDED', message, {
      cause,
      hint: 'the disk is full: free some space or lower the quota',
      retryable: true
    })
    return { error, readOnly: false }
  }
  const passing = PASSING.has(code)
  const error = new HoldfastError('STORE_READ_ONLY', message, {
    cause,
    ...(passing ? {} : { hint: 'check the disk and its mount, then restart the node' }),
    retryable: passing
  })
  return { error, readOnly: !passing }
}

/** The errno name ("ENOSPC") or code of `level` ("LEVEL_IO_ERROR") of a thrown value. */
export function errorCodeOf(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | null)?.code
  return typeof code === 'string' && /^(E[A-Z0-9]+|LEVEL_\w+)$/.test(code) ? code : undefined
}
