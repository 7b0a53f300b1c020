/**
 * Who we are connected to: runs the hello on every new connection, remembers roles and addresses, closes connections
 * to other networks and the duplicates that simultaneous dials leave behind (js-libp2p #2714).
 */
import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { HoldfastError, messageOf, toHoldfastError } from '../../base/errors.ts'
import type { Logger } from '../../base/ports.ts'
import { textsOf } from './addresses.ts'
import { StreamChannel } from './channel.ts'
import { answerHello, type Hello, sayHello } from './hello.ts'
import {
  CONNECTION_CLOSE_TIMEOUT_MS,
  DUPLICATE_GRACE_MS,
  FOREIGN_PEER_MS,
  FOREIGN_PEERS_MAX,
  HELLO_TIMEOUT_MS
} from './limits.ts'
import { keyOf } from './peer-id.ts'
import { HELLO_PROTOCOL } from './protocols.ts'
import type { ConnectedPeer, RemotePeer } from './types.ts'
import { timeoutError } from './wait.ts'

interface Entry {
  connection: Connection
  /** Settles with the hello of this connection. */
  greeting: PromiseWithResolvers<Hello>
  hello: Hello | undefined
  /** The peer has opened its hello stream. */
  asked: boolean
  timer: NodeJS.Timeout | undefined
}

export class PeerBook {
  readonly #self: string
  readonly #ours: () => Hello
  readonly #logger: Logger
  readonly #entries = new Map<string, Entry>()
  readonly #foreignUntilMs = new Map<string, number>()
  readonly #peerListeners = new Set<(peerId: string) => void>()
  readonly #aloneListeners = new Set<() => void>()
  #stopped = false

  constructor(init: { self: string; ours: () => Hello; logger: Logger }) {
    this.#self = init.self
    this.#ours = init.ours
    this.#logger = init.logger
  }

  onPeer(listener: (peerId: string) => void): () => void {
    this.#peerListeners.add(listener)
    return () => this.#peerListeners.delete(listener)
  }

  /** Called when the last peer is gone. */
  onAlone(listener: () => void): void {
    this.#aloneListeners.add(listener)
  }

  opened(connection: Connection): void {
    const greeting = Promise.withResolvers<Hello>()
    greeting.promise.catch(() => {})
    const entry: Entry = { connection, greeting, hello: undefined, asked: false, timer: undefined }
    this.#entries.set(connection.id, entry)
    if (connection.direction === 'outbound') {
      void this.#greet(entry, () => this.#say(connection))
      return
    }
    const giveUp = (): void => {
      void this.#greet(entry, () => Promise.reject(timeoutError('hello', HELLO_TIMEOUT_MS)))
    }
    entry.timer = setTimeout(giveUp, HELLO_TIMEOUT_MS).unref()
  }

  /** The handler of the hello protocol. */
  async asked(stream: Stream, connection: Connection): Promise<void> {
    const entry = this.#entries.get(connection.id)
    if (entry === undefined || entry.asked || connection.direction === 'outbound') {
      stream.abort(new HoldfastError('PROTOCOL_VIOLATION', 'one hello, from the dialler'))
      return
    }
    entry.asked = true
    clearTimeout(entry.timer)
    await this.#greet(entry, () => answerHello(channelOf(stream, connection), this.#ours()))
  }

