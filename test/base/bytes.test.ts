import assert from 'node:assert/strict'
import {
  compare,
  concat,
  equal,
  fromHex,
  fromUtf8,
  toHex,
  u64be,
  utf8,
  view
} from '../../src/base/bytes.ts'
import { domain, domainHash, sha256 } from '../../src/base/hash.ts'
import { suiteRandom } from '../storage/random.ts'

describe('bytes', () => {
  const random = suiteRandom()

  it('concatenates copies', () => {
    const parts = Array.from({ length: 5 }, () => random.bytes(random.below(20)))
    const joined = concat(...parts)
    assert.equal(toHex(joined), parts.map(toHex).join(''))
    joined.fill(0)
    assert.equal(toHex(concat(...parts)), parts.map(toHex).join(''))
    assert.equal(concat().length, 0)
  })

  it('orders like the numbers it writes', () => {
    const numbers = Array.from({ length: 50 }, () =>
      new DataView(random.bytes(8).buffer).getBigUint64(0)
    )
    const sorted = numbers.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    assert.deepEqual(numbers.map(u64be).toSorted(compare), sorted.map(u64be))
    assert.equal(toHex(u64be(1)), '0000000000000001')
    assert.throws(() => u64be(-1))
    assert.throws(() => u64be(2n ** 64n))
    assert.ok(compare(utf8('a'), utf8('aa')) < 0)
    assert.ok(!equal(utf8('a'), utf8('aa')) && equal(utf8('a'), utf8('a')))
  })

  it('reads hex and UTF-8 strictly', () => {
    assert.equal(toHex(fromHex('00fFa0')), '00ffa0')
    for (const text of ['0', 'zz', '0x00', ' 00', '00 ', '00\n']) {
      assert.throws(() => fromHex(text), RangeError, text)
    }
    assert.equal(fromUtf8(utf8('ä€😀')), 'ä€😀')
    for (const hex of ['ff', 'c0af', 'eda080', 'f4908080', 'e282']) {
      assert.throws(() => fromUtf8(fromHex(hex)), TypeError, hex)
    }
  })

  it('shares memory where it says so', () => {
    const bytes = random.bytes(8).subarray(2, 6)
    view(bytes)[0] = 7
    assert.equal(bytes[0], 7)
    assert.equal(view(bytes).length, 4)
  })
})

describe('hash', () => {
  it('is SHA-256 of the parts in a row', () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
    assert.equal(toHex(sha256(utf8('abc'))), abc)
    assert.equal(toHex(sha256(utf8('a'), utf8(''), utf8('bc'))), abc)
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    assert.equal(toHex(sha256()), empty)
  })

  it('keeps every use apart from every other', () => {
    assert.equal(toHex(domain('a')), toHex(sha256(utf8('holdfast/a'))))
    assert.equal(toHex(domainHash('a', utf8('x'))), toHex(sha256(domain('a'), utf8('x'))))
    assert.notEqual(toHex(domainHash('a', utf8('bx'))), toHex(domainHash('ab', utf8('x'))))
  })
})
