/**
 * A control server over the memory API with a home that points to it, and raw requests for what no client would send.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../../../src/base/ports.ts'
import { createControlClient } from '../../../src/node/control/client.ts'
import { type ControlServer, startControlServer } from '../../../src/node/control/server.ts'
import { createToken, publishEndpoint } from '../../../src/node/control/token.ts'
import type { ControlApi } from '../../../src/node/control/types.ts'
import { homePaths } from '../../../src/node/home-files.ts'
import { createMemoryApi, type MemoryApi } from './memory-api.ts'

export interface Served {
  memory: MemoryApi
  server: ControlServer
  home: string
  token: string
  client: ControlApi
  close(): Promise<void>
}

export async function serveMemory(): Promise<Served> {
  const memory = createMemoryApi()
  const token = createToken()
  const init = { api: memory.api, token, port: 0, log: silentLogger, drainMs: 100 }
  const server = await startControlServer(init)
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-control-'))
  const home = join(folder, 'home')
  await mkdir(home)
  await publishEndpoint(homePaths(home), { port: server.port, pid: process.pid, token })
  return {
    memory,
    server,
    home,
    token,
    client: createControlClient({ home }),
    close: async () => {
      await server.stop()
      await rm(folder, { recursive: true })
    }
  }
}

export interface RawAnswer {
  status: number
  text: string
  trailers: NodeJS.Dict<string>
}

export interface RawRequest {
  verb?: string
  path: string
  headers?: OutgoingHttpHeaders
  body?: string | Buffer
}

/** Sends exactly this; authorised unless the headers say otherwise. */
export function raw({ server, token }: Served, request: RawRequest): Promise<RawAnswer> {
  const { verb = 'POST', path, headers, body = '' } = request
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>()
  const outgoing = httpRequest({
    host: '127.0.0.1',
    port: server.port,
    method: verb,
    path,
    agent: false,
    headers: { authorization: `Bearer ${token}`, ...headers }
  })
  outgoing.on('error', reject)
  outgoing.on('response', response => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('error', reject)
    response.on('end', () =>
      resolve({
        status: response.statusCode ?? 0,
        text: Buffer.concat(chunks).toString('utf8'),
        trailers: response.trailers
      })
    )
  })
  outgoing.end(body)
  return promise
}
