import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { concat, fromHex } from '../../src/base/bytes.ts'
import { openStripe, sealStripe } from '../../src/storage/encrypt.ts'
import { suiteRandom } from './random.ts'

const DECRYPT_FAILED = { code: 'DECRYPT_FAILED' }

describe('encrypt', () => {
  const random = suiteRandom()

  const sealed = (
    key: Uint8Array,
    index: number,
    final: boolean,
    plain: Uint8Array
  ): Uint8Array => {
    const out = new Uint8Array(plain.length + 16)
    assert.equal(sealStripe(key, { index, final }, plain, out), out.length)
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
