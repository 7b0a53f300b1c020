import assert from 'node:assert/strict'
import { postHeight, proofHeight } from '../../../src/node/provider/schedule.ts'
import { suiteRandom } from '../../storage/random.ts'

describe('schedule', () => {
  const random = suiteRandom()

  it('proves in the first half of a period, after the block that seeds it', () => {
    for (let heights = 2; heights < 120; heights++) {
      const period = BigInt(1 + random.below(1000))
      const first = period * BigInt(heights)
      for (let i = 0; i < 5; i++) {
        const at = proofHeight(random.bytes(32), period, heights)
        assert.ok(at > first && at < first + BigInt(heights), `${at} of ${heights}`)
        assert.ok(at <= first + 1n + BigInt(heights) / 2n, `${at} of ${heights}`)
      }
    }
  })

  it('posts revisions in the last third, early enough for the next period', () => {
    for (let heights = 2; heights < 120; heights++) {
      const period = BigInt(random.below(1000))
      const next = (period + 1n) * BigInt(heights)
      for (let i = 0; i < 5; i++) {
        const at = postHeight(random.bytes(32), period, heights)
        // sent at `at`, it is in the block after: that one has to belong to this period
        assert.ok(at + 1n < next, `${at} of ${next}`)
        assert.ok(at >= period * BigInt(heights), `${at} is before the period`)
        assert.ok(at >= next - BigInt(Math.max(2, Math.ceil(heights / 3))), `${at} of ${heights}`)
      }
    }
  })

  it('is the same for everybody who computes it, and spread over accounts and periods', () => {
    const account = random.bytes(32)
    assert.equal(proofHeight(account, 7n, 100), proofHeight(account, 7n, 100))
    const offsets = (heightOf: typeof proofHeight): number => {
      const found = Array.from({ length: 200 }, (_, i) => heightOf(random.bytes(32), BigInt(i), 90))
      return new Set(found.map(height => height % 90n)).size
    }
    assert.ok(offsets(proofHeight) > 30)
    assert.ok(offsets(postHeight) > 15)
    const periods = Array.from({ length: 50 }, (_, i) => proofHeight(account, BigInt(i), 90) % 90n)
    assert.ok(new Set(periods).size > 15, 'not always at the same place')
  })
})
