/** Plain copying over TCP, or over TLS on it: both ends. See tcp-peer.ts. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { assert } from '../../src/base/assert.ts'
import { KIB } from '../../src/base/limits.ts'
import { randomBytes } from '../support/bytes.ts'

export const HEADER_BYTES = 9
export const SINK = 1
const SOURCE = 2
/** One write, as large as those of piece-put. */
export const WRITE_BYTES: number = 256 * KIB

const CHUNK = randomBytes(WRITE_BYTES)

/** Writes `bytes` bytes at the pace the other side reads them. */
export async function writeAll(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= WRITE_BYTES) {
    const chunk = left < WRITE_BYTES ? CHUNK.subarray(0, left) : CHUNK
    if (!socket.write(chunk)) await once(socket, 'drain')
  }
}

export type Transport = 'tcp' | 'tls'

/** Moves `bytes` bytes to or from the child at a port. */
export type Move = (transport: Transport, port: number, bytes: number) => Promise<void>

/** Resolves when the peer has said that it has all of them. */
export const sendBytes: Move = async (transport, port, bytes) => {
  const socket = await dial(transport, port, SINK, bytes)
  try {
    await writeAll(socket, bytes)
    await once(socket, 'data')
  } finally {
    socket.destroy()
  }
}

/** Resolves when all have come. */
export const fetchBytes: Move = async (transport, port, bytes) => {
  const socket = await dial(transport, port, SOURCE, bytes)
  let received = 0
  for await (const chunk of socket) received += (chunk as Buffer).length
  assert(received === bytes, `${received} of ${bytes} bytes came`)
}

async function dial(
  transport: Transport,
  port: number,
  mode: number,
  bytes: number
): Promise<Socket> {
  const place = { port, host: '127.0.0.1' }
  // The certificate is the child's own: nobody could vouch for it.
  const socket =
    transport === 'tcp' ? connect(place) : connectTls({ ...place, rejectUnauthorized: false })
  socket.setNoDelay(true)
  await once(socket, transport === 'tcp' ? 'connect' : 'secureConnect')
  const header = Buffer.alloc(HEADER_BYTES)
  header[0] = mode
  header.writeBigUInt64BE(BigInt(bytes), 1)
  socket.write(header)
  return socket
}
