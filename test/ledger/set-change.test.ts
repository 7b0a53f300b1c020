import assert from 'node:assert/strict'
import { u64be } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { VALIDATORS_MAX } from '../../src/base/limits.ts'
import { totalPower } from '../../src/ledger/certificate.ts'
import { changeMax, nextSet } from '../../src/ledger/machine/set-change.ts'
import { memberOf, updatesBetween } from '../../src/ledger/machine/validator-sets.ts'
import type { Validator } from '../../src/ledger/types/records.ts'
import { itRandom, type TestRandom } from '../proofs/random.ts'

const beaconKey = new Uint8Array(48)

function member(id: number, power: bigint): Validator {
  const account = sha256(u64be(BigInt(id)))
  return { publicKey: account, account, beaconKey, power }
}

function setOf(powers: Record<number, bigint>): Validator[] {
  return Object.entries(powers).map(([id, power]) => member(Number(id), power))
}

function powersIn(set: readonly Validator[], ids: readonly number[]): bigint[] {
  return ids.map(id => memberOf(set, member(id, 1n).account)?.power ?? 0n)
}

const nobody = (): boolean => false
const only = (...ids: number[]) => {
  const barred = ids.map(id => member(id, 1n))
  return (validator: Validator): boolean => memberOf(barred, validator.account) !== undefined
}

/** Sum of |new - old| over everybody. */
function changeOf(before: readonly Validator[], after: readonly Validator[]): bigint {
  let sum = 0n
  for (const { account, power } of [
    ...before,
    ...after.filter(v => !memberOf(before, v.account))
  ]) {
    const old = memberOf(before, account)?.power ?? 0n
    const now = memberOf(after, account)?.power ?? 0n
    sum += now > old ? now - old : old - now
    assert.ok(power > 0n)
  }
  return sum
}

describe('the next validator set', () => {
  it('is the same array when nothing changes', () => {
    const set = setOf({ 1: 5n, 2: 4n })
    assert.equal(nextSet(set, setOf({ 1: 5n, 2: 4n }), nobody), set)
  })

  it('moves by a sixth, losses first, the small ones whole', () => {
    const set = setOf({ 1: 20n, 2: 20n, 3: 20n })
    assert.equal(changeMax(set), 10n)
    const wanted = setOf({ 1: 23n, 2: 16n, 4: 90n })
    const next = nextSet(set, wanted, nobody)
    assert.deepEqual(powersIn(next, [1, 2, 3, 4]), [20n, 16n, 14n, 0n])
  })

  it('lets the barred go at once, at the cost of the others’ moves', () => {
    const set = setOf({ 1: 20n, 2: 20n, 3: 4n, 4: 16n })
    const wanted = setOf({ 1: 20n, 2: 60n })
    assert.deepEqual(powersIn(nextSet(set, wanted, only(3)), [1, 2, 3, 4]), [20n, 20n, 0n, 10n])
    assert.deepEqual(powersIn(nextSet(set, wanted, only(4)), [1, 2, 3, 4]), [20n, 20n, 4n, 0n])
  })

  it('is never empty', () => {
    const set = setOf({ 1: 1n })
    assert.equal(nextSet(set, [], nobody), set)
    assert.equal(nextSet(set, [], only(1)), set)
    assert.deepEqual(powersIn(nextSet(set, setOf({ 2: 7n }), only(1)), [1, 2]), [0n, 7n])
    const both = nextSet(set, setOf({ 2: 7n }), nobody)
    assert.deepEqual(powersIn(both, [1, 2]), [1n, 1n], 'the last one waits for the next')
    assert.deepEqual(powersIn(nextSet(both, setOf({ 2: 7n }), nobody), [1, 2]), [0n, 1n])
    assert.deepEqual(powersIn(nextSet(setOf({ 1: 1n, 3: 9n }), [], only(3)), [1, 3]), [1n, 0n])
  })

  it('changes even where a sixth is less than one', () => {
    const next = nextSet(setOf({ 1: 1n }), setOf({ 1: 1n, 2: 3n }), nobody)
    assert.deepEqual(powersIn(next, [1, 2]), [1n, 1n])
  })

  it('seats a newcomer only where a seat is free', () => {
    const full = Array.from({ length: VALIDATORS_MAX }, (_, i) => member(i, 6n))
    const wanted = [...full.slice(1), member(1_000, 50n)]
    const first = nextSet(full, wanted, nobody)
    assert.equal(first.length, VALIDATORS_MAX)
    assert.deepEqual(powersIn(first, [0, 1_000]), [0n, 50n])
    const heavy = [member(0, 1_000n), ...full.slice(1)]
    const still = nextSet(heavy, wanted, nobody)
    assert.equal(still.length, VALIDATORS_MAX)
    assert.deepEqual(powersIn(still, [0, 1_000]), [1_000n - changeMax(heavy), 0n])
  })

  itRandom('is bounded, and gets to what is wanted in the end', random => {
    for (let round = 0; round < 200; round++) {
      let set = someSet(random)
      const wanted = someSet(random)
      const barredIds = Array.from({ length: random.int(3) }, () => random.int(130))
      const isBarred = only(...barredIds)
      const allowed = wanted.filter(validator => !isBarred(validator))
      if (allowed.length === 0) continue
      for (let epoch = 0; ; epoch++) {
        assert.ok(epoch < 5_000, 'it ends')
        const next = nextSet(set, allowed, isBarred)
        if (next === set) break
        const barred = totalPower(set.filter(isBarred))
        const wholeWasBarred = barred === totalPower(set)
        const bound = barred > changeMax(set) ? barred : changeMax(set)
        if (!wholeWasBarred) assert.ok(changeOf(set, next) <= bound)
        assert.ok(next.length > 0 && next.length <= VALIDATORS_MAX)
        assert.ok(next.every(({ power }) => power > 0n))
        assert.ok(!next.some(isBarred))
        checkUpdates(set, next)
        set = next
      }
      assert.equal(changeOf(set, allowed), 0n)
    }
  })
})

/** The updates lead from one set to the other. */
function checkUpdates(before: readonly Validator[], after: readonly Validator[]): void {
  const updates = updatesBetween(before, after)
  const kept = before.filter(({ account }) => memberOf(updates, account) === undefined)
  const led = [...kept, ...updates.filter(({ power }) => power > 0n)]
  assert.equal(changeOf(led, after), 0n)
  assert.equal(led.length, after.length)
}

function someSet(random: TestRandom): Validator[] {
  const size = 1 + random.int(random.int(4) === 0 ? VALIDATORS_MAX : 6)
  const start = random.int(20)
  return Array.from({ length: size }, (_, i) => member(start + i, BigInt(1 + random.int(1_000))))
}
