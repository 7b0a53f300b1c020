/**
 * Four cores, one of them Byzantine, under random schedules: messages in any order, lost and twice, timers at any
 * moment, restarts from what was durable. Safety is asserted all along, liveness after everything is delivered.
 */
import assert from 'node:assert/strict'
import { itRandom } from '../../proofs/random.ts'
import { runSchedule } from './schedule.ts'

const SCHEDULES = 300

describe('consensus core under random schedules', () => {
  itRandom('agrees, never contradicts itself, and decides once messages arrive', random => {
    let accused = 0
    for (let i = 0; i < SCHEDULES; i++) {
      const outcome = runSchedule(random.int(2 ** 32))
      assert.deepEqual(outcome.problems, [], `schedule seed ${outcome.seed}`)
      if (outcome.isByzantineAccused) accused++
    }
    assert.ok(accused > 0, 'the Byzantine validator was caught')
  })
})
