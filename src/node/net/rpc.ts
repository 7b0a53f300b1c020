/**
 * One question, one answer, on a channel of their own: a frame of canonical dag-cbor each way. The answer is
 * {ok: value} or {error: {code, message, details?}}; an error comes back as the HoldfastError it was.
 */
import { decodeDocument, encodeDocument } from '../../base/codec.ts'
import { HoldfastError, toHoldfastError } from '../../base/errors.ts'
import { FRAME_BYTES_DEFAULT_MAX } from '../../base/limits.ts'
import { errorFromWire, wireErrorOf } from './error-wire.ts'
import type { Channel, Net, RemotePeer, WaitOptions } from './types.ts'
import { deadline } from './wait.ts'

export interface RequestOptions extends WaitOptions {
  /** Bounds the answer before it is read. @default 64 KiB */
  responseBytesMax?: number
}

export interface ServeOptions {
  /** Bounds a request before it is read. @default 64 KiB */
  requestBytesMax?: number
}

/** For the whole exchange, dialling included. */
const REQUEST_TIMEOUT_MS = 30_000
/** A client that has opened a stream has its request ready. */
const REQUEST_READ_TIMEOUT_MS = 10_000

/**
 * @param body anything dag-cbor carries; undefined is null
 * @param options timeoutMs bounds the whole exchange, 30 seconds by default
 * @throws HoldfastError the peer's own error; REMOTE_REFUSED for a code we do not know; PROTOCOL_VIOLATION,
 *   FRAME_TOO_LARGE or FRAME_TRUNCATED for an answer that is none; and those of Net.open and Channel
 */
export async function request(
  net: Net,
  peer: string,
  protocol: string,
  body: unknown,
  options: RequestOptions = {}
): Promise<unknown> {
  const signal = deadline(options, REQUEST_TIMEOUT_MS)
  const channel = await net.open(peer, protocol, { signal })
  try {
    const answer = await exchange(channel, body, signal, options.responseBytesMax)
    await channel.close()
    return resultOf(answer, channel.remote)
  } catch (error) {
    channel.abort(toHoldfastError(error))
    throw error
  }
}

async function exchange(
  channel: Channel,
  body: unknown,
  signal: AbortSignal,
  responseBytesMax = FRAME_BYTES_DEFAULT_MAX
): Promise<unknown> {
  const wait = { signal, timeoutMs: Infinity }
  try {
    await channel.writeFrame(encodeDocument(body ?? null), wait)
    await channel.closeWrite()
  } catch (error) {
    // a peer that refuses before it has read everything resets our side, and its answer may still be there
    if (!HoldfastError.is(error, 'UNREACHABLE')) throw error
  }
  const frame = await channel.readFrame(responseBytesMax, wait)
  if (frame === undefined) throw new HoldfastError('FRAME_TRUNCATED', 'the peer gave no answer')
  return decodeDocument(frame, responseBytesMax)
}

function resultOf(answer: unknown, remote: RemotePeer): unknown {
  if (typeof answer === 'object' && answer !== null) {
    if ('ok' in answer) return answer.ok
    if ('error' in answer) throw errorFromWire(answer.error, remote.peerId)
  }
  throw new HoldfastError('PROTOCOL_VIOLATION', 'the answer is neither a value nor an error')
}

/**
 * Answers requests with what the handler returns (undefined is null) or throws. The handler gets decoded dag-cbor of
 * any shape: it validates.
 */
export function serve(
  net: Net,
  protocol: string,
  options: ServeOptions,
  handler: (body: unknown, remote: RemotePeer) => Promise<unknown>
): void {
  const bytesMax = options.requestBytesMax ?? FRAME_BYTES_DEFAULT_MAX
  net.handle(protocol, async (channel, signal) => {
    const { bytes, bug } = await answerTo(channel, signal, bytesMax, handler)
    if (bytes !== undefined) await channel.writeFrame(bytes, { signal })
    await channel.close()
    // the peer has its answer; the log of this node gets the reason
    if (bug !== undefined) throw bug
  })
}

interface Answer {
  /** Undefined when nobody asked. */
  bytes?: Uint8Array
  bug?: HoldfastError
}

async function answerTo(
  channel: Channel,
  signal: AbortSignal,
  bytesMax: number,
  handler: (body: unknown, remote: RemotePeer) => Promise<unknown>
): Promise<Answer> {
  try {
    const wait = { signal, timeoutMs: REQUEST_READ_TIMEOUT_MS }
    const frame = await channel.readFrame(bytesMax, wait)
    if (frame === undefined) return {}
    const value = await handler(decodeDocument(frame, bytesMax), channel.remote)
    return { bytes: encodeDocument({ ok: value ?? null }) }
  } catch (cause) {
    const error = toHoldfastError(cause)
    const bytes = encodeDocument({ error: wireErrorOf(error) })
    return error.code === 'INTERNAL' ? { bytes, bug: error } : { bytes }
  }
}