  closed(connection: Connection): void {
    const entry = this.#entries.get(connection.id)
    if (entry === undefined) return
    this.#entries.delete(connection.id)
    clearTimeout(entry.timer)
    // a hello under way ends by itself, maybe with what arrived just before
    if (connection.direction === 'inbound' && !entry.asked) entry.greeting.reject(connectionLost())
    const peerId = connection.remotePeer.toString()
    if (this.#entriesOf(peerId).length > 0) return
    if (entry.hello !== undefined && this.alone()) for (const tell of this.#aloneListeners) tell()
  }

  /** Resolves with the hello of a connection. @throws HoldfastError why there is none */
  async ready(connection: Connection): Promise<Hello> {
    const entry = this.#entries.get(connection.id)
    if (entry !== undefined) return await entry.greeting.promise
    throw connectionLost()
  }

  /** The connection both sides agree to use: dialled by the smaller PeerId, then the oldest. */
  preferred(peerId: string): Connection | undefined {
    return this.#ranked(peerId)[0]?.connection
  }

  alone(): boolean {
    for (const entry of this.#entries.values()) if (entry.hello !== undefined) return false
    return true
  }

  connected(): ConnectedPeer[] {
    const peers = new Map<string, ConnectedPeer>()
    for (const { connection, hello } of this.#entries.values()) {
      const peerId = connection.remotePeer.toString()
      if (hello === undefined || peers.has(peerId)) continue
      const { addresses, roles } = hello
      peers.set(peerId, { peerId, addresses: textsOf(addresses, peerId), roles: [...roles] })
    }
    return [...peers.values()]
  }

  isForeign(peerId: PeerId): boolean {
    const untilMs = this.#foreignUntilMs.get(peerId.toString())
    return untilMs !== undefined && untilMs > Date.now()
  }

  /** Somebody asks for this peer by name: try it again. */
  forgiveForeign(peerId: string): void {
    this.#foreignUntilMs.delete(peerId)
  }

  stop(): void {
    this.#stopped = true
    for (const entry of this.#entries.values()) clearTimeout(entry.timer)
  }

  async #say(connection: Connection): Promise<Hello> {
    const stream = await connection.newStream(HELLO_PROTOCOL, {
      signal: AbortSignal.timeout(HELLO_TIMEOUT_MS)
    })
    const channel = channelOf(stream, connection)
    const theirs = await sayHello(channel, this.#ours())
    await channel.close()
    return theirs
  }

  async #greet(entry: Entry, exchange: () => Promise<Hello>): Promise<void> {
    const { connection, greeting } = entry
    const peerId = connection.remotePeer.toString()
    try {
      const hello = await exchange()
      if (this.#entries.get(connection.id) !== entry) throw connectionLost()
      const first = this.#entriesOf(peerId).every(other => other.hello === undefined)
      entry.hello = hello
      greeting.resolve(hello)
      if (first) this.#announcePeer(peerId, hello)
      else this.#dropDuplicatesLater(peerId)
    } catch (error) {
      const known = toHoldfastError(error)
      if (known.code === 'WRONG_NETWORK') this.#markForeign(peerId)
      if (!this.#stopped) {
        this.#logger.debug('net.hello.failed', { peerId, code: known.code, reason: known.message })
      }
      greeting.reject(
        known.code === 'INTERNAL'
          ? new HoldfastError('UNREACHABLE', `no hello: ${known.message}`, { cause: error })
          : known
      )
      await closeConnection(connection)
    }
  }

  #announcePeer(peerId: string, hello: Hello): void {
    this.#logger.debug('net.peer', { peerId, roles: hello.roles, agent: hello.agent })
    for (const tell of this.#peerListeners) {
      try {
        tell(peerId)
      } catch (error) {
        // a listener's bug is not the peer's fault
        this.#logger.error('net.peer.listener', { reason: messageOf(error) })
      }
    }
  }

  #markForeign(peerId: string): void {
    if (this.#foreignUntilMs.size >= FOREIGN_PEERS_MAX) {
      this.#foreignUntilMs.delete(this.#foreignUntilMs.keys().next().value!)
    }
    this.#foreignUntilMs.set(peerId, Date.now() + FOREIGN_PEER_MS)
    this.#logger.info('net.peer.foreign', { peerId })
  }

  #entriesOf(peerId: string): Entry[] {
    return [...this.#entries.values()].filter(
      ({ connection }) => connection.remotePeer.toString() === peerId
    )
  }

  #ranked(peerId: string): Entry[] {
    const ours = this.#self < peerId ? 'outbound' : 'inbound'
    const rank = ({ connection }: Entry): number => (connection.direction === ours ? 0 : 1)
    return this.#entriesOf(peerId)
      .filter(({ connection }) => connection.status === 'open')
      .sort((a, b) => {
        return rank(a) - rank(b) || a.connection.timeline.open - b.connection.timeline.open
      })
  }

  /** One side closes, once no stream is left: open() on either side already prefers the other connection. */
  #dropDuplicatesLater(peerId: string): void {
    if (this.#stopped || this.#self > peerId) return
    setTimeout(() => {
      const spare = this.#ranked(peerId).slice(1)
      for (const { connection } of spare) {
        if (connection.streams.length === 0) void closeConnection(connection)
      }
      if (spare.length > 0) this.#dropDuplicatesLater(peerId)
    }, DUPLICATE_GRACE_MS).unref()
  }
}

export function remoteOf(connection: Connection): RemotePeer {
  return { peerId: connection.remotePeer.toString(), peerKey: keyOf(connection.remotePeer) }
}

/** Closes, and aborts if that fails; libp2p's close may reject with an Event. */
export async function closeConnection(connection: Connection): Promise<void> {
  try {
    await connection.close({ signal: AbortSignal.timeout(CONNECTION_CLOSE_TIMEOUT_MS) })
  } catch {
    connection.abort(new HoldfastError('ABORTED', 'the connection did not close in time'))
  }
}

function connectionLost(): HoldfastError {
  return new HoldfastError('UNREACHABLE', 'the connection was lost', { retryable: true })
}

function channelOf(stream: Stream, connection: Connection): StreamChannel {
  return new StreamChannel(stream, remoteOf(connection))
}
