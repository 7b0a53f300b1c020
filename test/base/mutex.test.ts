import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { KeyedMutex } from '../../src/base/mutex.ts'
import { suiteRandom } from '../storage/random.ts'

describe('keyed mutex', () => {
  const random = suiteRandom()

  it('runs the tasks of a key one by one, in order, and keys side by side', async () => {
    const mutex = new KeyedMutex()
    const running = new Map<string, number>()
    const order: Record<string, number[]> = {}
    let atOnce = 0
    let atOnceMax = 0
    const work = Array.from({ length: 60 }, (_, i) => {
      const key = `k${random.below(4)}`
      return mutex.run(key, async () => {
        assert.equal(running.get(key) ?? 0, 0, 'alone on its key')
        running.set(key, 1)
        atOnceMax = Math.max(atOnceMax, ++atOnce)
        for (let turns = random.below(3); turns >= 0; turns--) await turn()
        atOnce--
        running.set(key, 0)
        order[key] = [...(order[key] ?? []), i]
        return i
      })
    })
    assert.deepEqual(
      await Promise.all(work),
      Array.from({ length: 60 }, (_, i) => i)
    )
    for (const done of Object.values(order))
      assert.deepEqual(
        done,
        done.toSorted((a, b) => a - b)
      )
    assert.ok(atOnceMax > 1)
  })

  it('goes on after a task that fails, and only its caller hears of it', async () => {
    const mutex = new KeyedMutex()
    const failing = mutex.run('k', async () => {
      await turn()
      throw new Error('mine')
    })
    const throwing = mutex.run('k', () => {
      throw new Error('at once')
    })
    const next = mutex.run('k', async () => 'fine')
    await assert.rejects(failing, /mine/)
    await assert.rejects(throwing, /at once/)
    assert.equal(await next, 'fine')
  })
})
