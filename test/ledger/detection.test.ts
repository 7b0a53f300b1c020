import assert from 'node:assert/strict'
import { u64be } from '../../src/base/bytes.ts'
import { domainHash } from '../../src/base/hash.ts'
import { defaultParams } from '../../src/ledger/params.ts'
import { challengeSeed, drawLeaves } from '../../src/proofs/challenge.ts'

const SEEDS = 2_000
/** Nobody is followed for longer: by then nearly all are caught. */
const PERIODS_MAX = 40
const LEAVES = 1_000_000n
const { leavesPerProof: K } = defaultParams()
/** Of an estimate over SEEDS draws with probability p. */
const SIGMAS = 4

/** Which leaves a cheat no longer has: a share of them, at one end or scattered. */
const DROPS: Record<string, (leaf: bigint, share: bigint) => boolean> = {
  'the last leaves': (leaf, share) => leaf >= LEAVES - (LEAVES * share) / 100n,
  'scattered leaves': (leaf, share) => (leaf * 7_919n) % 100n < share
}

/** The first period, from 1 on, whose challenge asks for a missing leaf. */
function caughtIn(seed: number, isDropped: (leaf: bigint) => boolean): number {
  const provider = domainHash('test/detection', u64be(seed))
  for (let period = 1; period <= PERIODS_MAX; period++) {
    const mix = domainHash('test/detection-mix', u64be(seed), u64be(period))
    const drawn = drawLeaves(challengeSeed(mix, BigInt(period), provider), K, LEAVES)
    if (drawn.some(isDropped)) return period
  }
  return PERIODS_MAX + 1
}

describe('detection', function () {
  this.timeout(60_000)

  for (const [what, drop] of Object.entries(DROPS)) {
    for (const percent of [1n, 5n, 20n]) {
      it(`of ${percent} % missing, ${what}: as (1 − e)^K says, over ${SEEDS} seeds`, () => {
        const caught = Array.from({ length: SEEDS }, (_, seed) =>
          caughtIn(seed, leaf => drop(leaf, percent))
        )
        const passes = (1 - Number(percent) / 100) ** K
        for (const periods of [1, 2, 3, 5, 7, 14, 30]) {
          const expected = 1 - passes ** periods
          const seen = caught.filter(period => period <= periods).length / SEEDS
          const sigma = Math.sqrt((expected * (1 - expected)) / SEEDS)
          assert.ok(
            Math.abs(seen - expected) <= SIGMAS * sigma + 1 / SEEDS,
            `${periods} periods: ${seen} were caught, ${expected} expected`
          )
        }
      })
    }
  }

  it('is 21 % a day and 99.9 % a month for one leaf of a hundred, as the documents say', () => {
    const passes = 0.99 ** K
    assert.equal((1 - passes).toFixed(2), '0.21')
    assert.ok(1 - passes ** 30 > 0.999)
    assert.ok(1 - (0.95 ** K) ** 7 > 0.9998)
  })
})
