/** The owner's policy: every rule excludes what it names, and a refusal says which rule excluded how many. */
import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/base/errors.ts'
import { GIB } from '../../src/base/limits.ts'
import { UNITS_MAX } from '../../src/base/money.ts'
import {
  type Ask,
  type Candidate,
  OPEN_POLICY,
  readUnitsMax,
  type SelectionPolicy,
  selectProviders
} from '../../src/market/index.ts'
import { suiteRandom } from '../storage/random.ts'
import { candidateOf } from './support.ts'

const policy: SelectionPolicy = {
  ...OPEN_POLICY,
  dealPeriods: 50,
  pieceBytes: GIB,
  pieceBytesMin: 1000,
  pieceBytesMax: 1000,
  unitsPerPeriodMax: UNITS_MAX
}

const peers = (candidates: readonly Candidate[]): string =>
  candidates.map(({ peerId }) => peerId).join('')

function refusal(candidates: readonly Candidate[], count: number, wishes: SelectionPolicy) {
  try {
    selectProviders(candidates, count, wishes)
  } catch (error) {
    assert.ok(HoldfastError.is(error), String(error))
    return error
  }
  return assert.fail('nothing was refused')
}

describe('client policy', () => {
  const random = suiteRandom()

  it('excludes by each rule, and counts them', () => {
    const bad: [rule: string, changes: Partial<Candidate & Ask>][] = [
      ['duration', { dealPeriodsMin: 51 }],
      ['duration', { dealPeriodsMax: 49 }],
      ['size', { pieceBytesMin: 1001 }],
      ['size', { pieceBytesMax: 999 }],
      ['space', { freeBytes: BigInt(GIB) - 1n }],
      ['price', { priceUnitsPerGiBPeriod: 2_000_001n }],
      ['egress', { egressUnitsPerGiB: 3_000_001n }],
      ['region', { region: 'eu-west' }],
      ['region', { region: '' }],
      ['reputation', { quality: 299 }]
    ]
    const strict: SelectionPolicy = {
      ...policy,
      priceUnitsPerGiBPeriodMax: 2_000_000n,
      egressUnitsPerGiBMax: 3_000_000n,
      regionsAllowed: ['eu', 'eu-west'],
      regionsDenied: ['eu-west'],
      reputationMin: 300
    }
    const good = { region: 'eu', egressUnitsPerGiB: 3_000_000n, quality: 300 }
    const candidates = bad.map(([, changes], i) => candidateOf(`p${i}`, { ...good, ...changes }))
    const error = refusal([candidateOf('good', good), ...random.shuffled(candidates)], 2, strict)
    assert.equal(error.code, 'TOO_FEW_PROVIDERS')
    const { excluded, rejected } = error.details as {
      excluded: unknown
      rejected: { peerId: string; rule: string }[]
    }
    assert.deepEqual(excluded, [
      { rule: 'duration', providers: 2 },
      { rule: 'region', providers: 2 },
      { rule: 'size', providers: 2 },
      { rule: 'egress', providers: 1 },
      { rule: 'price', providers: 1 },
      { rule: 'reputation', providers: 1 },
      { rule: 'space', providers: 1 }
    ])
    for (const { peerId, rule } of rejected) assert.equal(rule, bad[Number(peerId.slice(1))]![0])
    assert.match(error.message, /1 of 11 known .* duration 2, region 2, size 2/)
  })

  it('lists a bounded number of those it left out', () => {
    const many = Array.from({ length: 1000 }, (_, i) => candidateOf(`p${i}`, { freeBytes: 0n }))
    const { details } = refusal(many, 1, policy)
    assert.equal((details as { rejected: unknown[] }).rejected.length, 200)
    assert.deepEqual(details['excluded'], [{ rule: 'space', providers: 1000 }])
  })

  it('gives no operator more than its share, however cheap it is', () => {
    const big = Array.from({ length: 8 }, (_, i) =>
      candidateOf(`a${i}`, { operator: 'big', priceUnitsPerGiBPeriod: 1n, quality: 1000 })
    )
    const rest = Array.from({ length: 6 }, (_, i) => candidateOf(`z${i}`, { operator: `op${i}` }))
    const of = (share: number): number => {
      const wishes = { ...policy, operatorSharePerMilleMax: share }
      const { chosen } = selectProviders([...big, ...rest], 8, wishes)
      return chosen.filter(({ ask }) => ask.operator === 'big').length
    }
    assert.deepEqual([of(250), of(374), of(375)], [2, 2, 3])
    const error = refusal([...big, ...rest.slice(0, 2)], 8, {
      ...policy,
      operatorSharePerMilleMax: 1
    })
    assert.deepEqual(error.details['excluded'], [{ rule: 'operator', providers: 7 }])
    const unnamed = Array.from({ length: 8 }, (_, i) => candidateOf(`u${i}`, { operator: '' }))
    const { chosen } = selectProviders(unnamed, 8, { ...policy, operatorSharePerMilleMax: 1 })
    assert.equal(chosen.length, 8, 'no name is not a common name')
  })

  it('stays within the budgets by taking the cheapest, or refuses', () => {
    const candidates = [
      candidateOf('a', { priceUnitsPerGiBPeriod: 30n, quality: 1000 }),
      candidateOf('b', { priceUnitsPerGiBPeriod: 25n, quality: 900 }),
      candidateOf('c', { priceUnitsPerGiBPeriod: 20n, quality: 1 }),
      candidateOf('d', { priceUnitsPerGiBPeriod: 22n, quality: 1 })
    ]
    const chosen = (changes: Partial<SelectionPolicy>): string =>
      peers(selectProviders(candidates, 2, { ...policy, ...changes }).chosen)
    assert.equal(chosen({}), 'ba')
    assert.equal(chosen({ unitsPerPeriodMax: 55n }), 'ba')
    assert.equal(chosen({ unitsPerPeriodMax: 54n }), 'cd')
    assert.equal(chosen({ unitsPerPutMax: 50n * 42n }), 'cd')
    const over = refusal(candidates, 2, { ...policy, unitsPerPutMax: 50n * 42n - 1n })
    assert.equal(over.code, 'BUDGET_EXCEEDED')
    assert.deepEqual(over.details, { budget: 'put', costUnits: '2100', limitUnits: '2099' })
    const period = refusal(candidates, 2, { ...policy, unitsPerPeriodMax: 41n })
    assert.deepEqual(period.details, { budget: 'period', costUnits: '42', limitUnits: '41' })
  })

  it('never breaks a rule, whatever it is offered', () => {
    for (let i = 0; i < 200; i++) {
      const wishes: SelectionPolicy = {
        ...policy,
        operatorSharePerMilleMax: 1 + random.below(1000),
        regionsDenied: random.below(2) === 0 ? ['us'] : [],
        reputationMin: random.below(600),
        unitsPerPeriodMax: BigInt(random.below(300))
      }
      const offered = Array.from({ length: 20 }, (_, n) =>
        candidateOf(`p${n}`, {
          operator: ['', 'a', 'b', 'c'][random.below(4)]!,
          region: ['eu', 'us'][random.below(2)]!,
          quality: random.below(1001),
          priceUnitsPerGiBPeriod: BigInt(random.below(60))
        })
      )
      const count = 1 + random.below(8)
      let selected: Candidate[]
      try {
        selected = selectProviders(offered, count, wishes).chosen
      } catch (error) {
        assert.ok(HoldfastError.is(error), String(error))
        continue
      }
      assert.equal(selected.length, count)
      const cost = selected.reduce((sum, { ask }) => sum + ask.priceUnitsPerGiBPeriod, 0n)
      assert.ok(cost <= wishes.unitsPerPeriodMax)
      for (const { ask, quality } of selected) {
        assert.ok(quality >= wishes.reputationMin && !wishes.regionsDenied.includes(ask.region))
        const same = selected.filter(other => other.ask.operator === ask.operator).length
        const most = Math.max(1, Math.floor((count * wishes.operatorSharePerMilleMax) / 1000))
        assert.ok(ask.operator === '' || same <= most)
      }
    }
  })

  it('prices a read at its dearest', () => {
    const candidates = [1n, 5n, 3n].map((egressUnitsPerGiB, i) =>
      candidateOf(`p${i}`, { egressUnitsPerGiB })
    )
    assert.equal(readUnitsMax(candidates, 2, GIB), 8n)
    assert.equal(readUnitsMax(candidates, 2, 1), 2n, 'rounded up at each provider')
  })
})
