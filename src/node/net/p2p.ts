/** The Net of a daemon: one libp2p node with hellos, a bootstrap search and the role directory around it. */
import type { Connection, Stream } from '@libp2p/interface'
import { LevelDatastore } from 'datastore-level'
import { assert } from '../../base/assert.ts'
import { HoldfastError, messageOf, toHoldfastError } from '../../base/errors.ts'
import type { Logger } from '../../base/ports.ts'
import { parseAddress, peerIn } from './addresses.ts'
import { Bootstrap } from './bootstrap.ts'
import { StreamChannel } from './channel.ts'
import { Directory } from './directory.ts'
import type { Hello } from './hello.ts'
import {
  ADDRESSES_PER_PEER_MAX,
  OPEN_TIMEOUT_MS,
  PROTOCOL_STREAMS_MAX,
  STOP_TIMEOUT_MS
} from './limits.ts'
import { listenError, reachError } from './net-errors.ts'
import { closeConnection, PeerBook, remoteOf } from './peer-book.ts'
import { parsePeerId, peerIdOf } from './peer-id.ts'
import { HELLO_PROTOCOL } from './protocols.ts'
import { createStack, type Stack } from './stack.ts'
import type {
  Channel,
  ChannelHandler,
  ConnectedPeer,
  Net,
  NetInit,
  PeerInfo,
  WaitOptions
} from './types.ts'
import { deadline, raceAbort } from './wait.ts'

const LISTEN_DEFAULT = ['/ip4/127.0.0.1/tcp/0']

/**
 * A Net that is not started. @throws HoldfastError INVALID_ARGUMENT on a bad address. Its `start` throws PORT_IN_USE
 * when an address is taken.
 */
export async function createNet(init: NetInit): Promise<Net> {
  const listen = init.listen ?? LISTEN_DEFAULT
  const announce = init.announce ?? []
  for (const address of [...listen, ...announce, ...init.bootstrap]) parseAddress(address)
  const { networkId, roles, userAgent: agent } = init
  const logger = init.logger.child({ part: 'net' })
  const self = peerIdOf(init.key.publicKey)
  let stack: Stack | undefined
  const ours = (): Hello => {
    const addresses = stack?.getMultiaddrs().slice(0, ADDRESSES_PER_PEER_MAX) ?? []
    return { networkId, roles, agent, addresses: addresses.map(String) }
  }
  const book = new PeerBook({ self, ours, logger })
  const datastore =
    init.datastorePath === undefined ? undefined : new LevelDatastore(init.datastorePath)
  await datastore?.open()
  try {
    const isForeign = book.isForeign.bind(book)
    stack = await createStack({
      ...{ key: init.key, listen, announce, networkId, userAgent: agent },
      ...{ datastore, isForeign }
    })
    return new Libp2pNet({ ...init, listen }, { stack, book, datastore, logger })
  } catch (error) {
    await datastore?.close()
    throw error
  }
}

interface Parts {
  stack: Stack
  book: PeerBook
  datastore: LevelDatastore | undefined
  logger: Logger
}

class Libp2pNet implements Net {
  readonly peerId: string
  readonly peerKey: Uint8Array
  readonly #listen: readonly string[]
  readonly #stack: Stack
  readonly #book: PeerBook
  readonly #datastore: LevelDatastore | undefined
  readonly #logger: Logger
  readonly #directory: Directory
  readonly #bootstrap: Bootstrap
  readonly #channels = new Set<StreamChannel>()
  readonly #stopping = new AbortController()

