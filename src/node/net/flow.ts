/**
 * Backpressure over one libp2p v3 stream, both ways. libp2p 3.3 offers the parts but no safe default:
 * `onDrain()` never blocks after its first drain, `for await` buffers without bound, the byte-stream helpers abort a
 * stream whose reader lags by 4 MiB, and `pause()` inside the dispatch of `resume()` is lost on yamux. So:
 *
 * - writing waits, by our own events, until the stream's write buffer is below a high-water mark;
 * - reading keeps a short queue and pauses the stream above it; never inside `resume()`, which hands over all that
 *   came in while paused, but right after it. A stream then holds at most one window in libp2p and one here.
 *
 * The accepting side says so with one byte before anything else, and the opening side keeps its first bytes within
 * one window until then: before a handler listens, libp2p takes in all that comes and aborts the stream at its limit.
 */
import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import { concat } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import {
  CLOSE_LINGER_MS,
  COPIED_BYTES_MAX,
  READ_HIGH_WATER_BYTES,
  READ_LOW_WATER_BYTES,
  SEND_CHUNK_BYTES,
  STREAM_CLOSE_TIMEOUT_MS,
  UNACCEPTED_BYTES_MAX,
  WRITE_HIGH_WATER_BYTES
} from './limits.ts'
import { STREAM_ACCEPTED } from './protocols.ts'
import type { WaitOptions } from './types.ts'
import { abortedBy, Patience, Wakeup } from './wait.ts'

export class Flow {
  readonly #stream: Stream
  readonly #onLost: (error: HoldfastError) => void
  readonly #readable = new Wakeup()
  readonly #writable = new Wakeup()
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #sentBytes = 0
  #accepted: boolean
  #resuming = false
  /** Given up on our side: nothing received counts any more. */
  #aborted = false
  #linger: NodeJS.Timeout | undefined
  /** We ended our side cleanly. */
  #finished = false
  /** The peer ended its side cleanly. */
  #ended = false
  /** Neither side will carry anything more. */
  #closed: HoldfastError | undefined

