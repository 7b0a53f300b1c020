import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { HoldfastError } from '../../../src/base/errors.ts'
import { createControlClient } from '../../../src/node/control/client.ts'
import { publishEndpoint } from '../../../src/node/control/token.ts'
import { homePaths } from '../../../src/node/home-files.ts'
import { type Served, serveMemory } from './served.ts'

describe('control client', () => {
  let served: Served
  beforeEach(async () => {
    served = await serveMemory()
  })
  afterEach(() => served.close())

  async function* inChunks(bytes: Uint8Array, size = 100_000): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }

  async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    for await (const chunk of body) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  it('calls every method with its arguments, money as bigint on both sides', async () => {
    const { client, memory } = served
    await client.list('/a', true)
    assert.deepEqual(await client.walletSend('hf1y', 5n), {
      tx: 'aa',
      height: 1,
      to: 'hf1y',
      units: 5n
    })
    assert.equal((await client.walletBalance()).available, 10n ** 18n)
    assert.equal((await client.ask({ priceUnitsPerGiBPeriod: 5n })).priceUnitsPerGiBPeriod, 5n)
    await client.ask()
    assert.equal((await client.quote({ bytes: 1, profile: '4/8', periods: 2 })).costUnits, 7n)
    await client.ledgerBlock(3)
    await client.remove('/x')
    await client.stat('/x')
    await client.status()
    await client.requestStop()
    assert.deepEqual(memory.calls, [
      ['list', '/a', true],
      ['walletSend', 'hf1y', 5n],
      ['walletBalance'],
      ['ask', { priceUnitsPerGiBPeriod: 5n }],
      ['ask'],
      ['quote', { bytes: 1, profile: '4/8', periods: 2 }],
      ['ledgerBlock', 3],
      ['remove', '/x'],
      ['stat', '/x'],
      ['status'],
      ['requestStop']
    ])
  })

  it('puts and gets the same bytes, whole and in part, with progress', async () => {
    const { client, memory } = served
    for (const size of [0, 1, 65_536, 3_000_001]) {
      const bytes = randomBytes(size)
      const path = `/t/naïve ${size} #?&%.bin`
      let durable = 0
      const onProgress = (progress: { durableBytes: number }): void => {
        durable = progress.durableBytes
      }
      const source = inChunks(bytes)
      const result = await client.put({ path, source, bytes: size, profile: '4/10', onProgress })
      assert.deepEqual([result.path, result.bytes, result.profile], [path, size, '4/10'])
      assert.ok(size === 0 || durable > 0)
      assert.ok(memory.objects.get(path)?.equals(bytes))
      const handle = await client.get({ path })
      assert.equal(handle.bytes, size)
      assert.ok((await readAll(handle.body)).equals(bytes))
      assert.equal(handle.failed()[0]?.reason, 'wrong bytes: naïve ☃')
    }
    const part = await client.get({ path: '/t/naïve 65536 #?&%.bin', range: { first: 5, last: 9 } })
    assert.equal((await readAll(part.body)).length, 5)
  })

  it('hands over the daemon’s refusal while the source still waits', async () => {
    const { client, memory } = served
    memory.objects.set('/x', Buffer.from('old'))
    let asked = false
    async function* never(): AsyncGenerator<Uint8Array> {
      asked = true
      await new Promise(() => {})
      yield new Uint8Array(1)
    }
    await assert.rejects(client.put({ path: '/x', source: never() }), {
      code: 'ALREADY_EXISTS',
      hint: 'use --force'
    })
    assert.equal(asked, false, 'the body was not even begun')
    await client.put({ path: '/x', source: inChunks(Buffer.from('new')), force: true })
    assert.equal(memory.objects.get('/x')?.toString(), 'new')
  })

  it('reads the source no faster than the daemon takes it', async () => {
    const { client, memory } = served
    const hold = Promise.withResolvers<void>()
    memory.holdPuts = hold.promise
    let read = 0
    async function* large(): AsyncGenerator<Uint8Array> {
      for (; read < 64 << 20; read += 1 << 20) yield Buffer.alloc(1 << 20)
    }
    const result = client.put({ path: '/large', source: large() })
    let stalledTurns = 0
    for (let before = -1; stalledTurns < 200; before = read) {
      await new Promise(setImmediate)
      stalledTurns = read > 0 && read === before ? stalledTurns + 1 : 0
    }
    assert.ok(read < 48 << 20, `${read} bytes were read ahead`)
    hold.resolve()
    assert.equal((await result).bytes, 64 << 20)
  })

  it('stores nothing when the source fails, and says why', async () => {
    const { client, memory } = served
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(200_000)
      throw new HoldfastError('SOURCE_CHANGED', 'the file changed')
    }
    await assert.rejects(client.put({ path: '/x', source: failing() }), { code: 'SOURCE_CHANGED' })
    assert.equal(((await memory.putEnded) as { code?: string }).code, 'ABORTED')
    assert.equal(memory.objects.size, 0)
  })

  it('stores nothing when the length is not the announced one', async () => {
    const { client, memory } = served
    for (const bytes of [9, 11]) {
      const source = inChunks(Buffer.alloc(10))
      await assert.rejects(client.put({ path: '/x', source, bytes }), { code: 'SOURCE_CHANGED' })
    }
    assert.equal(memory.objects.size, 0)
  })

  it('cancels a put and a get by signal', async () => {
    const { client, memory } = served
    const abort = new AbortController()
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let i = 0; ; i++) {
        if (i === 3) abort.abort()
        yield Buffer.alloc(100_000)
      }
    }
    const { signal } = abort
    await assert.rejects(client.put({ path: '/x', source: endless(), signal }), { code: 'ABORTED' })
    assert.equal(((await memory.putEnded) as { code?: string }).code, 'ABORTED')
    assert.equal(memory.objects.size, 0)

    memory.objects.set('/y', Buffer.alloc(20_000_000))
    const cancel = new AbortController()
    const handle = await client.get({ path: '/y', signal: cancel.signal })
    await assert.rejects(
      async () => {
        for await (const _chunk of handle.body) cancel.abort()
      },
      { code: 'ABORTED' }
    )
  })

  it('never takes half a body for a whole one', async () => {
    const { client, memory } = served
    memory.objects.set('/x', randomBytes(100_000))
    memory.failGetAfterBytes = 50_000
    const handle = await client.get({ path: '/x' })
    await assert.rejects(readAll(handle.body), {
      code: 'UNRECOVERABLE',
      message: 'only 3 of 4 pieces',
      hint: 'wait'
    })
  })

  it('says when no daemon runs, when it is gone, and when the token is another one', async () => {
    const { home, server, token } = served
    const elsewhere = join(home, 'nothing')
    await assert.rejects(createControlClient({ home: elsewhere }).status(), (error: unknown) => {
      assert.ok(HoldfastError.is(error, 'NOT_RUNNING'))
      assert.match(error.hint ?? '', /holdfast init/)
      return true
    })
    await mkdir(elsewhere)
    const paths = homePaths(elsewhere)
    await writeFile(paths.config, '{}')
    const client = createControlClient({ home: elsewhere })
    await assert.rejects(client.status(), { code: 'NOT_RUNNING', hint: /holdfast start/ })

    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await new Promise(resolve => other.close(resolve))
    await publishEndpoint(paths, { port, pid: process.pid, token })
    await assert.rejects(client.status(), { code: 'NOT_RUNNING' })
    await assert.rejects(client.put({ path: '/x', source: inChunks(Buffer.alloc(1)) }), {
      code: 'NOT_RUNNING'
    })

    await publishEndpoint(paths, { port: server.port, pid: 2 ** 22 + 1, token })
    await assert.rejects(client.status(), { code: 'NOT_RUNNING' })
    await publishEndpoint(paths, { port: server.port, pid: process.pid, token: 'stale' })
    await assert.rejects(client.status(), { code: 'UNAUTHORIZED' })
  })

  it('says when the daemon breaks off', async () => {
    const { home } = served
    const rude = createServer(socket => {
      socket.once('data', () => {
        socket.end(
          'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nholdfast-bytes: 9\r\n\r\n3\r\nabc\r\n'
        )
      })
    }).listen(0, '127.0.0.1')
    await once(rude, 'listening')
    const { port } = rude.address() as { port: number }
    await publishEndpoint(homePaths(home), { port, pid: process.pid, token: 'x' })
    const client = createControlClient({ home })
    await assert.rejects(client.status(), { code: 'NOT_RUNNING', message: /broke off/ })
    const handle = await client.get({ path: '/x' })
    await assert.rejects(readAll(handle.body), { code: 'NOT_RUNNING' })
    await new Promise(resolve => rude.close(resolve))
  })

  it('stops within its drain time even with a put under way', async () => {
    const { client, memory, server } = served
    const result = client.put({
      path: '/x',
      source: (async function* () {
        yield Buffer.alloc(10)
        await new Promise(() => {})
      })()
    })
    const failed = assert.rejects(result, HoldfastError)
    while (memory.putBytesSeen() === 0) await new Promise(setImmediate)
    await server.stop()
    await failed
    assert.equal(memory.objects.size, 0)
  })
})
