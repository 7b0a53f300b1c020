/**
 * Reputation: what raises it costs time and money, what others say changes nothing, and own experience outweighs the
 * ledger. The seeded market at the end shows what liars get out of it.
 */
import assert from 'node:assert/strict'
import { defaultParams } from '../../src/ledger/index.ts'
import {
  type LedgerFacts,
  ledgerScore,
  type Measurements,
  NO_MEASUREMENTS,
  REPUTATION_MAX,
  reputationOf,
  selfDealingCost
} from '../../src/market/index.ts'
import { suiteRandom } from '../storage/random.ts'

const newcomer: LedgerFacts = {
  agePeriods: 0,
  provenPeriods: 0,
  missedPeriods: 0,
  abandonedDeals: 0
}
const old: LedgerFacts = { ...newcomer, agePeriods: 1000, provenPeriods: 1000 }
const good: Measurements = { served: 100, failed: 0, bytesPerSecond: 4 << 20, latencyMs: 20 }

describe('reputation', () => {
  const random = suiteRandom()

  it('begins in the middle', () => {
    assert.equal(reputationOf(newcomer, NO_MEASUREMENTS), 500)
    assert.equal(reputationOf({ ...newcomer, agePeriods: 10_000 }, NO_MEASUREMENTS), 500, 'idle')
  })

  it('rises with proven periods, and falls with missed and abandoned ones', () => {
    const score = (changes: Partial<LedgerFacts>): number =>
      Math.round(ledgerScore({ ...old, ...changes }))
    assert.equal(score({}), 972)
    assert.equal(score({ agePeriods: 60 }), 750)
    assert.equal(score({ missedPeriods: 1 }), 968)
    assert.equal(score({ abandonedDeals: 1 }), 486)
    assert.equal(Math.round(ledgerScore({ ...newcomer, missedPeriods: 2 })), 250)
  })

  it('is monotone in each fact and within its bounds', () => {
    for (let i = 0; i < 3_000; i++) {
      const facts = {
        agePeriods: random.below(2_000),
        provenPeriods: random.below(2_000),
        missedPeriods: random.below(100),
        abandonedDeals: random.below(3)
      }
      const own = {
        served: random.below(100),
        failed: random.below(50),
        bytesPerSecond: random.below(1 << 26),
        latencyMs: random.below(5_000)
      }
      const score = reputationOf(facts, own)
      const what = JSON.stringify({ facts, own })
      assert.ok(score >= 1 && score <= REPUTATION_MAX && Number.isInteger(score), what)
      const better = { ...facts, provenPeriods: facts.provenPeriods + random.below(100) }
      const worse = { ...facts, missedPeriods: facts.missedPeriods + random.below(9) }
      assert.ok(reputationOf(better, own) >= score, what)
      assert.ok(reputationOf(worse, own) <= score, what)
      assert.ok(reputationOf({ ...facts, abandonedDeals: 3 }, own) <= score, what)
      const slower = { ...own, latencyMs: Math.max(1, own.latencyMs) * 2 }
      if (own.latencyMs > 0) assert.ok(reputationOf(facts, slower) <= score, what)
    }
  })

  it('believes its own eyes more than the ledger', () => {
    const failing = { ...NO_MEASUREMENTS, failed: 3 }
    assert.ok(reputationOf(old, failing) < 620, `${reputationOf(old, failing)}`)
    assert.ok(reputationOf(old, { ...failing, failed: 10 }) < reputationOf(newcomer, good))
    const spoiled = { ...newcomer, abandonedDeals: 5 }
    assert.ok(reputationOf(spoiled, good) > reputationOf(spoiled, NO_MEASUREMENTS))
  })

  it('costs a self-dealer the same time as an honest one, and the fees of its proofs', () => {
    const { feeBaseUnits, feePerKiBUnits, periodHeights, blockIntervalMs } = defaultParams()
    // a proof of 24 leaves has some 40 KiB
    const fees = {
      openUnits: 10n * feeBaseUnits,
      provePeriodUnits: feeBaseUnits + 40n * feePerKiBUnits
    }
    const at900 = selfDealingCost(900, fees)!
    const days = (at900.periods * periodHeights * blockIntervalMs) / 86_400_000
    assert.deepEqual([at900.periods, days], [240, 240])
    assert.equal(at900.units, 10_000n + 60n * 41_000n)
    const bought = { ...newcomer, agePeriods: 240, provenPeriods: 60 }
    assert.equal(Math.round(ledgerScore(bought)), 900)
    assert.equal(selfDealingCost(500, fees)!.units, 0n)
    assert.equal(selfDealingCost(1000, fees), undefined, 'no time is enough')
    // many deals with oneself in one period are one proven period
    assert.equal(ledgerScore({ ...bought, provenPeriods: 60 }), ledgerScore(bought))
  })

  it('gives liars what their service is worth, whoever praises them', () => {
    // 40 providers, 12 of them collude: they deal with one another for 240 periods and then serve one read in four
    const providers = Array.from({ length: 40 }, (_, i) => ({
      liar: i < 12,
      facts: { ...newcomer, agePeriods: 240, provenPeriods: i < 12 ? 240 : 200 },
      own: { ...NO_MEASUREMENTS }
    }))
    let first = 0
    let last = 0
    const rounds = 600
    for (let round = 0; round < rounds; round++) {
      const ranked = providers
        .map(provider => ({ provider, score: reputationOf(provider.facts, provider.own) }))
        .sort((a, b) => b.score - a.score || random.below(3) - 1)
      for (const { provider } of ranked.slice(0, 8)) {
        if (provider.liar && round < 100) first++
        if (provider.liar && round >= rounds - 100) last++
        const isServed = provider.liar ? random.below(4) === 0 : random.below(100) > 0
        if (isServed) provider.own.served++
        else provider.own.failed++
      }
    }
    assert.ok(first <= 100, `liars held ${first} of the first 800 places`)
    assert.ok(last <= 40, `and ${last} of the last 800, though they are 30 % of all`)
  })
})
