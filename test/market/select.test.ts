/** Who gets the pieces: price, quality, room and diversity, the same on every machine. */
import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/base/errors.ts'
import { GIB } from '../../src/base/limits.ts'
import { UNITS_MAX } from '../../src/base/money.ts'
import {
  type Candidate,
  OPEN_POLICY,
  openingEscrowUnits,
  quoteStorage,
  type SelectionPolicy,
  selectProviders,
  storageUnits
} from '../../src/market/index.ts'
import { suiteRandom } from '../storage/random.ts'
import { candidateOf } from './support.ts'

const policy: SelectionPolicy = {
  ...OPEN_POLICY,
  priceUnitsPerGiBPeriodMax: 2_000_000n,
  dealPeriods: 50,
  pieceBytes: 1000,
  pieceBytesMin: 1000,
  pieceBytesMax: 1000,
  unitsPerPeriodMax: UNITS_MAX
}

const peers = (candidates: readonly Candidate[]): string =>
  candidates.map(({ peerId }) => peerId).join('')

describe('selection', () => {
  const random = suiteRandom()

  it('prefers cheap and proven ones, half and half', () => {
    const candidates = [
      candidateOf('a', { priceUnitsPerGiBPeriod: 2_000_000n, quality: 500 }),
      candidateOf('b', { priceUnitsPerGiBPeriod: 1_000_000n, quality: 500 }),
      candidateOf('c', { priceUnitsPerGiBPeriod: 2_000_000n, quality: 1000 }),
      candidateOf('d', { priceUnitsPerGiBPeriod: 1_000_000n, quality: 900 })
    ]
    const { chosen, spares, rejected } = selectProviders(candidates, 2, policy)
    assert.deepEqual([peers(chosen), peers(spares), rejected], ['db', 'ca', []])
  })

  it('leaves out who cannot, and says why', () => {
    const candidates = [
      candidateOf('a', { priceUnitsPerGiBPeriod: 2_000_001n }),
      candidateOf('b', { dealPeriodsMax: 49 }),
      candidateOf('c', { pieceBytesMax: 999 }),
      candidateOf('d', { freeBytes: 999n }),
      candidateOf('e', { quality: 0 }),
      candidateOf('f', {
        priceUnitsPerGiBPeriod: 2_000_000n,
        dealPeriodsMax: 50,
        pieceBytesMax: 1000,
        freeBytes: 1000n,
        quality: 1
      })
    ]
    const { chosen, rejected } = selectProviders(candidates, 1, policy)
    assert.equal(peers(chosen), 'f')
    assert.deepEqual(rejected, [
      { peerId: 'a', rule: 'price', reason: 'price above the limit' },
      { peerId: 'b', rule: 'duration', reason: 'does not take deals that long' },
      { peerId: 'c', rule: 'size', reason: 'does not take pieces that large' },
      { peerId: 'd', rule: 'space', reason: 'not enough free space' },
      { peerId: 'e', rule: 'reputation', reason: 'reputation below the limit' }
    ])
  })

  it('fails with all it knows when there are too few', () => {
    const candidates = [candidateOf('a'), candidateOf('b', { freeBytes: 0n }), candidateOf('c')]
    assert.throws(
      () => selectProviders(candidates, 3, policy),
      error => {
        assert.ok(HoldfastError.is(error, 'TOO_FEW_PROVIDERS'))
        assert.match(error.message, /3 providers are needed, 2 of 3 known/)
        assert.ok(error.retryable && error.hint !== undefined)
        const rejected = [{ peerId: 'b', rule: 'space', reason: 'not enough free space' }]
        const excluded = [{ rule: 'space', providers: 1 }]
        assert.deepEqual(error.details, { needed: 3, usable: 2, excluded, rejected })
        return true
      }
    )
    assert.throws(() => selectProviders([], 1, policy), { code: 'TOO_FEW_PROVIDERS' })
    assert.deepEqual(selectProviders([], 0, policy).chosen, [])
  })

  it('spreads over operators, subnets and regions before it looks at the last unit', () => {
    const alike = { operator: 'big', subnet: '203.0.113.0/24', region: 'eu' }
    const candidates = [
      ...['a', 'b', 'c', 'd'].map(id => candidateOf(id, { ...alike, quality: 1000 })),
      candidateOf('x', { operator: 'small', subnet: '198.51.100.0/24', region: 'us' }),
      candidateOf('y', { operator: 'other', subnet: '192.0.2.0/24', region: 'us' })
    ]
    assert.equal(peers(selectProviders(candidates, 3, policy).chosen), 'axy')
    const unnamed = ['a', 'b', 'c'].map(id => candidateOf(id, { quality: 1000 }))
    const rest = [candidateOf('z', { operator: 'small' })]
    assert.equal(
      peers(selectProviders([...unnamed, ...rest], 3, policy).chosen),
      'abc',
      'no name is not a common name'
    )
  })

  it('gives the same order to the same candidates, in whatever order they come', () => {
    for (let i = 0; i < 50; i++) {
      const candidates = Array.from({ length: 2 + random.below(30) }, (_, n) =>
        candidateOf(`peer-${n}`, {
          priceUnitsPerGiBPeriod: BigInt(random.below(2_100_000)),
          quality: random.below(1001),
          operator: ['', 'a', 'b'][random.below(3)]!,
          region: ['', 'eu', 'us'][random.below(3)]!,
          subnet: ['loopback', '10.0.0.0/24', '10.0.1.0/24'][random.below(3)]!
        })
      )
      const order = (list: readonly Candidate[]): string[] => {
        const { chosen, spares } = selectProviders(list, 0, policy)
        return [...chosen, ...spares].map(({ peerId }) => peerId)
      }
      const once = order(candidates)
      assert.equal(new Set(once).size, once.length, 'nobody twice')
      assert.deepEqual(order(random.shuffled(candidates)), once)
    }
  })

  it('handles prices of nothing', () => {
    const candidates = [
      candidateOf('a', { priceUnitsPerGiBPeriod: 0n }),
      candidateOf('b', { priceUnitsPerGiBPeriod: 1n }),
      candidateOf('c', { priceUnitsPerGiBPeriod: 0n })
    ]
    assert.equal(peers(selectProviders(candidates, 3, policy).chosen), 'acb')
  })
})

