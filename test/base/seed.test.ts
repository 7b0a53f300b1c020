/** Keys from phrases: the published vectors of SLIP-0010 and BIP-39, and our own derivation, frozen. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { addressOf } from '../../src/base/address.ts'
import { AssertionError } from '../../src/base/assert.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { signingKeyFromSeed } from '../../src/base/keys.ts'
import {
  deriveKeys,
  deriveSlip10,
  normalisePhrase,
  PHRASE_WORDS,
  phraseFromEntropy
} from '../../src/base/seed.ts'
import { suiteRandom } from '../storage/random.ts'

interface Slip10Case {
  seed: string
  keys: { path: number[]; private: string; public: string }[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/seed.json', import.meta.url), 'utf8')
) as {
  slip10: { cases: Slip10Case[] }
  bip39: { cases: { entropy: string; phrase: string; seed: string }[] }
  holdfast: { cases: Record<string, string>[] }
}

describe('SLIP-0010', () => {
  for (const { seed, keys } of vectors.slip10.cases) {
    it(`derives the published keys of the seed ${seed.slice(0, 8)}…`, () => {
      for (const { path, private: expected, public: publicKey } of keys) {
        const derived = deriveSlip10(fromHex(seed), path)
        assert.equal(toHex(derived), expected, path.join('/'))
        assert.equal(toHex(signingKeyFromSeed(derived).publicKey), publicKey, path.join('/'))
      }
    })
  }
})

describe('seed phrase', () => {
  const random = suiteRandom()

  it('writes and reads the published BIP-39 vectors', () => {
    for (const { entropy, phrase, seed } of vectors.bip39.cases) {
      assert.equal(phraseFromEntropy(fromHex(entropy)), phrase)
      assert.equal(normalisePhrase(phrase), phrase)
      const { wallet } = deriveKeys(phrase, 'TREZOR')
      assert.equal(toHex(wallet.seed), toHex(deriveSlip10(fromHex(seed), [44, 8742, 0, 0])))
    }
  })

  it('derives every key as it always has', () => {
    for (const expected of vectors.holdfast.cases) {
      const keys = deriveKeys(expected['phrase']!, expected['passphrase'])
      const found = {
        wallet: toHex(keys.wallet.publicKey),
        node: toHex(keys.node.publicKey),
        validator: toHex(keys.validator.publicKey),
        address: addressOf(keys.wallet.publicKey),
        contentSecret: toHex(keys.contentSecret),
        beaconSecret: toHex(keys.beaconSecret)
      }
      assert.deepEqual({ ...expected, ...found }, expected)
    }
  })

  it('has no two secrets alike, and none that another phrase has', () => {
    const secrets = new Set<string>()
    for (let i = 0; i < 4; i++) {
      const keys = deriveKeys(phraseFromEntropy(random.bytes(32)))
      for (const secret of [
        keys.wallet.seed,
        keys.node.seed,
        keys.validator.seed,
        keys.contentSecret,
        keys.beaconSecret
      ]) {
        assert.equal(secret.length, 32)
        secrets.add(toHex(secret))
      }
    }
    assert.equal(secrets.size, 20)
  })

  it('takes phrases as people type them', () => {
    const phrase = phraseFromEntropy(random.bytes(32))
    const typed = `  ${phrase.toUpperCase().split(' ').join('\n\t ')} `
    assert.equal(normalisePhrase(typed), phrase)
  })

  it('refuses any phrase with a wrong, missing or swapped word', () => {
    const words = phraseFromEntropy(random.bytes(32)).split(' ')
    const refused = [
      '',
      words.slice(1).join(' '),
      [...words, words[0]].join(' '),
      words.with(3, 'holdfast').join(' '),
      // a valid phrase of another length
      `${'abandon '.repeat(11)}about`
    ]
    for (const text of refused) {
      assert.throws(() => deriveKeys(text), { code: 'INVALID_ARGUMENT' }, text)
    }
    // eight checksum bits: of a hundred wrong phrases about one in 256 passes
    let accepted = 0
    for (let i = 0; i < 100; i++) {
      const at = random.below(PHRASE_WORDS)
      const other = phraseFromEntropy(random.bytes(32)).split(' ')[0]!
      if (other === words[at]) continue
      try {
        normalisePhrase(words.with(at, other).join(' '))
        accepted++
      } catch {
        // as it should
      }
    }
    assert.ok(accepted <= 6, `${accepted} of 100 wrong phrases were accepted`)
    assert.throws(() => phraseFromEntropy(new Uint8Array(16)), AssertionError)
  })
})
