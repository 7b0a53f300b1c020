import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { concat, toHex, u64be } from '../../src/base/bytes.ts'
import { challengeSeed, drawLeaves } from '../../src/proofs/challenge.ts'
import { itRandom } from './random.ts'

describe('challenge', () => {
  itRandom('the seed depends on mix, period and provider', random => {
    const [mix, provider] = [random.bytes(32), random.bytes(32)]
    const seeds = [
      challengeSeed(mix, 7n, provider),
      challengeSeed(mix, 8n, provider),
      challengeSeed(provider, 7n, mix),
      challengeSeed(mix, 7n, random.bytes(32))
    ]
    assert.equal(new Set(seeds.map(toHex)).size, 4)
    assert.deepEqual(seeds[0], challengeSeed(mix, 7n, provider))
    assert.throws(() => challengeSeed(mix.subarray(1), 7n, provider), /32/)
    assert.throws(() => challengeSeed(mix, 7n, provider.subarray(1)), /32/)
  })

  itRandom('draws are below the total and repeat for the same seed', random => {
    for (const total of [1n, 2n, 3n, 1000n, 2n ** 40n, 2n ** 63n + 1n, 2n ** 64n - 1n]) {
      const seed = random.bytes(32)
      const drawn = drawLeaves(seed, 24, total)
      assert.equal(drawn.length, 24)
      assert.ok(drawn.every(leaf => leaf >= 0n && leaf < total))
      assert.deepEqual(drawn, drawLeaves(seed, 24, total))
      assert.deepEqual(drawLeaves(seed, 5, total), drawn.slice(0, 5))
    }
  })

  it('nothing to draw, nothing drawn', () => {
    const seed = new Uint8Array(32)
    assert.deepEqual(drawLeaves(seed, 24, 0n), [])
    assert.deepEqual(drawLeaves(seed, 0, 10n), [])
    assert.throws(() => drawLeaves(seed, -1, 10n), /count/)
    assert.throws(() => drawLeaves(seed, 1, 2n ** 64n), /u64/)
    assert.throws(() => drawLeaves(seed.subarray(1), 1, 1n), /32/)
  })

  it('rejects heads above the greatest multiple instead of folding them', () => {
    // With this total every head but those below it must be rejected: about every second attempt.
    const total = 2n ** 63n + 1n
    const seed = new Uint8Array(32).fill(9)
    const expected = Array.from({ length: 20 }, (_, draw) => {
      for (let attempt = 0; ; attempt++) {
        const input = concat(seed, u64be(draw), u64be(attempt))
        const head = createHash('sha256').update(input).digest().readBigUInt64BE()
        if (head < total) return { head, attempt }
      }
    })
    assert.ok(expected.some(({ attempt }) => attempt > 0))
    assert.deepEqual(
      drawLeaves(seed, 20, total),
      expected.map(({ head }) => head)
    )
  })

  it('is uniform: 20000 draws over 16 leaves pass a chi-square test', () => {
    const counts = new Array<number>(16).fill(0)
    for (const leaf of drawLeaves(new Uint8Array(32).fill(3), 20_000, 16n)) counts[Number(leaf)]!++
    const expected = 20_000 / 16
    const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    // 15 degrees of freedom: 37.7 is the 0.1 % point. The seed is fixed, so this never flickers.
    assert.ok(chi < 37.7, `chi-square ${chi}`)
  })
})
