/**
 * Bodies of the control API. put: the request body is the object, the answer NDJSON with progress and one final line.
 * get: the answer body is the object, with trailers for the result. A body that does not end properly aborts the put; a
 * get that fails midway either says so in a trailer (to a client that takes trailers) or breaks the connection.
 */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HoldfastError, toHoldfastError } from '../../base/errors.ts'
import { normalisePath, parseProfile } from './arguments.ts'
import type { ControlApi, FailedProvider, GetHandle, GetRequest, PutRequest } from './types.ts'
import {
  BYTES_HEADER,
  ERROR_TRAILER,
  encodeJson,
  encodeTrailer,
  FAILURES_LISTED_MAX,
  REASON_CHARACTERS_MAX,
  RESULT_TRAILER
} from './wire.ts'

/** One request under way. */
export interface Exchange {
  api: ControlApi
  request: IncomingMessage
  response: ServerResponse
  query: URLSearchParams
  /** The client waits for "100 Continue" before it sends the body. */
  expectsContinue: boolean
  /** Aborted when the client goes away or the server stops. */
  signal: AbortSignal
}

const PROGRESS_INTERVAL_MS = 100

/** Throws only while nothing has been sent; later failures are the last line of the answer. */
export async function servePut(exchange: Exchange): Promise<void> {
  const { api, response, signal } = exchange
  const request = putRequest(exchange)
  let nextProgressMs = 0
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  }
  const onProgress: PutRequest['onProgress'] = progress => {
    if (Date.now() < nextProgressMs || response.writableNeedDrain) return
    nextProgressMs = Date.now() + PROGRESS_INTERVAL_MS
    begin()
    response.write(`${encodeJson({ event: 'progress', ...progress })}\n`)
  }
  try {
    const result = await api.put({ ...request, onProgress, signal })
    begin()
    response.end(`${encodeJson({ event: 'done', result })}\n`)
  } catch (error) {
    if (!response.headersSent) throw error
    response.end(`${encodeJson({ event: 'error', error: toHoldfastError(error) })}\n`)
  }
}

/** @throws HoldfastError INVALID_ARGUMENT | PROFILE_IMPOSSIBLE */
function putRequest(exchange: Exchange): PutRequest {
  const { query } = exchange
  const profile = query.get('profile')
  const bytes = wholeNumber(query, 'bytes')
  if (profile !== null) parseProfile(profile)
  return {
    path: normalisePath(query.get('path') ?? ''),
    ...(profile === null ? {} : { profile }),
    ...(query.get('force') === '1' ? { force: true } : {}),
    ...(bytes === undefined ? {} : { bytes }),
    source: bodyOf(exchange, bytes)
  }
}

/** The request body; throws unless it arrives whole and, where a length was announced, with that length. */
async function* bodyOf(exchange: Exchange, bytes: number | undefined): AsyncGenerator<Uint8Array> {
  const { request, response, expectsContinue, signal } = exchange
  if (expectsContinue) response.writeContinue()
  let read = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      read += (chunk as Buffer).length
      if (bytes !== undefined && read > bytes) break
      yield chunk as Buffer
    }
  } catch (cause) {
    throw new HoldfastError('ABORTED', 'the client went away before the end of the body', { cause })
  }
  signal.throwIfAborted()
  if (bytes !== undefined && read !== bytes) {
    throw new HoldfastError('SOURCE_CHANGED', `${bytes} bytes were announced, ${read} came`)
  }
}

/** Throws only while nothing has been sent. */
export async function serveGet(exchange: Exchange): Promise<void> {
  const { api, request, response, query, signal } = exchange
  const handle = await api.get({ ...getRequest(query), signal })
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    [BYTES_HEADER]: String(handle.bytes),
    trailer: `${RESULT_TRAILER}, ${ERROR_TRAILER}`
  })
  response.flushHeaders()
  try {
    await sendBody(handle, response, signal)
    const failed = handle.failed().slice(0, FAILURES_LISTED_MAX).map(shortened)
    response.addTrailers({ [RESULT_TRAILER]: encodeTrailer({ bytes: handle.bytes, failed }) })
    response.end()
  } catch (error) {
    if (signal.aborted || request.headers['te'] !== 'trailers') {
      response.destroy()
      return
    }
    const { code, message, hint } = toHoldfastError(error)
    response.addTrailers({ [ERROR_TRAILER]: encodeTrailer({ code, message, hint }) })
    response.end()
  }
}

async function sendBody(
  handle: GetHandle,
  response: ServerResponse,
  signal: AbortSignal
): Promise<void> {
  let sent = 0
  for await (const chunk of handle.body) {
    signal.throwIfAborted()
    sent += chunk.length
    if (!response.write(chunk)) await once(response, 'drain', { signal })
  }
  if (sent !== handle.bytes) {
    throw new HoldfastError('INTERNAL', `the object gave ${sent} of ${handle.bytes} bytes`)
  }
}

function shortened({ provider, reason }: FailedProvider): FailedProvider {
  return { provider, reason: reason.slice(0, REASON_CHARACTERS_MAX) }
}

/** @throws HoldfastError INVALID_ARGUMENT | RANGE_INVALID */
function getRequest(query: URLSearchParams): GetRequest {
  const path = normalisePath(query.get('path') ?? '')
  const first = wholeNumber(query, 'first')
  const last = wholeNumber(query, 'last')
  if (first === undefined && last === undefined) return { path }
  if (first === undefined || last === undefined || first > last) {
    throw new HoldfastError('RANGE_INVALID', 'a range has a first and a last position')
  }
  return { path, range: { first, last } }
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const value = Number(text)
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) {
    throw new HoldfastError('INVALID_ARGUMENT', `${name}: not a whole number`)
  }
  return value
}
