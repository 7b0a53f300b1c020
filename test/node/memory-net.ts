/**
 * The network in memory: peers that can be unplugged, channels with backpressure, frames as on the wire. It keeps the
 * contract of `src/node/net/types.ts`, and lets a hostile peer break everything that a real one could.
 */
import { concat } from '../../src/base/bytes.ts'
import { HoldfastError, toHoldfastError } from '../../src/base/errors.ts'
import type { SigningKey } from '../../src/base/keys.ts'
import { peerIdOf } from '../../src/node/net/peer-id.ts'
import type {
  Channel,
  ChannelHandler,
  ConnectedPeer,
  Net,
  PeerInfo,
  RemotePeer,
  WaitOptions
} from '../../src/node/net/types.ts'
import { Patience, Wakeup } from '../../src/node/net/wait.ts'

const HIGH_WATER_BYTES = 256 * 1024
const LENGTH_BYTES = 4

/** All peers that can reach each other. */
export class MemoryNetwork {
  readonly nets: Map<string, MemoryNet> = new Map()

  join(key: SigningKey, roles: string[] = []): MemoryNet {
    const net = new MemoryNet(this, key, roles)
    this.nets.set(net.peerId, net)
    return net
  }
}

export class MemoryNet implements Net {
  readonly peerId: string
  readonly peerKey: Uint8Array
  readonly roles: string[]
  /** Dialled so far, in order. */
  readonly dialled: string[] = []
  online = true
  readonly #network: MemoryNetwork
  readonly #handlers = new Map<string, ChannelHandler>()
  readonly #channels = new Set<MemoryChannel>()

  constructor(network: MemoryNetwork, key: SigningKey, roles: string[]) {
    this.#network = network
    this.peerKey = key.publicKey
    this.peerId = peerIdOf(key.publicKey)
    this.roles = roles
  }

  /** Channels that neither side has ended. */
  get openChannels(): number {
    return [...this.#channels].filter(channel => !channel.over).length
  }

  async start(): Promise<void> {
    this.online = true
  }

  /** Cuts every channel, as a process that dies. */
  async stop(): Promise<void> {
    this.online = false
    for (const channel of this.#channels) channel.cut()
  }

  addresses(): string[] {
    return [`/ip4/127.0.0.1/tcp/1/p2p/${this.peerId}`]
  }

  handle(protocol: string, handler: ChannelHandler): void {
    this.#handlers.set(protocol, handler)
  }

  async open(peer: string, protocol: string, options: WaitOptions = {}): Promise<Channel> {
    this.dialled.push(peer)
    await Promise.resolve()
    if (options.signal?.aborted === true) throw toHoldfastError(options.signal.reason)
    const there = this.#network.nets.get(peer)
    if (there === undefined || !there.online || !this.online) {
      throw new HoldfastError('UNREACHABLE', `cannot reach ${peer}`, { retryable: true })
    }
    return there.#accept(this, protocol)
  }

  #accept(from: MemoryNet, protocol: string): Channel {
    const handler = this.#handlers.get(protocol)
    if (handler === undefined) {
      throw new HoldfastError('REMOTE_REFUSED', `${this.peerId} does not speak that protocol`)
    }
    const [there, back] = [new Pipe(), new Pipe()]
    const gone = new AbortController()
    const onEnd = (error: HoldfastError): void => gone.abort(error)
    const ours = new MemoryChannel(from, back, there, onEnd)
    const theirs = new MemoryChannel(this, there, back, onEnd)
    from.#channels.add(theirs)
    this.#channels.add(ours)
    handler(ours, gone.signal).then(
      () => ours.close(),
      error => ours.abort(toHoldfastError(error))
    )
    return theirs
  }

  async connect(): Promise<string> {
    throw new HoldfastError('UNREACHABLE', 'peers in memory have no addresses')
  }

  announce(): void {}

  async *find(topic: string): AsyncIterable<PeerInfo> {
    for (const net of this.#network.nets.values()) {
      if (net === this || !net.online || !net.roles.includes(topic)) continue
      yield { peerId: net.peerId, addresses: net.addresses() }
    }
  }

  connected(): ConnectedPeer[] {
    const others = [...this.#network.nets.values()].filter(net => net !== this && net.online)
    return others.map(net => {
      return { peerId: net.peerId, addresses: net.addresses(), roles: net.roles }
    })
  }

  onPeer(): () => void {
    return () => {}
  }

  async addAddresses(): Promise<void> {}

  async disconnect(): Promise<void> {}
}

/** One direction of a channel. */
class Pipe {
  readonly wake: Wakeup = new Wakeup()
  #chunks: Uint8Array[] = []
  bytes = 0
  ended = false
  /** The connection is gone: what is here can still be read. */
  lost: HoldfastError | undefined

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.bytes += chunk.length
    this.wake.notify()
  }

  /** At most `bytesMax` bytes; undefined when there are none now. */
  take(bytesMax: number): Uint8Array | undefined {
    const chunk = this.#chunks.shift()
    if (chunk === undefined) return undefined
    if (chunk.length > bytesMax) this.#chunks.unshift(chunk.subarray(bytesMax))
    const taken = chunk.subarray(0, bytesMax)
    this.bytes -= taken.length
    this.wake.notify()
    return taken
  }

  clear(): void {
    this.#chunks = []
    this.bytes = 0
  }
}

export class MemoryChannel implements Channel {
  readonly remote: RemotePeer
  readonly #in: Pipe
  readonly #out: Pipe
  readonly #onEnd: (error: HoldfastError) => void
  #closed: HoldfastError | undefined
  #broken: HoldfastError | undefined
  #writes: Promise<void> = Promise.resolve()

