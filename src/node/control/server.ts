/**
 * The control API: HTTP/1.1 on loopback. Every request needs the bearer token of the home, and a Host header that names
 * loopback, so that no web page can reach it through a rebound name. One method per route, `POST /v1/<method>` with
 * JSON; bodies of objects stream through `POST /v1/put` and `GET /v1/get`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { HoldfastError, messageOf, toHoldfastError } from '../../base/errors.ts'
import type { Logger } from '../../base/ports.ts'
import { callMethod } from './methods.ts'
import { tokensEqual } from './token.ts'
import { type Exchange, serveGet, servePut } from './transfer.ts'
import type { ControlApi } from './types.ts'
import { API_PREFIX, encodeJson, LOOPBACK, REQUEST_BYTES_MAX, statusOf } from './wire.ts'

export interface ControlServerInit {
  api: ControlApi
  token: string
  /** 0 takes a free port. */
  port: number
  log: Logger
  /** Requests under way when the server stops have this long to end by themselves. @default 2000 */
  drainMs?: number
}

export interface ControlServer {
  readonly port: number
  /** Takes no new requests, gives those under way a moment to end, then aborts them. */
  stop(): Promise<void>
}

const DRAIN_MS_DEFAULT = 2_000
const HEADERS_TIMEOUT_MS = 10_000
const JSON_BODY_TIMEOUT_MS = 30_000
/** Body that nobody wants any more is read and dropped this long, so that the client sees the answer. */
const LINGER_MS = 5_000

interface Context extends ControlServerInit {
  hosts: ReadonlySet<string>
  stopping: AbortController
}

/** @throws HoldfastError PORT_IN_USE */
export async function startControlServer(init: ControlServerInit): Promise<ControlServer> {
  const server = createServer()
  server.headersTimeout = HEADERS_TIMEOUT_MS
  server.requestTimeout = 0 // a put takes as long as it takes; JSON bodies have their own deadline
  const port = await listen(server, init.port)
  const hosts = new Set([LOOPBACK, 'localhost', '[::1]'].map(name => `${name}:${port}`))
  const context: Context = { ...init, hosts, stopping: new AbortController() }
  const serve =
    (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) =>
      void handle(context, request, response, expectsContinue)
  server.on('request', serve(false))
  server.on('checkContinue', serve(true))
  return { port, stop: () => stop(server, context) }
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', cause => {
      const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
      reject(
        new HoldfastError(
          taken ? 'PORT_IN_USE' : 'CONFIG_INVALID',
          `the control API cannot listen on ${LOOPBACK}:${port}: ${cause.message}`,
          { cause, hint: 'set controlPort to 0 to take a free port' }
        )
      )
    })
    server.listen(port, LOOPBACK, resolve)
  })
  return (server.address() as AddressInfo).port
}

async function stop(server: Server, context: Context): Promise<void> {
  const closed = new Promise(resolve => server.close(resolve))
  server.closeIdleConnections()
  const timer = setTimeout(() => {
    context.stopping.abort(new HoldfastError('ABORTED', 'the daemon is stopping'))
    setImmediate(() => server.closeAllConnections())
  }, context.drainMs ?? DRAIN_MS_DEFAULT)
  await closed
  clearTimeout(timer)
}

/** Never rejects: every failure becomes an answer, or a broken connection once the answer has begun. */
async function handle(
  context: Context,
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean
): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => {
    if (!response.writableFinished) gone.abort(new HoldfastError('ABORTED', 'the client went away'))
  })
  response.on('error', () => {}) // writing to a connection that broke: 'close' follows
  try {
    checkCaller(context, request)
    const { method, query } = route(request)
    const signal = AbortSignal.any([gone.signal, context.stopping.signal])
    const { api } = context
    const exchange: Exchange = { api, request, response, query, expectsContinue, signal }
    if (method === 'put') await servePut(exchange)
    else if (method === 'get') await serveGet(exchange)
    else await serveMethod(exchange, method)
  } catch (error) {
    sendError(context, response, error)
  }
  dropRestOf(request)
}

/** @throws HoldfastError UNAUTHORIZED */
function checkCaller({ hosts, token }: Context, { headers }: IncomingMessage): void {
  if (!hosts.has(headers.host ?? '')) {
    throw new HoldfastError('UNAUTHORIZED', 'the Host header does not name this daemon')
  }
  const given = /^Bearer ([\w-]{1,128})$/.exec(headers.authorization ?? '')?.[1]
  if (given === undefined || !tokensEqual(given, token)) {
    throw new HoldfastError('UNAUTHORIZED', 'the control token is missing or wrong', {
      hint: 'use the home of the running daemon; its token is in control.token'
    })
  }
}

/** @throws HoldfastError INVALID_ARGUMENT */
function route(request: IncomingMessage): { method: string; query: URLSearchParams } {
  let url: URL
  try {
    url = new URL(`http://${LOOPBACK}${request.url}`)
  } catch (cause) {
    throw new HoldfastError('INVALID_ARGUMENT', 'the request has no valid target', { cause })
  }
  const method = url.pathname.startsWith(API_PREFIX) ? url.pathname.slice(API_PREFIX.length) : ''
  if (request.method !== (method === 'get' ? 'GET' : 'POST')) {
    throw new HoldfastError('INVALID_ARGUMENT', `${request.method} is not how this is called`)
  }
  return { method, query: url.searchParams }
}

async function serveMethod(exchange: Exchange, method: string): Promise<void> {
  const { api, response } = exchange
  const result = await callMethod(api, method, await readParams(exchange))
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(encodeJson({ result: result ?? null }))
}

/** @throws HoldfastError FRAME_TOO_LARGE | TIMEOUT | INVALID_ARGUMENT */
async function readParams({ request, response, expectsContinue }: Exchange): Promise<unknown> {
  if (expectsContinue) response.writeContinue()
  const timer = setTimeout(() => request.destroy(), JSON_BODY_TIMEOUT_MS)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length
      if (bytes > REQUEST_BYTES_MAX) {
        throw new HoldfastError(
          'FRAME_TOO_LARGE',
          `a request has ${REQUEST_BYTES_MAX} bytes at most`
        )
      }
      chunks.push(chunk as Buffer)
    }
  } finally {
    clearTimeout(timer)
  }
  try {
    return bytes === 0 ? {} : (JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown)
  } catch (cause) {
    throw new HoldfastError('INVALID_ARGUMENT', `the request is not JSON: ${messageOf(cause)}`, {
      cause
    })
  }
}

function sendError({ log }: Context, response: ServerResponse, thrown: unknown): void {
  const error = toHoldfastError(thrown)
  if (error.code === 'INTERNAL') log.error('control.failed', { error })
  if (response.destroyed || response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(statusOf(error.code), { 'content-type': 'application/json' })
  response.end(encodeJson({ error }))
}

/** A connection closed with unread input resets, and the reset can overtake the answer. */
function dropRestOf(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  const timer = setTimeout(() => request.destroy(), LINGER_MS)
  timer.unref()
  request.once('close', () => clearTimeout(timer))
  request.resume()
}
