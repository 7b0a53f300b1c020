/** One HTTP exchange with the daemon of a home, for the control client: connect, authorise, read answers. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { HoldfastError, toHoldfastError } from '../../base/errors.ts'
import { homePaths } from '../home-files.ts'
import { notRunning, readEndpoint } from './token.ts'
import { API_PREFIX, errorFromJson, HEADER_BYTES_MAX, LOOPBACK, RESULT_BYTES_MAX } from './wire.ts'

export interface CallInit {
  home: string
  method: string
  verb: 'GET' | 'POST'
  query?: Record<string, string>
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
}

export interface Call {
  outgoing: ClientRequest
  /** Rejects with NOT_RUNNING, UNAUTHORIZED, ABORTED or the error that the daemon answered. */
  response: Promise<IncomingMessage>
}

const OK = 200

/** Opens the request; the caller writes and ends its body. @throws HoldfastError NOT_RUNNING */
export async function openCall(init: CallInit): Promise<Call> {
  const { port, token } = await readEndpoint(init.home)
  const search = new URLSearchParams(init.query).toString()
  const outgoing = httpRequest({
    host: LOOPBACK,
    port,
    method: init.verb,
    path: `${API_PREFIX}${init.method}${search === '' ? '' : `?${search}`}`,
    headers: { ...init.headers, authorization: `Bearer ${token}` },
    agent: false,
    maxHeaderSize: HEADER_BYTES_MAX,
    ...(init.signal === undefined ? {} : { signal: init.signal })
  })
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.on('error', reject) // stays: a request may also fail after its answer has begun
    outgoing.on('response', resolve)
  }).then(accepted, async error => {
    throw await connectionError(init, error)
  })
  response.catch(() => {}) // whoever needs it awaits it; a failing body may end the call first
  return { outgoing, response }
}

async function accepted(response: IncomingMessage): Promise<IncomingMessage> {
  if (response.statusCode === OK) return response
  const text = await readAll(response)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined // another program on this port, or a half answer: INTERNAL below
  }
  throw errorFromJson((json as { error?: unknown } | undefined)?.error)
}

/** Why a connection failed: nobody there, the caller cancelled, or the daemon ended in the middle. */
async function connectionError(init: CallInit, error: unknown): Promise<HoldfastError> {
  if (HoldfastError.is(error)) return error
  if (init.signal?.aborted === true) return toHoldfastError(init.signal.reason)
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ECONNREFUSED' ? notRunning(homePaths(init.home)) : brokenOff(error)
}

/** The daemon ended, or broke the connection, before its answer was complete. */
export function brokenOff(cause: unknown): HoldfastError {
  return new HoldfastError('NOT_RUNNING', 'the daemon broke off its answer', {
    cause,
    hint: 'see daemon.log in its home; `holdfast status` tells whether it still runs'
  })
}

/** A whole answer as text. @throws HoldfastError FRAME_TOO_LARGE | NOT_RUNNING */
export async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of bodyOf(response)) {
    bytes += chunk.length
    if (bytes > RESULT_BYTES_MAX) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The lines of an answer as they come. @throws HoldfastError FRAME_TOO_LARGE | NOT_RUNNING */
export async function* readLines(response: IncomingMessage): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of bodyOf(response)) {
    let rest = chunk
    for (let at = rest.indexOf(0x0a); at >= 0; at = rest.indexOf(0x0a)) {
      yield Buffer.concat([...parts, rest.subarray(0, at)]).toString('utf8')
      parts = []
      bytes = 0
      rest = rest.subarray(at + 1)
    }
    bytes += rest.length
    if (bytes > RESULT_BYTES_MAX) throw tooLarge()
    parts.push(rest)
  }
}

/** The body of an answer; throws when it ends before its end. */
export async function* bodyOf(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response) yield chunk as Buffer
  } catch (error) {
    throw brokenOff(error)
  }
  if (!response.complete) throw brokenOff(undefined)
}

function tooLarge(): HoldfastError {
  return new HoldfastError('FRAME_TOO_LARGE', `the answer is larger than ${RESULT_BYTES_MAX} bytes`)
}
