/** A Channel over one libp2p stream: frames and exact reads on top of Flow. */
import type { Stream } from '@libp2p/interface'
import { assert } from '../../base/assert.ts'
import { concat } from '../../base/bytes.ts'
import { HoldfastError, toHoldfastError } from '../../base/errors.ts'
import { Flow } from './flow.ts'
import type { Channel, RemotePeer, WaitOptions } from './types.ts'

const LENGTH_BYTES = 4
const FRAME_BYTES_LIMIT = 2 ** 32 - 1

export class StreamChannel implements Channel {
  readonly remote: RemotePeer
  readonly #flow: Flow
  #rest: Uint8Array | undefined
  #reading = false
  /** Set by a read that failed inside a frame: what follows in the stream has no meaning. */
  #broken: HoldfastError | undefined
  #writes: Promise<void> = Promise.resolve()

  /** @param onLost called once when the stream ends in any way but both sides having finished */
  constructor(stream: Stream, remote: RemotePeer, onLost?: (error: HoldfastError) => void) {
    this.remote = remote
    this.#flow = new Flow(stream, onLost)
  }

  /** Bytes held for this channel on both ways, for diagnosis. */
  get buffered(): { readBytes: number; writeBytes: number } {
    const rest = this.#rest?.length ?? 0
    return { readBytes: this.#flow.readBufferBytes + rest, writeBytes: this.#flow.writeBufferBytes }
  }

  readFrame(bytesMax: number, options?: WaitOptions): Promise<Uint8Array | undefined> {
    return this.#exclusive(async () => {
      const first = await this.#some(LENGTH_BYTES, options)
      if (first === undefined) return undefined
      const header = await this.#inside(() => this.#fill(first, LENGTH_BYTES, options))
      const length = new DataView(header.buffer, header.byteOffset).getUint32(0)
      if (length > bytesMax) {
        this.#broken = new HoldfastError(
          'FRAME_TOO_LARGE',
          `frame of ${length} bytes, ${bytesMax} allowed`
        )
        throw this.#broken
      }
      return await this.#inside(() => this.#fill(new Uint8Array(0), length, options))
    })
  }

  readExactly(length: number, options?: WaitOptions): Promise<Uint8Array> {
    return this.#exclusive(() => this.#inside(() => this.#fill(new Uint8Array(0), length, options)))
  }

  readInto(target: Uint8Array, options?: WaitOptions): Promise<void> {
    return this.#exclusive(() => this.#inside(() => this.#copyInto(target, options)))
  }

  readSome(bytesMax: number, options?: WaitOptions): Promise<Uint8Array | undefined> {
    assert(bytesMax > 0, 'readSome of at least one byte')
    return this.#exclusive(() => this.#some(bytesMax, options))
  }

  writeFrame(bytes: Uint8Array, options?: WaitOptions): Promise<void> {
    assert(bytes.length <= FRAME_BYTES_LIMIT, 'a frame length is a u32')
    const header = new Uint8Array(LENGTH_BYTES)
    new DataView(header.buffer).setUint32(0, bytes.length)
    return this.#enqueue(() => this.#flow.push([header, bytes], options))
  }

  write(bytes: Uint8Array, options?: WaitOptions): Promise<void> {
    return this.#enqueue(() => this.#flow.push([bytes], options))
  }

  closeWrite(): Promise<void> {
    return this.#enqueue(() => this.#flow.finish())
  }

  async close(): Promise<void> {
    try {
      await this.closeWrite()
      this.#flow.discard()
    } catch {
      // closeWrite has aborted the stream: it is as closed as it can be
    }
  }

  abort(error: Error): void {
    this.#flow.abort(error)
  }

  /** One writer after the other; a failed write leaves half a message behind, so it ends the channel. */
  #enqueue(task: () => Promise<void>): Promise<void> {
    const mine = this.#writes.then(task).catch((error: unknown) => {
      if (!this.#flow.closed) this.#flow.abort(toHoldfastError(error))
      throw error
    })
    this.#writes = mine.catch(() => {})
    return mine
  }

  async #exclusive<T>(task: () => Promise<T>): Promise<T> {
    assert(!this.#reading, 'one reader at a time')
    if (this.#broken !== undefined) throw this.#broken
    this.#reading = true
    try {
      return await task()
    } finally {
      this.#reading = false
    }
  }

  /** Errors of a read that has begun to consume a message stay. */
  async #inside<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      const known = toHoldfastError(error)
      this.#broken =
        known.code === 'UNREACHABLE'
          ? new HoldfastError('FRAME_TRUNCATED', `lost inside a frame: ${known.message}`, {
              cause: known,
              retryable: true
            })
          : known
      throw this.#broken
    }
  }

  /** `head`, then more until there are `length` bytes; memory grows with what arrives, not with what was announced. */
  async #fill(
    head: Uint8Array,
    length: number,
    options: WaitOptions | undefined
  ): Promise<Uint8Array> {
    if (head.length === length) return head
    const parts = [head]
    let missing = length - head.length
    while (missing > 0) {
      const part = this.#taken(missing) ?? (await this.#some(missing, options))
      if (part === undefined) throw endedEarly(missing, length)
      parts.push(part)
      missing -= part.length
    }
    if (parts.length === 2 && head.length === 0) return parts[1]!
    const whole = concat(...parts)
    for (const part of parts) giveBack(part)
    return whole
  }

  async #copyInto(target: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    for (let filled = 0; filled < target.length; ) {
      const missing = target.length - filled
      const part = this.#taken(missing) ?? (await this.#some(missing, options))
      if (part === undefined) throw endedEarly(missing, target.length)
      target.set(part, filled)
      filled += part.length
      giveBack(part)
    }
  }

  async #some(bytesMax: number, options: WaitOptions | undefined): Promise<Uint8Array | undefined> {
    const taken = this.#taken(bytesMax)
    if (taken !== undefined) return taken
    const chunk = await this.#flow.pull(options)
    return chunk === undefined ? undefined : this.#cut(chunk, bytesMax)
  }

  /** What is here already: a promise for every chunk would cost more than reading it. */
  #taken(bytesMax: number): Uint8Array | undefined {
    const chunk = this.#rest ?? this.#flow.take()
    return chunk === undefined ? undefined : this.#cut(chunk, bytesMax)
  }

  #cut(chunk: Uint8Array, bytesMax: number): Uint8Array {
    if (chunk.length <= bytesMax) {
      this.#rest = undefined
      return chunk
    }
    this.#rest = chunk.subarray(bytesMax)
    return chunk.subarray(0, bytesMax)
  }
}

/**
 * Frees received memory that nobody reads any more, if it is all of its buffer. Node makes a buffer for every TLS
 * record, and the collector runs after so many bytes of them, however few live: it took half of a receiver's time.
 */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) buffer.transfer(0)
}

function endedEarly(missing: number, length: number): HoldfastError {
  return new HoldfastError('FRAME_TRUNCATED', `ended ${missing} of ${length} bytes too early`)
}