  /** @param onLost called once when the stream ends in any way but both sides having finished */
  constructor(stream: Stream, onLost: (error: HoldfastError) => void = () => {}) {
    this.#stream = stream
    this.#onLost = onLost
    this.#accepted = stream.direction === 'inbound'
    stream.addEventListener('message', event => this.#onMessage(event))
    stream.addEventListener('remoteCloseWrite', () => this.#onRemoteEnd())
    stream.addEventListener('close', event => this.#onClose(event))
    stream.addEventListener('idle', () => this.#writable.notify())
    // libp2p sends on in a microtask of its own after 'drain': look after it
    stream.addEventListener('drain', () => queueMicrotask(() => this.#writable.notify()))
    if (stream.status !== 'open') this.#closed = lost('the stream was closed before it was used')
    else if (stream.remoteWriteStatus !== 'writable') this.#ended = true
    if (this.#accepted && this.#closed === undefined) this.#accept()
  }

  /** Bytes received and not yet pulled. */
  get readBufferBytes(): number {
    return this.#queuedBytes + this.#stream.readBufferLength
  }

  /** Bytes pushed that libp2p has not taken yet. */
  get writeBufferBytes(): number {
    return this.#stream.writeBufferLength
  }

  get closed(): boolean {
    return this.#closed !== undefined
  }

  /** The next bytes in order, as they came; undefined at a clean end. */
  async pull(options?: WaitOptions): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.take()
      if (chunk !== undefined) return chunk
      this.#resume()
      if (this.#queue.length > 0) continue
      // libp2p hands over early bytes in a task of its own: an end counts once they are here
      if (this.#stream.readBufferLength === 0) {
        if (this.#ended && !this.#aborted) return undefined
        if (this.#closed !== undefined) throw this.#closed
      }
      await this.#readable.wait(new Patience('reading', options))
    }
  }

  /** What `pull` would give, if it is there already. */
  take(): Uint8Array | undefined {
    const chunk = this.#queue.shift()
    if (chunk === undefined) return undefined
    this.#queuedBytes -= chunk.length
    if (this.#queuedBytes <= READ_LOW_WATER_BYTES) this.#resume()
    return chunk
  }

  /**
   * Sends the parts in order. Few bytes are copied, and it resolves below the high-water mark; many are not, and it
   * resolves when the connection has taken them all. Then the memory is the caller's again. Calls must not overlap.
   */
  async push(parts: readonly Uint8Array[], options?: WaitOptions): Promise<void> {
    const bytes = parts.reduce((sum, part) => sum + part.length, 0)
    const isCopied = bytes <= COPIED_BYTES_MAX
    for (const part of isCopied ? [concat(...parts)] : parts) {
      for (const chunk of chunks(part)) {
        await this.#untilBelow(WRITE_HIGH_WATER_BYTES, options)
        await this.#untilAccepted(chunk.length, options)
        this.#send(chunk)
      }
    }
    await this.#untilBelow(isCopied ? WRITE_HIGH_WATER_BYTES : 0, options)
  }

  /** Ends our side once everything is with the connection. */
  async finish(options?: WaitOptions): Promise<void> {
    if (this.#stream.writeStatus !== 'writable') return
    await this.#untilBelow(0, options)
    this.#finished = true
    try {
      await this.#stream.close({ signal: AbortSignal.timeout(STREAM_CLOSE_TIMEOUT_MS) })
    } catch (cause) {
      // libp2p may reject with an Event here
      throw this.#closed ?? lost('the stream did not close', cause)
    }
  }

  abort(error: Error): void {
    this.#closed = abortedBy(error)
    this.#aborted = true
    this.#queue = []
    this.#queuedBytes = 0
    this.#stream.abort(error)
    this.#readable.notify()
    this.#writable.notify()
  }

  /**
   * Gives up what is unread; our side must be finished. A peer that still sends is reset a little later: a reset right
   * behind our last bytes would make its libp2p drop a stream that it is still negotiating.
   */
  discard(): void {
    this.#closed ??= channelClosed()
    this.#aborted = true
    this.#queue = []
    this.#queuedBytes = 0
    if (this.#ended) return
    this.#pause()
    const reset = (): void => this.#stream.abort(this.#closed!)
    this.#linger = setTimeout(reset, CLOSE_LINGER_MS).unref()
  }

  #accept(): void {
    this.#stream.send(Uint8Array.of(STREAM_ACCEPTED))
  }

  #send(chunk: Uint8Array): void {
    this.#throwIfClosed()
    try {
      this.#stream.send(chunk)
    } catch (cause) {
      throw this.#closed ?? lost('the stream takes no more bytes', cause)
    }
    this.#sentBytes += chunk.length
  }

  async #untilBelow(bytes: number, options: WaitOptions | undefined): Promise<void> {
    this.#throwIfClosed()
    if (this.#stream.writeBufferLength <= bytes) return
    const patience = new Patience('writing', options)
    let lowest = this.#stream.writeBufferLength
    for (;;) {
      this.#throwIfClosed()
      const length = this.#stream.writeBufferLength
      if (length <= bytes) return
      // other streams of the connection wake us too: only fewer bytes are progress
      if (length < lowest) patience.renew()
      lowest = Math.min(lowest, length)
      await this.#writable.wait(patience)
    }
  }

  async #untilAccepted(bytes: number, options: WaitOptions | undefined): Promise<void> {
    if (this.#accepted) return
    const patience = new Patience('opening', options)
    while (!this.#accepted && this.#sentBytes + bytes > UNACCEPTED_BYTES_MAX) {
      this.#throwIfClosed()
      await this.#writable.wait(patience)
    }
  }

  #throwIfClosed(): void {
    if (this.#closed !== undefined) throw this.#closed
  }

  #onMessage(event: StreamMessageEvent): void {
    const parts = event.data instanceof Uint8Array ? [event.data] : event.data
    for (const part of parts) this.#enqueue(part)
    if (!this.#resuming && this.#queuedBytes >= READ_HIGH_WATER_BYTES) this.#pause()
    this.#readable.notify()
  }

  #enqueue(part: Uint8Array): void {
    let bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
    if (!this.#accepted) {
      if (bytes[0] !== STREAM_ACCEPTED) {
        this.abort(new HoldfastError('PROTOCOL_VIOLATION', 'the stream does not start as it must'))
        return
      }
      this.#accepted = true
      this.#writable.notify()
      bytes = bytes.subarray(1)
    }
    if (bytes.length === 0 || this.#aborted) return
    this.#queue.push(bytes)
    this.#queuedBytes += bytes.length
  }

  #onRemoteEnd(): void {
    this.#ended = true
    this.#readable.notify()
  }

  #onClose(event: StreamCloseEvent): void {
    clearTimeout(this.#linger)
    if (this.#finished && this.#ended) {
      this.#closed ??= channelClosed()
    } else {
      const reset = event.error !== undefined && event.local !== true
      const message = reset ? 'the peer reset the stream' : 'the connection was lost'
      this.#closed ??= lost(message, event.error)
      this.#onLost(this.#closed)
    }
    this.#readable.notify()
    this.#writable.notify()
  }

  #pause(): void {
    if (this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  #resume(): void {
    if (this.#stream.readStatus !== 'paused') return
    this.#resuming = true
    try {
      this.#stream.resume()
    } catch {
      // the bytes are delivered first; only the window update found the connection gone
    } finally {
      this.#resuming = false
    }
    if (this.#queuedBytes >= READ_HIGH_WATER_BYTES) this.#pause()
  }
}

function* chunks(part: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < part.length; at += SEND_CHUNK_BYTES) {
    yield part.subarray(at, at + SEND_CHUNK_BYTES)
  }
}

function channelClosed(): HoldfastError {
  return new HoldfastError('ABORTED', 'the channel is closed')
}

function lost(message: string, cause?: unknown): HoldfastError {
  const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
  return new HoldfastError('UNREACHABLE', `${message}${reason}`, { cause, retryable: true })
}
