/** Signatures: domains, strictness and hostile input. The speccheck vectors stand in test/ledger/crypto.test.ts. */
import assert from 'node:assert/strict'
import { createPublicKey, sign, verify } from 'node:crypto'
import { AssertionError } from '../../src/base/assert.ts'
import { concat, fromHex, toHex, utf8 } from '../../src/base/bytes.ts'
import { domain } from '../../src/base/hash.ts'
import { signingKeyFromSeed, verifySignature, verifyStrict } from '../../src/base/keys.ts'
import { flipped } from '../proofs/random.ts'
import { suiteRandom } from '../storage/random.ts'

describe('keys', () => {
  const random = suiteRandom()

  it('signs as RFC 8032 does', () => {
    // RFC 8032, 7.1, test 2 (raw message, without our domain)
    const seed = fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb')
    const key = fromHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')
    const signature = fromHex(
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
        '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'
    )
    assert.equal(toHex(signingKeyFromSeed(seed).publicKey), toHex(key))
    assert.ok(verifyStrict(key, Uint8Array.of(0x72), signature))
    assert.ok(!verifyStrict(key, Uint8Array.of(0x73), signature))
  })

  it('verifies what it signed, under its label only', () => {
    for (let i = 0; i < 20; i++) {
      const key = signingKeyFromSeed(random.bytes(32))
      const message = random.bytes(random.below(200))
      const signature = key.sign('a/v1', message)
      assert.equal(signature.length, 64)
      assert.ok(verifySignature(key.publicKey, 'a/v1', message, signature))
      assert.ok(!verifySignature(key.publicKey, 'a/v2', message, signature))
      assert.ok(!verifySignature(key.publicKey, 'a/v1', concat(message, utf8('x')), signature))
      // the domain is hashed: no other split of label and message means the same
      assert.ok(verifyStrict(key.publicKey, concat(domain('a/v1'), message), signature))
      assert.ok(!verifySignature(key.publicKey, 'a', concat(utf8('/v1'), message), signature))
    }
  })

  it('refuses every flipped bit of signature and key', () => {
    const key = signingKeyFromSeed(random.bytes(32))
    const message = random.bytes(32)
    const signature = key.sign('x', message)
    for (let bit = 0; bit < 512; bit++) {
      assert.ok(!verifySignature(key.publicKey, 'x', message, flipped(signature, bit)), `${bit}`)
    }
    for (let bit = 0; bit < 256; bit++) {
      assert.ok(!verifySignature(flipped(key.publicKey, bit), 'x', message, signature), `${bit}`)
    }
  })

  it('says no, and does not throw, to bytes of any length', () => {
    const key = signingKeyFromSeed(random.bytes(32))
    for (let i = 0; i < 200; i++) {
      const publicKey = random.below(3) === 0 ? key.publicKey : random.bytes(random.below(70))
      const signature = random.bytes(random.below(3) === 0 ? 64 : random.below(130))
      assert.equal(verifySignature(publicKey, 'x', random.bytes(8), signature), false)
    }
    for (const y of ['00', '01', 'ec', 'ed', 'ee', 'ff']) {
      // 0, 1, p-1, and the spellings of 0, 1 and 18 above p
      const point = fromHex(
        y === '00' || y === '01' ? y + '00'.repeat(31) : `${y}${'ff'.repeat(30)}7f`
      )
      assert.equal(verifySignature(point, 'x', random.bytes(8), key.sign('x', point)), false, y)
    }
  })

  it('remembers keys without mixing them up, however many there are', () => {
    const message = random.bytes(16)
    const keys = Array.from({ length: 1050 }, () => signingKeyFromSeed(random.bytes(32)))
    const signatures = keys.map(key => key.sign('x', message))
    for (let round = 0; round < 2; round++) {
      for (const [i, { publicKey }] of keys.entries()) {
        assert.ok(verifySignature(publicKey, 'x', message, signatures[i]!))
      }
    }
    assert.ok(!verifySignature(keys[0]!.publicKey, 'x', message, signatures[1]!))
  })

  it('agrees with the library on ordinary signatures', () => {
    const key = signingKeyFromSeed(random.bytes(32))
    const spki = concat(fromHex('302a300506032b6570032100'), key.publicKey)
    const theirs = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
    const message = random.bytes(100)
    const signed = concat(domain('x'), message)
    assert.ok(verify(null, signed, theirs, key.sign('x', message)))
    const pkcs8 = concat(fromHex('302e020100300506032b657004220420'), key.seed)
    const ours = sign(null, signed, {
      key: Buffer.from(pkcs8),
      format: 'der',
      type: 'pkcs8'
    } as unknown as Parameters<typeof sign>[2])
    assert.equal(toHex(new Uint8Array(ours)), toHex(key.sign('x', message)))
  })

  it('takes seeds of 32 bytes only', () => {
    for (const length of [0, 31, 33, 64]) {
      assert.throws(() => signingKeyFromSeed(new Uint8Array(length)), AssertionError)
    }
  })
})
