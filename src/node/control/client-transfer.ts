/**
 * put and get as the control client sees them. A source that fails breaks the request off before its end, so that the
 * daemon stores nothing; a body that was read counts only with the daemon's word, in a trailer, that it was whole.
 */
import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { HoldfastError, toHoldfastError } from '../../base/errors.ts'
import { bodyOf, brokenOff, openCall, readLines } from './http.ts'
import type {
  FailedProvider,
  GetHandle,
  GetRequest,
  PutProgress,
  PutRequest,
  PutResult
} from './types.ts'
import {
  BYTES_HEADER,
  decodeJson,
  decodeTrailer,
  ERROR_TRAILER,
  errorFromJson,
  RESULT_TRAILER
} from './wire.ts'

/** Streams an object to the daemon. */
export async function sendPut(home: string, request: PutRequest): Promise<PutResult> {
  const { path, profile, force, bytes, source, onProgress, signal } = request
  const { outgoing, response } = await openCall({
    home,
    method: 'put',
    verb: 'POST',
    query: {
      path,
      ...(profile === undefined ? {} : { profile }),
      ...(force === true ? { force: '1' } : {}),
      ...(bytes === undefined ? {} : { bytes: String(bytes) })
    },
    headers: { expect: '100-continue' },
    signal
  })
  const settled = new AbortController()
  const result = response.then(answer => readResult(answer, onProgress))
  const body = sendBody(outgoing, source, settled.signal)
  try {
    return await Promise.race([result, body.then(() => result)])
  } catch (error) {
    if (signal?.aborted === true) throw toHoldfastError(signal.reason)
    throw error
  } finally {
    settled.abort()
    result.catch(() => {}) // the body failed first and is the reason
    body.catch(() => {}) // the daemon answered first and is the reason
    outgoing.destroy()
  }
}

/** Waits until the daemon wants the body, then writes it at the pace the daemon reads it. */
async function sendBody(
  outgoing: ClientRequest,
  source: AsyncIterable<Uint8Array>,
  settled: AbortSignal
): Promise<void> {
  let broken = false
  outgoing.once('error', () => {
    broken = true
  })
  outgoing.flushHeaders()
  try {
    await once(outgoing, 'continue', { signal: settled })
    for await (const chunk of source) {
      settled.throwIfAborted()
      if (!outgoing.write(chunk)) await once(outgoing, 'drain', { signal: settled })
    }
    settled.throwIfAborted()
    outgoing.end()
  } catch (error) {
    if (broken) return // the connection broke: the answer says why
    outgoing.destroy()
    throw error
  }
}

type PutEvent =
  | ({ event: 'progress' } & PutProgress)
  | { event: 'done'; result: PutResult }
  | { event: 'error'; error: unknown }

async function readResult(
  response: IncomingMessage,
  onProgress: PutRequest['onProgress']
): Promise<PutResult> {
  for await (const line of readLines(response)) {
    const event = decodeJson(line) as PutEvent
    if (event.event === 'progress') onProgress?.(event)
    else if (event.event === 'done') return event.result
    else throw errorFromJson(event.error)
  }
  throw brokenOff(undefined)
}

/** Opens an object; its body has to be read to the end, or given up by leaving the loop. */
export async function sendGet(home: string, request: GetRequest): Promise<GetHandle> {
  const { path, range, signal } = request
  const query = range === undefined ? {} : { first: String(range.first), last: String(range.last) }
  const call = await openCall({
    home,
    method: 'get',
    verb: 'GET',
    query: { path, ...query },
    headers: { te: 'trailers' },
    signal
  })
  call.outgoing.end()
  const response = await call.response
  const bytes = Number(response.headers[BYTES_HEADER])
  let failed: FailedProvider[] = []
  async function* body(): AsyncGenerator<Uint8Array> {
    let read = 0
    try {
      for await (const chunk of bodyOf(response)) {
        read += chunk.length
        yield chunk
      }
    } catch (error) {
      if (signal?.aborted === true) throw toHoldfastError(signal.reason)
      throw error
    }
    failed = resultOf(response, bytes, read)
  }
  return { path, bytes, body: body(), failed: () => failed }
}

/** @throws HoldfastError the daemon's error, or NOT_RUNNING when it did not confirm this many bytes */
function resultOf(response: IncomingMessage, bytes: number, read: number): FailedProvider[] {
  const { [ERROR_TRAILER]: error, [RESULT_TRAILER]: result } = response.trailers
  if (error !== undefined) throw errorFromJson(decodeTrailer(error))
  if (result === undefined || read !== bytes) {
    throw brokenOff(new HoldfastError('FRAME_TRUNCATED', `${read} of ${bytes} bytes arrived`))
  }
  return (decodeTrailer(result) as { failed: FailedProvider[] }).failed
}
