import assert from 'node:assert/strict'
import { HoldfastError } from '../../../src/base/errors.ts'
import { WorkerPool } from '../../../src/node/workers/pool.ts'
import type { EchoTasks } from './echo-worker.ts'

function createPool(workersMax = 2): WorkerPool<EchoTasks> {
  return new WorkerPool({ url: new URL('./echo-worker.ts', import.meta.url), workersMax })
}

describe('worker pool', () => {
  it('answers each job with its own result, however many wait', async () => {
    const pool = createPool()
    const jobs = Array.from({ length: 40 }, (_, value) => pool.run('double', value))
    assert.deepEqual(
      await Promise.all(jobs),
      jobs.map((_, value) => value * 2)
    )
    await pool.close()
  })

  it('brings memory over, whichever worker made it', async () => {
    const pool = createPool()
    const made = await Promise.all(
      [1, 2, 3, 4].map(value => pool.run('fill', { value, bytes: 100_000 }))
    )
    for (const [i, { bytes }] of made.entries()) {
      assert.equal(bytes.length, 100_000)
      assert.ok(bytes.every(byte => byte === i + 1))
    }
    await pool.close()
  })

  it('brings an error back with its code, and goes on', async () => {
    const pool = createPool(1)
    await assert.rejects(pool.run('fail', 7), error => {
      return HoldfastError.is(error, 'RANGE_INVALID') && error.message === 'no 7'
    })
    assert.equal(await pool.run('double', 8), 16)
    await pool.close()
  })

  it('fails the job of a worker that dies, and replaces the worker', async () => {
    const pool = createPool(1)
    const dying = pool.run('die', undefined)
    const next = pool.run('double', 2)
    await assert.rejects(dying, error => HoldfastError.is(error, 'INTERNAL'))
    assert.equal(await next, 4)
    await pool.close()
  })

  it('fails what is not done when it closes, and takes nothing afterwards', async () => {
    const pool = createPool(1)
    const waiting = [1, 2, 3].map(value => pool.run('double', value))
    const settled = Promise.allSettled(waiting)
    await pool.close()
    for (const result of await settled) {
      if (result.status === 'rejected') assert.ok(HoldfastError.is(result.reason, 'ABORTED'))
    }
    await assert.rejects(pool.run('double', 1), error => HoldfastError.is(error, 'ABORTED'))
  })
})
