import assert from 'node:assert/strict'
import { median, quantile, rounded, spreadOf } from '../../bench/statistics.ts'
import { suiteNumbers } from './random.ts'

describe('bench/statistics', () => {
  const numbers = suiteNumbers()

  it('has the median of odd and even counts', () => {
    assert.equal(median([3]), 3)
    assert.equal(median([9, 1, 5]), 5)
    assert.equal(median([4, 1, 3, 2]), 2.5)
    assert.throws(() => median([]), { name: 'AssertionError' })
  })

  it('interpolates quantiles between the closest ranks', () => {
    const values = [10, 20, 30, 40, 50]
    assert.deepEqual(
      [0, 0.25, 0.3, 0.75, 1].map(fraction => quantile(values, fraction)),
      [10, 20, 22, 40, 50]
    )
  })

  it('does not depend on the order, and scales with the values', () => {
    for (let i = 0; i < 100; i++) {
      const values = Array.from({ length: 1 + numbers().below(12) }, () => 1 + numbers().next())
      const shuffled = numbers().shuffled(values)
      assert.equal(median(shuffled), median(values))
      assert.equal(spreadOf(shuffled), spreadOf(values))
      const scaled = values.map(value => value * 1024)
      assert.ok(Math.abs(spreadOf(scaled) - spreadOf(values)) < 1e-12)
      assert.equal(median(scaled), median(values) * 1024)
    }
  })

  it('has a spread that one outlier of five cannot move', () => {
    assert.equal(spreadOf([100, 100, 100, 100]), 0)
    assert.equal(spreadOf([90, 95, 100, 105, 110]), 0.1)
    assert.equal(spreadOf([100, 100, 100, 100, 1e9]), 0)
  })

  it('rounds to four digits', () => {
    assert.deepEqual([1234.56, 0.123456, 12, 0].map(rounded), [1235, 0.1235, 12, 0])
  })
})
