import assert from 'node:assert/strict'
import { AssertionError } from '../../src/base/assert.ts'
import {
  add,
  formatTokens,
  min,
  mulDivCeil,
  parseTokens,
  sub,
  UNITS_MAX,
  UNITS_PER_TOKEN
} from '../../src/base/money.ts'
import { suiteRandom } from '../storage/random.ts'

describe('money', () => {
  const random = suiteRandom()
  const units = (): bigint =>
    new DataView(random.bytes(8).buffer).getBigUint64(0) % (UNITS_MAX + 1n)

  it('adds and subtracts, and never leaves 0 to the supply cap', () => {
    assert.equal(add(UNITS_MAX - 1n, 1n), UNITS_MAX)
    assert.equal(sub(UNITS_MAX, UNITS_MAX), 0n)
    assert.throws(() => add(UNITS_MAX, 1n), AssertionError)
    assert.throws(() => add(-1n, 1n), AssertionError)
    assert.throws(() => add(1n, -1n), AssertionError)
    assert.throws(() => sub(0n, 1n), AssertionError)
    assert.throws(() => sub(1n, -1n), AssertionError)
    for (let i = 0; i < 200; i++) {
      const [a, b] = [units() / 2n, units() / 2n]
      assert.equal(sub(add(a, b), b), a)
      assert.equal(min(a, b), a < b ? a : b)
    }
  })

  it('rounds quotients up', () => {
    assert.equal(mulDivCeil(0n, 5n, 3n), 0n)
    assert.equal(mulDivCeil(1n, 1n, 3n), 1n)
    assert.equal(mulDivCeil(2n, 3n, 3n), 2n)
    for (let i = 0; i < 200; i++) {
      const [a, b, divisor] = [units(), units(), units() + 1n]
      const result = mulDivCeil(a, b, divisor)
      assert.ok(result * divisor >= a * b && (result - 1n) * divisor < a * b)
    }
    assert.throws(() => mulDivCeil(1n, 1n, 0n), AssertionError)
    assert.throws(() => mulDivCeil(-1n, 1n, 1n), AssertionError)
  })

  it('reads amounts of tokens', () => {
    assert.equal(parseTokens('1'), UNITS_PER_TOKEN)
    assert.equal(parseTokens('1.5'), 1_500_000_000n)
    assert.equal(parseTokens('0.000000001'), 1n)
    assert.equal(parseTokens('1000000000'), UNITS_MAX)
    assert.equal(parseTokens('007.50'), 7_500_000_000n)
  })

  it('refuses everything else', () => {
    const refused = [
      ...['', ' ', '0', '0.0', '-1', '+1', '1.', '.5', '1,5', '1e9', '0x1', '١', '1 ', ' 1', '1_0'],
      ...['1.0000000001', '1000000001', '1000000000.000000001', '9'.repeat(40), 'NaN', 'Infinity']
    ]
    for (const text of refused) {
      assert.throws(() => parseTokens(text), { code: 'INVALID_ARGUMENT' }, text)
    }
  })

  it('writes what it reads', () => {
    assert.equal(formatTokens(0n), '0')
    assert.equal(formatTokens(1n), '0.000000001')
    assert.equal(formatTokens(1_500_000_000n), '1.5')
    assert.equal(formatTokens(UNITS_MAX), '1000000000')
    for (let i = 0; i < 200; i++) {
      const amount = units() + 1n
      assert.equal(parseTokens(formatTokens(amount <= UNITS_MAX ? amount : 1n)), amount)
    }
  })
})
