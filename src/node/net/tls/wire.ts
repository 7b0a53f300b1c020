/**
 * What TLS runs on. The connections of @libp2p/tcp keep their net.Socket in a field `socket` that TypeScript calls
 * private: given that socket, Node's TLS reads and writes the kernel's handle without passing through JavaScript, at
 * three times the speed. Any other connection is turned into a Duplex.
 */
import { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { MessageStream, StreamMessageEvent } from '@libp2p/interface'
import { concat } from '../../../base/bytes.ts'
import { HoldfastError } from '../../../base/errors.ts'

/**
 * The live socket below a connection, taken over: the connection receives nothing from it any more. Undefined when
 * there is none, or when the connection still holds bytes that the socket would overtake.
 */
export async function takeSocket(connection: MessageStream): Promise<Socket | undefined> {
  const { socket } = connection as { socket?: unknown }
  if (!(socket instanceof Socket) || socket.readyState !== 'open') return undefined
  if (connection.writeBufferLength > 0) return undefined
  socket.pause()
  socket.removeAllListeners('data')
  if (connection.readBufferLength > 0) {
    // the peer sent its first TLS bytes right behind the negotiation; TLS starts with what the socket has buffered
    socket.unshift(await receivedBy(connection))
  }
  return socket
}

/** libp2p hands over what it has received in a microtask after the first listener came. */
function receivedBy(connection: MessageStream): Promise<Uint8Array> {
  return new Promise(resolve => {
    const take = (event: StreamMessageEvent): void => resolve(concat(...partsOf(event)))
    connection.addEventListener('message', take, { once: true })
  })
}

/** A Duplex over any connection, with backpressure both ways. Ending it closes the connection. */
export function duplexOf(connection: MessageStream): Duplex {
  const close = connection.close.bind(connection)
  let paused = false
  /** Never inside the dispatch of resume(), which would undo it. */
  const pauseIfFull = (): void => {
    if (paused || duplex.readableLength < duplex.readableHighWaterMark) return
    if (connection.status !== 'open') return
    paused = true
    connection.pause()
  }
  const duplex = new Duplex({
    allowHalfOpen: false,
    read: () => {
      if (!paused || connection.status !== 'open') return
      paused = false
      connection.resume()
    },
    write: (chunk: Uint8Array, _encoding, done) => send(connection, chunk, done),
    final: done => {
      close().then(() => done(), done)
    },
    destroy: (error, done) => {
      if (connection.status === 'open') connection.abort(error ?? ended())
      done(error)
    }
  })
  connection.addEventListener('message', event => {
    for (const part of partsOf(event)) duplex.push(part)
    queueMicrotask(pauseIfFull)
  })
  connection.addEventListener('close', ({ error }) => {
    if (error === undefined) duplex.push(null)
    else duplex.destroy(error)
  })
  return duplex
}

function send(
  connection: MessageStream,
  bytes: Uint8Array,
  done: (error?: Error | null) => void
): void {
  try {
    if (connection.send(bytes)) {
      done()
      return
    }
  } catch (error) {
    done(error as Error)
    return
  }
  const settle = (error?: Error): void => {
    connection.removeEventListener('drain', onDrain)
    connection.removeEventListener('close', onClose)
    done(error)
  }
  const onDrain = (): void => settle()
  const onClose = (): void => settle(ended())
  connection.addEventListener('drain', onDrain)
  connection.addEventListener('close', onClose)
}

function partsOf({ data }: StreamMessageEvent): Iterable<Uint8Array> {
  return data instanceof Uint8Array ? [data] : data
}

function ended(): HoldfastError {
  return new HoldfastError('UNREACHABLE', 'the connection ended', { retryable: true })
}
