import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunDaemonInit, runDaemon } from '../../bin/daemon.ts'
import type { ReadyEvent } from '../../bin/daemon-events.ts'
import type { HoldfastNode } from '../../src/index.ts'
import { createControlClient } from '../../src/node/control/client.ts'
import { createHome } from '../../src/node/home.ts'
import { createMemoryApi } from '../node/control/memory-api.ts'

describe('daemon', () => {
  let folder: string
  let home: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-daemon-'))
    home = join(folder, 'node')
    await createHome({ home, genesis: {}, config: { logLevel: 'silent' } })
  })
  afterEach(() => rm(folder, { recursive: true }))

  interface Fake {
    createNode: RunDaemonInit['createNode']
    steps: string[]
  }

  /** A node that does nothing but note what is done to it. */
  function fakeNode(failAt?: string): Fake {
    const steps: string[] = []
    const step = (name: string) => async (): Promise<void> => {
      steps.push(name)
      if (name === failAt) throw new Error(`${name} failed`)
    }
    let listener = (): void => {}
    const { api } = createMemoryApi()
    const node: HoldfastNode = {
      api: { ...api, requestStop: async () => listener() },
      start: step('start'),
      stop: step('stop'),
      whenUsable: step('whenUsable'),
      onStopRequested: stop => {
        listener = stop
      }
    }
    return { steps, createNode: async () => node }
  }

  const start = (fake: Fake, onReady: (event: ReadyEvent) => void): Promise<void> =>
    runDaemon({
      home,
      set: [],
      env: {},
      stopWithParent: false,
      createNode: fake.createNode,
      onReady
    })

  it('serves its home until asked to stop, then cleans up', async () => {
    const fake = fakeNode()
    const ready = Promise.withResolvers<ReadyEvent>()
    const ended = start(fake, ready.resolve)
    const event = await ready.promise
    assert.deepEqual([event.event, event.pid, event.home], ['ready', process.pid, home])
    const client = createControlClient({ home })
    assert.equal((await client.status()).pid, process.pid)
    await client.requestStop()
    await ended
    assert.deepEqual(fake.steps, ['start', 'whenUsable', 'stop'])
    assert.ok(!(await readdir(home)).some(name => name.startsWith('control')))
    await assert.rejects(client.status(), { code: 'NOT_RUNNING' })
    assert.equal(process.listenerCount('SIGTERM'), 0)
  })

  it('takes a new token at every start', async () => {
    const tokens = new Set<string>()
    const { readEndpoint } = await import('../../src/node/control/token.ts')
    for (let i = 0; i < 2; i++) {
      const ready = Promise.withResolvers<ReadyEvent>()
      const ended = start(fakeNode(), ready.resolve)
      await ready.promise
      tokens.add((await readEndpoint(home)).token)
      await createControlClient({ home }).requestStop()
      await ended
    }
    assert.equal(tokens.size, 2)
  })

  it('passes failures on, and stops what had started', async () => {
    const never = (): void => assert.fail('it is not ready')
    const failing = fakeNode('start')
    await assert.rejects(start(failing, never), /start failed/)
    assert.deepEqual(failing.steps, ['start'], 'a start that fails has cleaned up by itself')
    const lonely = fakeNode('whenUsable')
    await assert.rejects(start(lonely, never), /whenUsable failed/)
    assert.deepEqual(lonely.steps, ['start', 'whenUsable', 'stop'])
    assert.ok(!(await readdir(home)).some(name => name.startsWith('control')))
  })
})
