/** The parts that let disk, CPU and network overlap: order, bounds, and turns of the event loop. */
import assert from 'node:assert/strict'
import { startAhead } from '../../../src/node/client/ahead.ts'
import { Arenas } from '../../../src/node/client/arenas.ts'
import { SharedMemory } from '../../../src/node/client/shared-memory.ts'
import { TURN_BYTES_MAX, takeTurn } from '../../../src/node/client/turn.ts'
import { suiteRandom } from '../../storage/random.ts'

const BYTES = 1024 * 1024

describe('pipeline', () => {
  const random = suiteRandom()

  describe('work started ahead', () => {
    it('keeps the order, and never runs further ahead than it may', async () => {
      const items = Array.from({ length: 40 }, (_, i) => i)
      let started = 0
      let consumed = 0
      const work = async (item: number): Promise<number> => {
        started++
        assert.ok(started - consumed <= 3 + 1, `${started} started, ${consumed} consumed`)
        for (let turns = random.below(5); turns > 0; turns--) await new Promise(setImmediate)
        return item
      }
      const results: number[] = []
      for await (const result of startAhead(items, 3, work)) {
        results.push(result)
        await new Promise(setImmediate)
        consumed++
      }
      assert.deepEqual(results, items)
    })

    it('ends with the first error in order, and leaves no other unhandled', async () => {
      const failing = async (item: number): Promise<number> => {
        if (item >= 2) throw new Error(`no ${item}`)
        return item
      }
      const results: number[] = []
      await assert.rejects(
        async () => {
          for await (const result of startAhead([0, 1, 2, 3, 4], 3, failing)) results.push(result)
        },
        { message: 'no 2' }
      )
      await new Promise(setImmediate)
      assert.deepEqual(results, [0, 1])
    })
  })

  describe('shared memory', () => {
    it('is used again by who needs about as much', () => {
      const memory = new SharedMemory()
      const first = memory.take(BYTES)
      assert.ok(first.buffer instanceof SharedArrayBuffer && first.length === BYTES)
      memory.give(first)
      assert.notEqual(memory.take(BYTES / 4), first, 'too long for that')
      assert.notEqual(memory.take(BYTES + 1), first, 'too short for that')
      assert.equal(memory.take(BYTES - 1), first)
      assert.notEqual(memory.take(BYTES - 1), first, 'in use')
    })

    it('keeps no more than its bound', () => {
      const memory = new SharedMemory()
      const taken = Array.from({ length: 5 }, () => memory.take(64 * BYTES))
      for (const one of taken) memory.give(one)
      const again = Array.from({ length: 5 }, () => memory.take(64 * BYTES))
      assert.equal(again.filter(one => taken.includes(one)).length, 2)
    })

    it('lets a put have only its arenas', async () => {
      const arenas = new Arenas(new SharedMemory(), 2)
      const first = await arenas.take(BYTES)
      await arenas.take(BYTES)
      const waiting = [arenas.take(BYTES), arenas.take(BYTES)]
      let got = 0
      for (const one of waiting) void one.then(() => got++)
      await new Promise(setImmediate)
      assert.equal(got, 0)
      arenas.give(first)
      assert.equal(await waiting[0], first)
      await new Promise(setImmediate)
      assert.equal(got, 1)
      arenas.give(first)
      assert.equal(await waiting[1], first)
    })
  })

  it('bulk work lets the event loop turn', async () => {
    let turns = 0
    let running = true
    const count = (): void => {
      turns++
      if (running) setImmediate(count)
    }
    setImmediate(count)
    const bulk = async (): Promise<void> => {
      for (let i = 0; i < 10; i++) await takeTurn(TURN_BYTES_MAX / 2)
    }
    await Promise.all([bulk(), bulk(), bulk()])
    running = false
    assert.ok(turns >= 14, `${turns} turns for 15 times the bytes of one`)
    await takeTurn(2 * TURN_BYTES_MAX)
  })
})