  constructor(init: NetInit & { listen: string[] }, parts: Parts) {
    const { stack, book, datastore, logger } = parts
    this.peerId = stack.peerId.toString()
    this.peerKey = init.key.publicKey
    this.#listen = init.listen
    this.#stack = stack
    this.#book = book
    this.#datastore = datastore
    this.#logger = logger
    const { signal } = this.#stopping
    this.#directory = new Directory({ stack, book, networkId: init.networkId, logger, signal })
    this.#bootstrap = new Bootstrap({
      addresses: init.bootstrap,
      connect: address => this.#connect(address, {}),
      alone: () => book.alone(),
      logger,
      signal
    })
    stack.addEventListener('connection:open', ({ detail }) => book.opened(detail))
    stack.addEventListener('connection:close', ({ detail }) => book.closed(detail))
    book.onAlone(() => void this.#bootstrap.search())
    this.#register(HELLO_PROTOCOL, (stream, connection) => book.asked(stream, connection), 1)
  }

  async start(): Promise<void> {
    assert(this.#stack.status === 'stopped' && !this.#stopping.signal.aborted, 'started once')
    try {
      await this.#stack.start()
    } catch (error) {
      await this.#datastore?.close()
      throw listenError(this.#listen, error)
    }
    this.#logger.info('net.listening', { peerId: this.peerId, addresses: this.addresses() })
    void this.#bootstrap.search()
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const stopped = new HoldfastError('ABORTED', 'the node is stopping')
    this.#stopping.abort(stopped)
    this.#book.stop()
    for (const channel of this.#channels) channel.abort(stopped)
    try {
      await raceAbort(this.#stopStack(), AbortSignal.timeout(STOP_TIMEOUT_MS))
    } catch (error) {
      this.#logger.debug('net.stop.failed', { reason: messageOf(error) })
    }
    await this.#datastore?.close()
  }

  addresses(): string[] {
    return this.#stack.getMultiaddrs().map(address => address.toString())
  }

  handle(protocol: string, handler: ChannelHandler): void {
    assert(!this.#stack.getProtocols().includes(protocol), `one handler for ${protocol}`)
    this.#register(
      protocol,
      (stream, connection) => this.#serve(protocol, handler, stream, connection),
      PROTOCOL_STREAMS_MAX
    )
  }

  async open(peer: string, protocol: string, options: WaitOptions = {}): Promise<Channel> {
    const peerId = parsePeerId(peer)
    const signal = this.#deadline(options)
    try {
      const known = this.#book.preferred(peer)
      if (known !== undefined) {
        try {
          return await this.#openOn(known, protocol, signal)
        } catch (error) {
          // lost since we looked, most likely: one fresh dial
          if (signal.aborted || known.status === 'open') throw error
        }
      }
      return await this.#openOn(await this.#stack.dial(peerId, { signal }), protocol, signal)
    } catch (error) {
      throw this.#reachError(peer, error, signal)
    }
  }

  async connect(address: string, options: WaitOptions = {}): Promise<string> {
    const peer = peerIn(parseAddress(address))
    if (peer !== undefined) this.#book.forgiveForeign(peer)
    return await this.#connect(address, options)
  }

  announce(topic: string): void {
    this.#directory.announce(topic)
  }

  find(topic: string, options?: WaitOptions): AsyncIterable<PeerInfo> {
    return this.#directory.find(topic, options)
  }

  connected(): ConnectedPeer[] {
    return this.#book.connected()
  }

  onPeer(listener: (peerId: string) => void): () => void {
    return this.#book.onPeer(listener)
  }

  async addAddresses(peerId: string, addresses: string[]): Promise<void> {
    const multiaddrs = addresses.slice(0, ADDRESSES_PER_PEER_MAX).map(parseAddress)
    const known = parsePeerId(peerId)
    if (multiaddrs.length > 0) await this.#stack.peerStore.merge(known, { multiaddrs })
  }

  async disconnect(peerId: string): Promise<void> {
    try {
      await this.#stack.hangUp(parsePeerId(peerId))
    } catch (error) {
      if (HoldfastError.is(error)) throw error
      this.#logger.debug('net.disconnect.failed', { peerId, reason: messageOf(error) })
    }
  }

  async #connect(address: string, options: WaitOptions): Promise<string> {
    const signal = this.#deadline(options)
    try {
      const connection = await this.#stack.dial(parseAddress(address), { signal })
      await raceAbort(this.#book.ready(connection), signal)
      return connection.remotePeer.toString()
    } catch (error) {
      throw this.#reachError(address, error, signal)
    }
  }

  async #openOn(connection: Connection, protocol: string, signal: AbortSignal): Promise<Channel> {
    await raceAbort(this.#book.ready(connection), signal)
    const stream = await connection.newStream(protocol, {
      signal,
      maxOutboundStreams: PROTOCOL_STREAMS_MAX
    })
    return this.#channel(stream, connection)
  }

  #channel(
    stream: Stream,
    connection: Connection,
    onLost?: (error: HoldfastError) => void
  ): StreamChannel {
    const channel = new StreamChannel(stream, remoteOf(connection), onLost)
    this.#channels.add(channel)
    stream.addEventListener('close', () => this.#channels.delete(channel))
    return channel
  }

  /** Registering is immediate; what libp2p does afterwards is note it in its peer store. */
  #register(
    protocol: string,
    handler: (stream: Stream, connection: Connection) => Promise<void>,
    streamsMax: number
  ): void {
    const limits = { maxInboundStreams: streamsMax, maxOutboundStreams: streamsMax }
    this.#stack.handle(protocol, handler, limits).catch((error: unknown) => {
      this.#logger.warn('net.handle.failed', { protocol, reason: messageOf(error) })
    })
  }

  /** Never throws: libp2p has nobody to tell. */
  async #serve(
    protocol: string,
    handler: ChannelHandler,
    stream: Stream,
    connection: Connection
  ): Promise<void> {
    const ended = new AbortController()
    let channel: StreamChannel | undefined
    try {
      await this.#book.ready(connection)
      channel = this.#channel(stream, connection, error => ended.abort(error))
      await handler(channel, AbortSignal.any([ended.signal, this.#stopping.signal]))
      await channel.close()
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      if (channel === undefined) stream.abort(reason)
      else channel.abort(reason)
      const facts = { protocol, peerId: connection.remotePeer.toString(), reason: reason.message }
      const bug = toHoldfastError(error).code === 'INTERNAL'
      this.#logger[bug ? 'error' : 'debug']('net.serve.failed', facts)
    }
  }

  /** libp2p's own stop waits half a second for every connection that the other side is closing too. */
  async #stopStack(): Promise<void> {
    await Promise.all(this.#stack.getConnections().map(closeConnection))
    await this.#stack.stop()
  }

  #deadline(options: WaitOptions): AbortSignal {
    return AbortSignal.any([deadline(options, OPEN_TIMEOUT_MS), this.#stopping.signal])
  }

  #reachError(target: string, error: unknown, signal: AbortSignal): HoldfastError {
    if ((error as { name?: string }).name !== 'DialDeniedError') {
      return reachError(target, error, signal)
    }
    return new HoldfastError('WRONG_NETWORK', `${target} belongs to another network`)
  }
}
