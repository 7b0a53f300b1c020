/**
 * The price that a node sets by itself: within its bounds, in bounded steps, and never down when there is more demand.
 */
import assert from 'node:assert/strict'
import { nextPriceUnits, perMilleOf, type Repricing } from '../../src/market/index.ts'
import { suiteRandom } from '../storage/random.ts'

describe('repricing', () => {
  const random = suiteRandom()
  const base: Repricing = {
    floorUnits: 1_000n,
    ceilingUnits: 5_000n,
    lastUnits: 3_000n,
    utilisationPerMille: 500,
    demandPerMille: 0
  }
  const any = (): Repricing => {
    const [a, b] = [BigInt(random.below(10_000)), BigInt(random.below(10_000))]
    return {
      floorUnits: a < b ? a : b,
      ceilingUnits: a < b ? b : a,
      lastUnits: BigInt(random.below(12_000)),
      utilisationPerMille: random.below(1001),
      demandPerMille: random.below(1001)
    }
  }

  it('rests at the middle of a half full disk', () => {
    assert.equal(nextPriceUnits(base), 3_000n)
  })

  it('goes by at most a twentieth in a step', () => {
    assert.equal(nextPriceUnits({ ...base, utilisationPerMille: 1000 }), 3_150n)
    assert.equal(nextPriceUnits({ ...base, utilisationPerMille: 0 }), 2_850n)
    assert.equal(nextPriceUnits({ ...base, demandPerMille: 1000 }), 3_150n)
    assert.equal(
      nextPriceUnits({ ...base, floorUnits: 0n, lastUnits: 0n }),
      1n,
      'one unit at least'
    )
  })

  it('comes to its target, and stays there', () => {
    let price = 1_000n
    for (let i = 0; i < 60; i++) {
      price = nextPriceUnits({ ...base, lastUnits: price, utilisationPerMille: 900 })
    }
    assert.equal(price, 4_600n)
  })

  it('is monotone, bounded in its step, and between floor and ceiling', () => {
    for (let i = 0; i < 5_000; i++) {
      const now = any()
      const price = nextPriceUnits(now)
      const what = JSON.stringify(now, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v))
      assert.ok(price >= now.floorUnits && price <= now.ceilingUnits, what)
      const inside = now.lastUnits >= now.floorUnits && now.lastUnits <= now.ceilingUnits
      const step = now.lastUnits / 20n > 1n ? now.lastUnits / 20n : 1n
      const moved = price > now.lastUnits ? price - now.lastUnits : now.lastUnits - price
      assert.ok(!inside || moved <= step, what)
      const more: Repricing = {
        floorUnits: now.floorUnits + BigInt(random.below(10)),
        ceilingUnits: now.ceilingUnits + 10n,
        lastUnits: now.lastUnits + BigInt(random.below(50)),
        utilisationPerMille: now.utilisationPerMille + random.below(100),
        demandPerMille: now.demandPerMille + random.below(100)
      }
      assert.ok(nextPriceUnits(more) >= price, what)
    }
  })

  it('counts in per mille, and a store without room as full', () => {
    assert.deepEqual([perMilleOf(1, 3), perMilleOf(9, 3), perMilleOf(0, 0)], [333, 1000, 1000])
    assert.equal(perMilleOf(2 ** 50, 2 ** 50), 1000)
  })
})
