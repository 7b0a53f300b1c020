/** Two ends of one TCP connection as libp2p sees them, without libp2p around: what an encrypter is given. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type {
  ConnectionEncrypter,
  Logger,
  MessageStream,
  MultiaddrConnection,
  PrivateKey
} from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { nativeTls } from '../../../src/node/net/tls/encrypter.ts'

const quietLog: Logger = Object.assign(() => {}, {
  enabled: false,
  error: () => {},
  trace: () => {},
  newScope: () => quietLog
})

export const quietLogger = { forComponent: (): Logger => quietLog }

/** The components stock encrypters ask for; no muxer is negotiated early. */
export function componentsOf(privateKey: PrivateKey): never {
  const upgrader = { getStreamMuxers: () => new Map() }
  return { privateKey, logger: quietLogger, upgrader } as never
}

export interface Identity {
  key: PrivateKey
  tls: ConnectionEncrypter
}

export async function identity(): Promise<Identity> {
  const key = await generateKeyPair('Ed25519')
  return { key, tls: nativeTls()(componentsOf(key)) }
}

export const idOf = ({ key }: Identity): ReturnType<typeof peerIdFromPrivateKey> =>
  peerIdFromPrivateKey(key)

export interface TestWires {
  /** Dialler and listener, both through @libp2p/tcp. */
  pair(): Promise<[MultiaddrConnection, MultiaddrConnection]>
  /** Our end as libp2p sees it, the other one a bare socket. */
  bare(direction: 'inbound' | 'outbound'): Promise<[MultiaddrConnection, Socket]>
  /** As `pair`, through a relay that hands every chunk to `alter`: the bytes to pass on. */
  relayed(alter: Alter): Promise<[MultiaddrConnection, MultiaddrConnection]>
  /** Everything made here is torn down. */
  close(): Promise<void>
}

/** @param inject sends bytes to one side that nobody sent */
export type Alter = (
  bytes: Buffer,
  toServer: boolean,
  inject: (bytes: Uint8Array) => void
) => Uint8Array

/** Wires that are torn down together. */
export function testWires(): TestWires {
  const cleanups: (() => unknown)[] = []
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket.on('error', () => {}))
    return socket
  }
  const transport = tcp()({ logger: quietLogger })

  async function listen(): Promise<{ port: number; accepted: Promise<MultiaddrConnection> }> {
    const { promise: accepted, resolve } = Promise.withResolvers<MultiaddrConnection>()
    const upgrader = { upgradeInbound: async (wire: MultiaddrConnection) => resolve(wire) }
    const listener = transport.createListener({ upgrader } as never)
    await listener.listen(multiaddr('/ip4/127.0.0.1/tcp/0'))
    cleanups.push(() => listener.close())
    const [address] = listener.getAddrs()
    return { port: Number(address!.toString().split('/')[4]), accepted }
  }

  async function dial(port: number): Promise<MultiaddrConnection> {
    const upgrader = { upgradeOutbound: async (wire: unknown) => wire }
    const signal = new AbortController().signal
    const wire = await transport.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`), {
      upgrader,
      signal
    } as never)
    const connection = wire as unknown as MultiaddrConnection
    cleanups.push(() => connection.abort(new Error('the test is over')))
    return connection
  }

  async function serve(onSocket: (socket: Socket) => void): Promise<number> {
    const server = createServer(socket => onSocket(keep(socket))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => server.close())
    return (server.address() as { port: number }).port
  }

  return {
    pair: async () => {
      const { port, accepted } = await listen()
      return [await dial(port), await accepted]
    },
    bare: async direction => {
      if (direction === 'inbound') {
        const { port, accepted } = await listen()
        const socket = keep(connect(port, '127.0.0.1'))
        return [await accepted, socket]
      }
      const { promise, resolve } = Promise.withResolvers<Socket>()
      const port = await serve(resolve)
      return [await dial(port), await promise]
    },
    relayed: async alter => {
      const { port, accepted } = await listen()
      const relay = await serve(near => relayTo(near, keep(connect(port, '127.0.0.1')), alter))
      return [await dial(relay), await accepted]
    },
    close: async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    }
  }
}

function relayTo(near: Socket, far: Socket, alter: Alter): void {
  const pass = (from: Socket, to: Socket, toServer: boolean): void => {
    from.on('data', bytes => to.write(alter(bytes, toServer, extra => void to.write(extra))))
    from.on('close', () => to.destroy())
  }
  pass(near, far, true)
  pass(far, near, false)
}

/** Sends all of it, never more than the stream wants, and reports how much waited at most. */
export async function sendAll(
  stream: MessageStream,
  bytes: Uint8Array,
  pieceBytes: number
): Promise<number> {
  let waitingMax = 0
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const wantsMore = stream.send(bytes.subarray(at, at + pieceBytes))
    waitingMax = Math.max(waitingMax, stream.writeBufferLength)
    if (!wantsMore) await once(stream, 'drain')
  }
  return waitingMax
}

/** Resolves with the first `length` bytes a stream receives from now on. */
export function receive(stream: MessageStream, length: number): Promise<Uint8Array> {
  const received = new Uint8Array(length)
  let filled = 0
  return new Promise((resolve, reject) => {
    stream.addEventListener('message', ({ data }) => {
      received.set(data.subarray(), filled)
      filled += data.byteLength
      if (filled === length) resolve(received)
    })
    stream.addEventListener('close', ({ error }) => {
      reject(error ?? new Error(`closed after ${filled} of ${length} bytes`))
    })
  })
}
