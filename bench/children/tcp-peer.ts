/**
 * The other end of plain copying over TCP, or with the argument `tls` over Node's TLS. A connection starts with nine
 * bytes: what to do, and how many bytes (u64). SINK takes them and answers one byte when all have come; SOURCE sends
 * them.
 */

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import process from 'node:process'
import { createServer as createTlsServer } from 'node:tls'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { makeCertificate } from '../../src/node/net/tls/certificate.ts'
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

function accept(socket: Socket): void {
  socket.on('error', () => socket.destroy())
  serve(socket).catch(() => socket.destroy())
}

async function certificate(): Promise<{ key: string; cert: string }> {
  const owner = await generateKeyPair('Ed25519')
  const { keyPem, certPem } = await makeCertificate(owner, Date.now())
  return { key: keyPem, cert: certPem }
}

const options = { noDelay: true, allowHalfOpen: true }
const server =
  process.argv[2] === 'tls'
    ? createTlsServer({ ...options, ...(await certificate()) }, accept)
    : createServer(options, accept)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
serveParent(String((server.address() as AddressInfo).port))
