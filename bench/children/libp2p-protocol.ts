/**
 * A libp2p node as its documentation makes one: TCP, one of the published encrypters, yamux, every option left alone.
 * A transfer is a stream that starts with its length and ends with one byte from the other side.
 */
import { noise } from '@chainsafe/libp2p-noise'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { u64be } from '../../src/base/bytes.ts'
import { randomBytes } from '../support/bytes.ts'
import { WRITE_BYTES } from './tcp-protocol.ts'

export const STOCK_PROTOCOL = '/holdfast-bench/stock/1.0.0'
export type StockEncrypter = 'noise' | 'tls'

const CHUNK = randomBytes(WRITE_BYTES)

export async function createStockNode(encrypter: StockEncrypter): Promise<Libp2p> {
  return await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [encrypter === 'noise' ? noise() : tls()],
    streamMuxers: [yamux()]
  })
}

export async function dialStock(node: Libp2p, address: string): Promise<Connection> {
  return await node.dial(multiaddr(address))
}

/** Resolves when the peer has said that it has all of them. */
export async function sendOverStock(connection: Connection, bytes: number): Promise<void> {
  const stream = await connection.newStream(STOCK_PROTOCOL)
  const answered = next(stream, 'message')
  await send(stream, u64be(bytes))
  for (let left = bytes; left > 0; left -= WRITE_BYTES) {
    await send(stream, left < WRITE_BYTES ? CHUNK.subarray(0, left) : CHUNK)
  }
  await answered
  await stream.close()
}

/** By the event: stream.onDrain() of libp2p 3.3 waits once and never again. */
async function send(stream: Stream, bytes: Uint8Array): Promise<void> {
  if (!stream.send(bytes)) await next(stream, 'drain')
}

function next(stream: Stream, event: 'message' | 'drain'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  stream.addEventListener(event, () => resolve(), { once: true })
  stream.addEventListener('close', () => reject(new Error('the stream was closed')), { once: true })
  return promise
}

/** Takes what a stream sends, and answers when it is all there. */
export function receive(stream: Stream): void {
  const header: number[] = []
  let left = Number.POSITIVE_INFINITY
  stream.addEventListener('message', ({ data }) => {
    const bytes = data.subarray()
    let at = 0
    while (header.length < 8 && at < bytes.length) header.push(bytes[at++]!)
    if (header.length < 8) return
    if (left === Number.POSITIVE_INFINITY) left = Number(Buffer.from(header).readBigUInt64BE())
    left -= bytes.length - at
    if (left === 0) stream.send(Uint8Array.of(1))
  })
}