describe('price', () => {
  const random = suiteRandom()

  it('is per GiB and period, rounded against the payer', () => {
    assert.equal(storageUnits(1_000n, GIB, 1), 1_000n)
    assert.equal(storageUnits(1_000n, GIB, 7), 7_000n)
    assert.equal(storageUnits(1_000n, GIB / 2, 2), 1_000n)
    assert.equal(storageUnits(1_000n, 1, 1), 1n)
    assert.equal(storageUnits(1_000n, 0, 5), 0n)
    assert.equal(storageUnits(0n, GIB, 5), 0n)
  })

  it('grows with bytes, periods and price, and never loses a unit to a split', () => {
    for (let i = 0; i < 100; i++) {
      const [price, bytes, periods] = [
        BigInt(random.below(2 ** 31)),
        random.below(2 ** 31),
        1 + random.below(1000)
      ]
      const cost = storageUnits(price, bytes, periods)
      assert.ok(storageUnits(price, bytes + 1, periods) >= cost)
      assert.ok(storageUnits(price + 1n, bytes, periods) >= cost)
      assert.equal(storageUnits(price, bytes, periods + 1) - cost, storageUnits(price, bytes, 1))
      const half = Math.floor(bytes / 2)
      const parts = storageUnits(price, half, periods) + storageUnits(price, bytes - half, periods)
      assert.ok(parts >= cost)
      assert.ok(openingEscrowUnits(price, bytes, periods) >= cost)
    }
  })
})

describe('quote', () => {
  it('is the selection that a put makes, and its sum', () => {
    const candidates = [
      candidateOf('a', { priceUnitsPerGiBPeriod: 1_000_000n }),
      candidateOf('b', { priceUnitsPerGiBPeriod: 1_500_000n }),
      candidateOf('c', { priceUnitsPerGiBPeriod: 1_900_000n })
    ]
    const large = { ...policy, pieceBytes: GIB }
    const { chosen, costUnitsPerPeriod } = quoteStorage(candidates, 2, large)
    assert.deepEqual(chosen, selectProviders(candidates, 2, large).chosen)
    assert.equal(costUnitsPerPeriod, 2_500_000n)
    assert.throws(() => quoteStorage(candidates, 4, large), { code: 'TOO_FEW_PROVIDERS' })
  })
})
