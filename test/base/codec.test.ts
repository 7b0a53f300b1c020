/** Documents: one encoding per value, bounded before it is parsed. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { decodeDocument, encodeDocument } from '../../src/base/codec.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { type SeededRandom, suiteRandom } from '../storage/random.ts'

function randomValue(random: SeededRandom, depth = 3): unknown {
  switch (random.below(depth === 0 ? 6 : 8)) {
    case 0:
      return random.below(2 ** 31) - 2 ** 30
    case 1:
      return Number.MAX_SAFE_INTEGER - random.below(100)
    case 2:
      return random.bytes(random.below(40))
    case 3:
      return Buffer.from(random.bytes(random.below(12))).toString('base64')
    case 4:
      return random.below(2) === 0
    case 5:
      return null
    case 6:
      return Array.from({ length: random.below(5) }, () => randomValue(random, depth - 1))
    default: {
      const keys = Array.from({ length: random.below(5) }, () => toHex(random.bytes(3)))
      return Object.fromEntries(keys.map(key => [key, randomValue(random, depth - 1)]))
    }
  }
}

describe('documents', () => {
  const random = suiteRandom()

  it('come back as they were', () => {
    for (let i = 0; i < 300; i++) {
      const value = randomValue(random)
      const bytes = encodeDocument(value)
      assert.deepEqual(encodeDocument(decodeDocument(bytes, bytes.length)), bytes)
    }
    const value = { b: [1, 'x', null, true], a: { bytes: Uint8Array.of(1, 2) } }
    assert.deepEqual(decodeDocument(encodeDocument(value), 100), value)
  })

  it('have the bytes that the specification gives them', () => {
    // map keys: shorter first, then bytewise
    const bytes = encodeDocument({ bb: 1, a: Uint8Array.of(0xff), b: null })
    assert.equal(toHex(bytes), 'a3616141ff6162f662626201')
  })

  it('are refused above the bound before they are looked at', () => {
    const bytes = encodeDocument('x'.repeat(100))
    assert.throws(() => decodeDocument(bytes, bytes.length - 1), { code: 'FRAME_TOO_LARGE' })
    assert.equal(decodeDocument(bytes, bytes.length), 'x'.repeat(100))
  })

  it('are refused in any other spelling', () => {
    const spellings: Record<string, string> = {
      'unsorted map': 'a2616201616102',
      'repeated key': 'a2616101616102',
      'long integer': '1801',
      'long length': '780161',
      'half float': 'f93c00',
      'single float': 'fa3f800000',
      'indefinite array': '9f01ff',
      'indefinite text': '7f6161ff',
      undefined: 'f7',
      tag: 'c11a514b67b0',
      'bytes after the end': '0101',
      'cut text': '626',
      nothing: '',
      'unfinished array': '8201',
      'deep nesting': `${'81'.repeat(2000)}`,
      'huge length': '9affffffff',
      'huge text': '7b7fffffffffffffff61',
      'not a number': 'fb7ff8000000000000'
    }
    for (const [name, hex] of Object.entries(spellings)) {
      const bytes = fromHex(hex.length % 2 === 0 ? hex : `${hex}0`)
      assert.throws(() => decodeDocument(bytes, 10_000), { code: 'PROTOCOL_VIOLATION' }, name)
    }
  })

  it('throw nothing but their own errors on hostile bytes', () => {
    let refused = 0
    for (let i = 0; i < 3000; i++) {
      const bytes = random.below(2) === 0 ? random.bytes(random.below(40)) : mutated(random)
      try {
        assert.equal(toHex(encodeDocument(decodeDocument(bytes, 1000))), toHex(bytes))
      } catch (error) {
        assert.ok(HoldfastError.is(error), `${toHex(bytes)}: ${String(error)}`)
        refused++
      }
    }
    assert.ok(refused > 500)
  })
})

function mutated(random: SeededRandom): Uint8Array {
  const bytes = new Uint8Array(encodeDocument(randomValue(random)))
  for (let n = random.below(3); n >= 0; n--) bytes[random.below(bytes.length)] = random.below(256)
  return bytes.subarray(0, random.below(4) === 0 ? random.below(bytes.length + 1) : bytes.length)
}
