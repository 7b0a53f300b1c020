import assert from 'node:assert/strict'
import { addLeaves, growByOne, locateLeaves, totalLeaves } from '../../src/ledger/leaf-tree.ts'
import { periodPriceUnits } from '../../src/ledger/machine/money.ts'
import { markProven, provenBetween } from '../../src/ledger/machine/proven.ts'
import { constantVersions, setFrom, versionAt } from '../../src/ledger/machine/versions.ts'
import { Overlay } from '../../src/ledger/state/overlay.ts'
import { provenChunks, providers } from '../../src/ledger/state/tables.ts'
import { itRandom } from '../proofs/random.ts'
import { testParams } from './support.ts'

const provider = new Uint8Array(32).fill(7)

function newState(): Overlay {
  return new Overlay({ read: () => undefined })
}

describe('versions of a value', () => {
  itRandom('agree with the full history for the two periods that can be asked', random => {
    let versions = constantVersions(0n)
    const history: bigint[] = [0n]
    const at = (period: bigint) => history[Number(period)] ?? 0n
    let value = 0n
    for (let now = 1n; now < 300n; now++) {
      history[Number(now)] ??= value
      for (let changes = random.int(3); changes > 0; changes--) {
        value = BigInt(random.int(1000))
        versions = setFrom(versions, now + 1n, value)
        history[Number(now + 1n)] = value
      }
      for (const period of [now - 1n, now]) {
        assert.equal(versionAt(versions, period), at(period), `period ${period} seen in ${now}`)
      }
      history[Number(now + 1n)] = value
      assert.equal(versionAt(versions, now + 1n), value)
    }
  })
})

describe('the tree of leaf counts', () => {
  itRandom('counts and finds leaves like a plain list', random => {
    const state = newState()
    const slots: bigint[][] = []
    let slotCount = 0
    const current = (): bigint[] => slots.map(history => history.at(-1)!)
    const locate = (counts: bigint[], leaf: bigint) => {
      let rest = leaf
      const slot = counts.findIndex(count => {
        if (rest < count) return true
        rest -= count
        return false
      })
      return { slot, leafIndex: rest }
    }
    let now = 5n
    let before: bigint[] = []
    for (let round = 0; round < 60; round++) {
      const atNow = current()
      for (let ops = 1 + random.int(4); ops > 0; ops--) {
        if (slotCount === 0 || random.int(2) === 0) {
          for (let more = random.int(12) === 0 ? 90 : 1; more > 0; more--) {
            growByOne(state, provider, slotCount++)
            slots.push([0n])
          }
        }
        const slot = random.int(slotCount)
        const count = random.int(3) === 0 ? 0n : BigInt(random.int(50))
        const delta = count - slots[slot]!.at(-1)!
        addLeaves(state, { provider, slotCount, slot, period: now + 1n, delta })
        slots[slot]!.push(count)
      }
      for (const [period, counts] of [
        [now - 1n, before],
        [now, atNow],
        [now + 1n, current()]
      ] as const) {
        const total = counts.reduce((sum, count) => sum + count, 0n)
        assert.equal(totalLeaves(state, provider, slotCount, period), total)
        const leaves: bigint[] = []
        for (let leaf = 0n; leaf < total; leaf += 1n + total / 7n) leaves.push(leaf)
        assert.deepEqual(
          locateLeaves(state, { provider, slotCount, period, leaves }),
          leaves.map(leaf => locate(counts, leaf))
        )
      }
      const jump = random.int(4) === 0
      before = jump ? current() : atNow
      now += jump ? 6n : 1n
    }
  })
})

describe('proven periods', () => {
  const params = testParams({ dealPeriodsMax: 300 })

  function newProvider(): Overlay {
    const state = newState()
    state.put(providers, provider, {
      peerKey: provider,
      registeredHeight: 0n,
      provenCount: 0n,
      provenNext: 0n,
      slotCount: 0,
      freedHead: 0n,
      freedTail: 0n,
      dueFrom: 0n,
      resumedFrom: 0n,
      failedDeals: 0
    })
    return state
  }

  itRandom('are counted like in a plain set, as far back as the ring reaches', random => {
    const state = newProvider()
    const proven: bigint[] = []
    let period = 1n + BigInt(random.int(1000))
    for (let i = 0; i < 400; i++) {
      period += BigInt(random.int(20) === 0 ? 1 + random.int(900) : 1 + random.int(3))
      markProven(state, params, provider, period)
      proven.push(period)
      const back = BigInt(random.int(600))
      const from = period > back ? period - back : 1n
      const to = from + BigInt(random.int(700))
      const expected = proven.filter(p => p >= from && p < to).length
      assert.equal(provenBetween(state, params, provider, { from, to }), BigInt(expected))
    }
  })

  it('write no more than one ring, whatever the gap', () => {
    const state = newProvider()
    markProven(state, params, provider, 3n)
    const before = state.changes().length
    markProven(state, params, provider, 10n ** 12n)
    assert.ok(state.changes().length - before <= 4)
    assert.equal(provenBetween(state, params, provider, { from: 1n, to: 10n ** 12n + 1n }), 1n)
    const range = { from: 10n ** 12n - 500n, to: 10n ** 12n + 1n }
    assert.equal(provenBetween(state, params, provider, range), 1n)
    assert.ok(state.changes().some(({ record }) => record[0] === provenChunks.id))
  })
})

describe('the price of a period', () => {
  it('is rounded up, against the client', () => {
    assert.equal(periodPriceUnits(1n, 0n), 0n)
    assert.equal(periodPriceUnits(1n, 1n), 1n)
    assert.equal(periodPriceUnits(1n, 2n ** 30n), 1n)
    assert.equal(periodPriceUnits(1n, 2n ** 30n + 1n), 2n)
    assert.equal(periodPriceUnits(0n, 2n ** 40n), 0n)
  })
})
