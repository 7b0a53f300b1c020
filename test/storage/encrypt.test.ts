import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { concat, fromHex } from '../../src/base/bytes.ts'
import { openStripe, sealStripe } from '../../src/storage/encrypt.ts'
import { suiteRandom } from './random.ts'

const DECRYPT_FAILED = { code: 'DECRYPT_FAILED' }

const plainOf = (length: number): Uint8Array => new Uint8Array(length)

describe('encrypt', () => {
  const random = suiteRandom()

  const sealed = (
    key: Uint8Array,
    index: number,
    final: boolean,
    plain: Uint8Array
  ): Uint8Array => {
    const out = new Uint8Array(plain.length + 16)
    sealStripe(key, { index, final }, plain, [out])
    return out
  }

  it('is AES-256-GCM with the index as nonce, and version, final flag and index as AAD', () => {
    const key = random.bytes(32)
    const plain = random.bytes(1000)
    const cipher = createCipheriv('aes-256-gcm', key, fromHex('000000000000000001020304'))
    cipher.setAAD(fromHex('010101020304'))
    const expected = concat(cipher.update(plain), cipher.final(), cipher.getAuthTag())
    assert.deepEqual(sealed(key, 0x01020304, true, plain), expected)
  })

  it('fills shares of any length one after the other, and pads with zeros', () => {
    const key = random.bytes(32)
    for (const lengths of [[16], [17], [32, 32], [1, 5, 40], [100, 100, 16], [0, 64]]) {
      const room = lengths.reduce((sum, length) => sum + length, 0) - 16
      for (const plainBytes of new Set([0, room >> 1, Math.max(0, room - 1), room])) {
        const padded = new Uint8Array(room)
        const plain = random.bytes(plainBytes)
        padded.set(plain)
        const shares = lengths.map(length => new Uint8Array(length).fill(0xee))
        sealStripe(key, { index: 3, final: true }, plain, shares)
        assert.deepEqual(concat(...shares), sealed(key, 3, true, padded), `${lengths}`)
      }
    }
    assert.throws(() => sealStripe(key, { index: 0, final: true }, plainOf(17), [plainOf(32)]))
    assert.throws(() => sealStripe(key, { index: 0, final: true }, plainOf(1), [plainOf(15)]))
  })

  it('opens what it sealed', () => {
    const key = random.bytes(32)
    for (const length of [0, 1, 15, 16, 17, 65_537]) {
      const plain = random.bytes(length)
      const place = { index: random.below(1000), final: length % 2 === 0 }
      assert.deepEqual(openStripe(key, place, sealed(key, place.index, place.final, plain)), plain)
    }
  })

  it('fails in another place and under another key', () => {
    const key = random.bytes(32)
    const stripe = sealed(key, 3, false, random.bytes(100))
    openStripe(key, { index: 3, final: false }, stripe)
    assert.throws(() => openStripe(key, { index: 2, final: false }, stripe), DECRYPT_FAILED)
    assert.throws(() => openStripe(key, { index: 3, final: true }, stripe), DECRYPT_FAILED)
    const other = random.bytes(32)
    assert.throws(() => openStripe(other, { index: 3, final: false }, stripe), DECRYPT_FAILED)
  })

  it('fails on every flipped bit and every cut', () => {
    const key = random.bytes(32)
    const place = { index: 0, final: true }
    const stripe = sealed(key, 0, true, random.bytes(20))
    for (let bit = 0; bit < 8 * stripe.length; bit++) {
      const altered = stripe.slice()
      altered[bit >> 3]! ^= 1 << (bit & 7)
      assert.throws(() => openStripe(key, place, altered), DECRYPT_FAILED)
    }
    for (let length = 0; length < stripe.length; length++) {
      assert.throws(() => openStripe(key, place, stripe.subarray(0, length)), DECRYPT_FAILED)
    }
  })
})
