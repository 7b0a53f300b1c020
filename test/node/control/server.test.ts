import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { silentLogger } from '../../../src/base/ports.ts'
import { startControlServer } from '../../../src/node/control/server.ts'
import { tokensEqual } from '../../../src/node/control/token.ts'
import { raw, type Served, serveMemory } from './served.ts'

describe('control server', () => {
  let served: Served
  beforeEach(async () => {
    served = await serveMemory()
  })
  afterEach(() => served.close())

  async function refused(request: Parameters<typeof raw>[1], status: number, code: string) {
    const answer = await raw(served, request)
    assert.equal(answer.status, status, answer.text)
    const { error } = JSON.parse(answer.text) as { error: { code: string; message: string } }
    assert.equal(error.code, code)
    assert.ok(!answer.text.includes('    at '), 'no stack trace')
    return error
  }

  it('needs the token', async () => {
    for (const authorization of [
      '',
      'Bearer',
      'Bearer wrong',
      `Basic ${served.token}`,
      'Bearer é'
    ]) {
      await refused({ path: '/v1/status', headers: { authorization } }, 401, 'UNAUTHORIZED')
    }
    assert.deepEqual(served.memory.calls, [])
  })

  it('refuses a Host that is not loopback, whatever the token', async () => {
    const { port } = served.server
    for (const host of ['evil.example', `evil.example:${port}`, `127.0.0.1:${port + 1}`]) {
      await refused({ path: '/v1/status', headers: { host } }, 401, 'UNAUTHORIZED')
    }
    const answer = await raw(served, {
      path: '/v1/status',
      headers: { host: `localhost:${port}` }
    })
    assert.equal(answer.status, 200)
  })

  it('refuses what is not a method', async () => {
    for (const path of [
      '/',
      '/v1/',
      '/v1/nothing',
      '/v1/constructor',
      '/v2/status',
      '/v1/status/x'
    ]) {
      await refused({ path }, 400, 'INVALID_ARGUMENT')
    }
    await refused({ path: '/v1/status', verb: 'GET' }, 400, 'INVALID_ARGUMENT')
    await refused({ path: '/v1/get?path=/x' }, 400, 'INVALID_ARGUMENT')
  })

  it('refuses malformed and misshapen parameters', async () => {
    const bodies = [
      '{',
      '[]',
      '"x"',
      '{"path":1}',
      '{"path":"/x","more":1}',
      '{"path":"x"}',
      '\xff'
    ]
    for (const body of bodies) {
      await refused({ path: '/v1/remove', body }, 400, 'INVALID_ARGUMENT')
    }
    await refused(
      { path: '/v1/walletSend', body: '{"to":"x","units":"-5"}' },
      400,
      'INVALID_ARGUMENT'
    )
    await refused({ path: '/v1/ledgerBlock', body: '{"height":1.5}' }, 400, 'INVALID_ARGUMENT')
    await refused(
      { path: '/v1/quote', body: '{"bytes":1,"profile":"9/4"}' },
      400,
      'PROFILE_IMPOSSIBLE'
    )
    assert.deepEqual(served.memory.calls, [])
  })

  it('refuses an oversize request without reading it to the end', async () => {
    await refused({ path: '/v1/stat', body: Buffer.alloc(1 << 20, 0x20) }, 413, 'FRAME_TOO_LARGE')
  })

  it('answers a bug in the daemon as INTERNAL without its stack', async () => {
    const { message } = await refused({ path: '/v1/peers', body: '{}' }, 500, 'INTERNAL')
    assert.equal(message, 'a bug in the daemon')
  })

  it('refuses bad transfers before it begins them', async () => {
    const { memory } = served
    await refused({ path: '/v1/put', body: 'x' }, 400, 'INVALID_ARGUMENT')
    await refused({ path: '/v1/put?path=/x&profile=4/2', body: 'x' }, 400, 'PROFILE_IMPOSSIBLE')
    await refused({ path: '/v1/put?path=/x&bytes=-1', body: 'x' }, 400, 'INVALID_ARGUMENT')
    await refused({ verb: 'GET', path: '/v1/get?path=/nothing' }, 404, 'NOT_FOUND')
    memory.objects.set('/x', Buffer.from('abc'))
    await refused({ verb: 'GET', path: '/v1/get?path=/x&first=2&last=1' }, 416, 'RANGE_INVALID')
    await refused({ verb: 'GET', path: '/v1/get?path=/x&first=2' }, 416, 'RANGE_INVALID')
  })

  it('breaks the connection of a failing get for a client that takes no trailers', async () => {
    const { memory } = served
    memory.objects.set('/x', Buffer.alloc(50_000))
    memory.failGetAfterBytes = 20_000
    await assert.rejects(raw(served, { verb: 'GET', path: '/v1/get?path=/x' }))
    const answer = await raw(served, {
      verb: 'GET',
      path: '/v1/get?path=/x',
      headers: { te: 'trailers' }
    })
    assert.equal(answer.text.length, 20_000)
    assert.ok(answer.trailers['holdfast-error'] !== undefined)
    assert.equal(answer.trailers['holdfast-result'], undefined)
  })

  it('stores nothing of a body that ends too early', async () => {
    const { memory, server, token } = served
    const socket = connect(server.port, '127.0.0.1')
    socket.write(
      `POST /v1/put?path=/half HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n` +
        `authorization: Bearer ${token}\r\ncontent-length: 1000\r\n\r\n${'x'.repeat(500)}`
    )
    const begun = Promise.withResolvers<void>()
    memory.holdPuts = begun.promise
    while (memory.putBytesSeen() < 500) await new Promise(setImmediate)
    socket.end()
    begun.resolve()
    assert.equal(((await memory.putEnded) as { code?: string }).code, 'ABORTED')
    assert.equal(memory.objects.size, 0)
    socket.destroy()
  })

  it('says which port is taken', async () => {
    const { server, memory, token } = served
    const init = { api: memory.api, token, port: server.port, log: silentLogger }
    await assert.rejects(startControlServer(init), { code: 'PORT_IN_USE' })
  })

  it('compares tokens of any length', () => {
    assert.ok(tokensEqual('abc', 'abc'))
    assert.ok(!tokensEqual('abc', 'abd'))
    assert.ok(!tokensEqual('abc', 'abcd'))
    assert.ok(!tokensEqual('', 'a'))
  })
})
