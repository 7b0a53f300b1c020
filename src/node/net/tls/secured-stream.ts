/**
 * The encrypted side of a connection as libp2p wants it: a MessageStream over a TLSSocket that has finished its
 * handshake. `send` is false above the socket's high-water mark and `pause` stops the kernel from reading, so neither
 * side holds more than those marks; what a muxer sends in spite of `false` is bounded by UNSENT_BYTES_MAX.
 */
import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import type { AbortOptions, MessageStream } from '@libp2p/interface'
import { AbstractMessageStream, type SendResult } from '@libp2p/utils'
import { HoldfastError } from '../../../base/errors.ts'
import { CLOSE_TIMEOUT_MS, UNSENT_BYTES_MAX } from './limits.ts'
import { copyToSlots } from './slots.ts'

type Sendable = Parameters<AbstractMessageStream['sendData']>[0]

export class SecuredStream extends AbstractMessageStream {
  readonly #transport: MessageStream
  readonly #socket: TLSSocket
  #closing: Promise<void> | undefined

  /** @param transport what the socket runs on; errors of the socket abort it before this is made */
  constructor(transport: MessageStream, socket: TLSSocket) {
    const { log, direction, inactivityTimeout, maxReadBufferLength } = transport
    super({
      ...{ log, direction, inactivityTimeout, maxReadBufferLength },
      maxWriteBufferLength: UNSENT_BYTES_MAX
    })
    this.#transport = transport
    this.#socket = socket
    this.#closeFirst()
    transport.addEventListener('close', ({ error, local }) => this.#onEnd(error, local === true))
    socket.on('end', () => this.#onRemoteEnd())
    socket.on('drain', () => this.safeDispatchEvent('drain'))
    socket.on('data', chunk => this.onData(chunk))
  }

  /** Takes everything: the caller may use the memory again. */
  override sendData(data: Sendable): SendResult {
    let canSendMore = true
    for (const { bytes, release } of copyToSlots(data, data.byteLength)) {
      canSendMore = this.#socket.write(bytes, release)
    }
    return { sentBytes: data.byteLength, canSendMore }
  }

  override sendReset(error: Error): void {
    this.#transport.abort(error)
  }

  override sendPause(): void {
    this.#socket.pause()
  }

  override sendResume(): void {
    this.#socket.resume()
  }

  /** Resolves once the peer's kernel can have everything sent. @throws HoldfastError TIMEOUT; then it is aborted */
  override close(options?: AbortOptions): Promise<void> {
    this.#closing ??= this.#close(options?.signal ?? AbortSignal.timeout(CLOSE_TIMEOUT_MS))
    return this.#closing
  }

  async #close(signal: AbortSignal): Promise<void> {
    if (this.status !== 'open') return
    this.status = 'closing'
    this.writeStatus = 'closing'
    try {
      const closed = once(this, 'close', { signal })
      while (this.writeBufferLength > 0 && !this.#isOver()) {
        await Promise.race([once(this, 'idle', { signal }), closed])
      }
      if (!this.#isOver()) this.#socket.destroySoon()
      await closed
    } catch (cause) {
      const error = new HoldfastError('TIMEOUT', 'the connection did not close in time', { cause })
      this.abort(error)
      throw error
    }
  }

  #isOver(): boolean {
    return this.status !== 'open' && this.status !== 'closing'
  }

  /** libp2p closes the transport, not this stream: what is still to be encrypted would be cut off. */
  #closeFirst(): void {
    const closeTransport = this.#transport.close.bind(this.#transport)
    this.#transport.close = async options => {
      await this.close(options)
      await closeTransport(options)
    }
  }

  /** As with TCP in libp2p, a connection that one side has ended carries nothing any more. */
  #onRemoteEnd(): void {
    this.onRemoteCloseWrite()
    // a failure has aborted the stream, which says it to everybody
    this.close().catch(() => {})
  }

  #onEnd(error: Error | undefined, local: boolean): void {
    if (error === undefined) this.onTransportClosed()
    else if (local) this.abort(error)
    else this.onRemoteReset()
  }
}
