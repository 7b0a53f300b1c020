/**
 * The other end of plain copying over TCP. A connection starts with nine bytes: what to do, and how many bytes (u64).
 * SINK takes them and answers one byte when all have come; SOURCE sends them.
 */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { serveParent } from './messages.ts'
import { HEADER_BYTES, SINK, writeAll } from './tcp-protocol.ts'

async function serve(socket: Socket): Promise<void> {
  let header = Buffer.alloc(0)
  let left = Number.POSITIVE_INFINITY
  for await (const data of socket) {
    const chunk = data as Buffer
    if (header.length < HEADER_BYTES) {
      const need = HEADER_BYTES - header.length
      header = Buffer.concat([header, chunk.subarray(0, need)])
      if (header.length < HEADER_BYTES) continue
      left = Number(header.readBigUInt64BE(1))
      if (header[0] !== SINK) {
        await writeAll(socket, left)
        socket.end()
        return
      }
      left -= Math.max(0, chunk.length - need)
    } else {
      left -= chunk.length
    }
    if (left === 0) socket.end(Buffer.of(1))
  }
}

const server = createServer({ noDelay: true, allowHalfOpen: true }, socket => {
  serve(socket).catch(() => socket.destroy())
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
serveParent(String((server.address() as AddressInfo).port))
