import assert from 'node:assert/strict'
import { HoldfastError } from '../../../src/base/errors.ts'
import { WorkerPool } from '../../../src/node/workers/pool.ts'

type Job = { value: number; action: 'answer' | 'fail' | 'die' }

function createPool(workersMax = 2): WorkerPool<Job, number> {
  return new WorkerPool({ url: new URL('./echo-worker.ts', import.meta.url), workersMax })
}

describe('worker pool', () => {
  it('answers each job with its own result, however many wait', async () => {
    const pool = createPool()
    const jobs = Array.from({ length: 40 }, (_, value) => pool.run({ value, action: 'answer' }))
    assert.deepEqual(
      await Promise.all(jobs),
      jobs.map((_, value) => value * 2)
    )
    await pool.close()
  })

  it('brings an error back with its code, and goes on', async () => {
    const pool = createPool(1)
    await assert.rejects(pool.run({ value: 7, action: 'fail' }), error => {
      return HoldfastError.is(error, 'RANGE_INVALID') && error.message === 'no 7'
    })
    assert.equal(await pool.run({ value: 8, action: 'answer' }), 16)
    await pool.close()
  })

  it('fails the job of a worker that dies, and replaces the worker', async () => {
    const pool = createPool(1)
    const dying = pool.run({ value: 1, action: 'die' })
    const next = pool.run({ value: 2, action: 'answer' })
    await assert.rejects(dying, error => HoldfastError.is(error, 'INTERNAL'))
    assert.equal(await next, 4)
    await pool.close()
  })

  it('fails what is not done when it closes, and takes nothing afterwards', async () => {
    const pool = createPool(1)
    const waiting = [1, 2, 3].map(value => pool.run({ value, action: 'answer' }))
    const settled = Promise.allSettled(waiting)
    await pool.close()
    for (const result of await settled) {
      if (result.status === 'rejected') assert.ok(HoldfastError.is(result.reason, 'ABORTED'))
    }
    await assert.rejects(pool.run({ value: 1, action: 'answer' }), error =>
      HoldfastError.is(error, 'ABORTED')
    )
  })
})