  constructor(remote: RemotePeer, out: Pipe, input: Pipe, onEnd: (error: HoldfastError) => void) {
    this.remote = { peerId: remote.peerId, peerKey: remote.peerKey }
    this.#in = input
    this.#out = out
    this.#onEnd = onEnd
  }

  get over(): boolean {
    return this.#closed !== undefined || (this.#in.ended && this.#out.ended)
  }

  readFrame(bytesMax: number, options?: WaitOptions): Promise<Uint8Array | undefined> {
    return this.#reading(async () => {
      const first = await this.#some(LENGTH_BYTES, options)
      if (first === undefined) return undefined
      const header = await this.#inside(() => this.#fill(first, LENGTH_BYTES, options))
      const length = new DataView(header.buffer, header.byteOffset).getUint32(0)
      return await this.#inside(async () => {
        if (length <= bytesMax) return await this.#fill(new Uint8Array(0), length, options)
        throw new HoldfastError('FRAME_TOO_LARGE', `frame of ${length} bytes, ${bytesMax} allowed`)
      })
    })
  }

  readExactly(length: number, options?: WaitOptions): Promise<Uint8Array> {
    return this.#reading(() => this.#inside(() => this.#fill(new Uint8Array(0), length, options)))
  }

  async readInto(target: Uint8Array, options?: WaitOptions): Promise<void> {
    target.set(await this.readExactly(target.length, options))
  }

  readSome(bytesMax: number, options?: WaitOptions): Promise<Uint8Array | undefined> {
    return this.#reading(() => this.#some(bytesMax, options))
  }

  writeFrame(bytes: Uint8Array, options?: WaitOptions): Promise<void> {
    const header = new Uint8Array(LENGTH_BYTES)
    new DataView(header.buffer).setUint32(0, bytes.length)
    return this.write(concat(header, bytes), options)
  }

  write(bytes: Uint8Array, options?: WaitOptions): Promise<void> {
    const copy = bytes.slice()
    const mine = this.#writes.then(() => this.#push(copy, options))
    this.#writes = mine.catch(() => {})
    return mine
  }

  async #push(bytes: Uint8Array, options: WaitOptions | undefined): Promise<void> {
    this.#throwIfClosed()
    this.#out.push(bytes)
    const patience = new Patience('writing', options)
    while (this.#out.bytes > HIGH_WATER_BYTES) {
      this.#throwIfClosed()
      await this.#out.wake.wait(patience)
    }
  }

  async closeWrite(): Promise<void> {
    await this.#writes
    this.#out.ended = true
    this.#out.wake.notify()
  }

  async close(): Promise<void> {
    await this.closeWrite()
    if (!this.#in.ended) this.#end(new HoldfastError('ABORTED', 'the channel is closed'), false)
    this.#closed ??= new HoldfastError('ABORTED', 'the channel is closed')
  }

  abort(error: Error): void {
    this.#end(HoldfastError.is(error) ? error : new HoldfastError('ABORTED', error.message), true)
  }

  /** The connection is lost under both sides. */
  cut(): void {
    const error = new HoldfastError('UNREACHABLE', 'the connection was lost', { retryable: true })
    this.#end(error, true)
  }

  /** Tells the peer that nobody reads any more, and with `both` that nothing more will come. */
  #end(error: HoldfastError, both: boolean): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    const lost = new HoldfastError('UNREACHABLE', 'the peer reset the stream', { retryable: true })
    this.#in.clear()
    this.#in.lost = lost
    if (both && !this.#out.ended) this.#out.lost = lost
    this.#onEnd(error)
    this.#in.wake.notify()
    this.#out.wake.notify()
  }

  #throwIfClosed(): void {
    const error = this.#closed ?? this.#out.lost
    if (error !== undefined) throw error
  }

  async #reading<T>(task: () => Promise<T>): Promise<T> {
    if (this.#broken !== undefined) throw this.#broken
    return await task()
  }

  async #inside<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await task()
    } catch (error) {
      const known = toHoldfastError(error)
      this.#broken =
        known.code === 'UNREACHABLE'
          ? new HoldfastError('FRAME_TRUNCATED', 'lost inside a frame', { cause: known })
          : known
      throw this.#broken
    }
  }

  async #fill(
    head: Uint8Array,
    length: number,
    options: WaitOptions | undefined
  ): Promise<Uint8Array> {
    const parts = [head]
    for (let missing = length - head.length; missing > 0; ) {
      const part = await this.#some(missing, options)
      if (part === undefined) {
        throw new HoldfastError('FRAME_TRUNCATED', `ended ${missing} of ${length} bytes too early`)
      }
      parts.push(part)
      missing -= part.length
    }
    return concat(...parts)
  }

  async #some(bytesMax: number, options?: WaitOptions): Promise<Uint8Array | undefined> {
    const patience = new Patience('reading', options)
    for (;;) {
      if (this.#closed !== undefined) throw this.#closed
      const chunk = this.#in.take(bytesMax)
      if (chunk !== undefined) return chunk
      if (this.#in.ended) return undefined
      if (this.#in.lost !== undefined) throw this.#in.lost
      await this.#in.wake.wait(patience)
    }
  }
}
