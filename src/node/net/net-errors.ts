/** libp2p's errors as ours. libp2p throws Errors told apart by name, AggregateErrors, and now and then an Event. */
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { abortErrorOf } from './wait.ts'

const REASON_CHARS_MAX = 300

/**
 * Why a peer could not be reached.
 * @param signal the signal of the operation: when it has ended, that is the reason
 */
export function reachError(target: string, error: unknown, signal: AbortSignal): HoldfastError {
  if (HoldfastError.is(error)) return error
  if (signal.aborted) {
    const aborted = abortErrorOf(signal)
    if (aborted.code !== 'TIMEOUT') return aborted
    return new HoldfastError('TIMEOUT', `${target} did not answer in time`, {
      cause: error,
      retryable: true
    })
  }
  const name = (error as { name?: string }).name
  if (name === 'UnsupportedProtocolError') {
    return new HoldfastError('REMOTE_REFUSED', `${target} does not speak that protocol`, {
      cause: error
    })
  }
  if (name === 'InvalidPeerIdError') {
    return new HoldfastError('INVALID_ARGUMENT', `${target} is this node itself`, { cause: error })
  }
  return new HoldfastError('UNREACHABLE', `cannot reach ${target}: ${reasonOf(error)}`, {
    cause: error,
    retryable: true
  })
}

/** Why listening failed: PORT_IN_USE when an address is taken, else the error as it came. */
export function listenError(listen: readonly string[], error: unknown): unknown {
  if (!/EADDRINUSE/.test(messageOf(error))) return error
  return new HoldfastError('PORT_IN_USE', `already in use: ${listen.join(', ')}`, {
    cause: error,
    details: { listen: [...listen] },
    hint: 'stop the other process or choose another port in the listen setting'
  })
}

function reasonOf(error: unknown): string {
  const reasons = error instanceof AggregateError ? error.errors.map(messageOf) : [messageOf(error)]
  return [...new Set(reasons)].join('; ').slice(0, REASON_CHARS_MAX)
}
