/** The simulator of churn agrees with the model on a few small sets; `npm run sim -- durability` runs all of them. */
import assert from 'node:assert/strict'
import { predicted, simulateChurn } from './durability.ts'
import { errorOf, RATIO_MAX, rowOf } from './durability-run.ts'
import { SETS } from './durability-sets.ts'

const seed = process.env['HOLDFAST_TEST_SEED'] ?? '1'

describe('churn', function () {
  this.timeout(60_000)

  it('loses what the model predicts, within a factor of two', () => {
    for (const [i, set] of SETS.entries()) {
      if (![0, 2, 4, 6, 9, 11, 13].includes(i)) continue
      const row = rowOf(set, seed)
      assert.ok(row.losses >= 100, `${row.losses} losses say little`)
      assert.ok(errorOf(row) <= RATIO_MAX, `seed ${seed}: ${JSON.stringify(row)}`)
    }
  })

  it('is the same for the same seed, and another for another', () => {
    const set = { ...SETS[6]!, years: 2, objects: 300, nodes: 300 }
    assert.deepEqual(simulateChurn(set, seed), simulateChurn(set, seed))
    assert.notDeepEqual(simulateChurn(set, seed), simulateChurn(set, `${seed}/other`))
  })

  it('sees what the model does not: without repair nothing stays', () => {
    const never = { ...SETS[3]!, rebuildDays: 1e9, years: 3, objects: 200 }
    const { losses } = simulateChurn(never, seed)
    assert.ok(losses > 100, `${losses}`)
    assert.ok(predicted(SETS[3]!).lossPerYear < 0.02)
  })

  it('has twenty sets', () => {
    assert.equal(SETS.length, 20)
  })
})
