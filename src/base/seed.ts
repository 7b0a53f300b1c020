/**
 * One seed phrase, every key. BIP-39 (24 words, English) gives a 64-byte seed; SLIP-0010 (Ed25519, hardened only)
 * derives the signing keys, HKDF-SHA256 the secrets that are not Ed25519 keys. Coin type 8742' is ours until
 * registered.
 *
 *   wallet     m/44'/8742'/0'/0'      holds money, signs transactions and deals
 *   node       m/44'/8742'/1'/0'      libp2p identity, receipts
 *   validator  m/44'/8742'/2'/0'      votes
 *   content    HKDF "holdfast/v1/content"   root of every object key
 *   beacon     HKDF "holdfast/v1/beacon"    BLS secret material of a validator
 */
import { createHmac, hkdfSync, pbkdf2Sync } from 'node:crypto'
import { entropyToMnemonic, validateMnemonic } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { assert } from './assert.ts'
import { concat, utf8 } from './bytes.ts'
import { HoldfastError } from './errors.ts'
import { type SigningKey, signingKeyFromSeed } from './keys.ts'

export const PHRASE_WORDS = 24
export const PHRASE_ENTROPY_BYTES = 32
const COIN_TYPE = 8742
const HARDENED = 0x8000_0000

export interface KeySet {
  readonly wallet: SigningKey
  readonly node: SigningKey
  readonly validator: SigningKey
  /** 32 bytes. */
  readonly contentSecret: Uint8Array
  /** 32 bytes. */
  readonly beaconSecret: Uint8Array
}

/** 32 bytes of entropy as 24 words. */
export function phraseFromEntropy(entropy: Uint8Array): string {
  assert(entropy.length === PHRASE_ENTROPY_BYTES, 'a 24-word phrase takes 32 bytes of entropy')
  return entropyToMnemonic(entropy, wordlist)
}

/**
 * Lower-cases, folds white space and checks the words and their checksum.
 * @throws HoldfastError INVALID_ARGUMENT
 */
export function normalisePhrase(text: string): string {
  const phrase = text.trim().toLowerCase().split(/\s+/).join(' ')
  if (phrase.split(' ').length !== PHRASE_WORDS || !validateMnemonic(phrase, wordlist)) {
    throw new HoldfastError('INVALID_ARGUMENT', 'the seed phrase is not valid', {
      hint: `check spelling and order: ${PHRASE_WORDS} English words, the last one carries a checksum`
    })
  }
  return phrase
}

/** Every key of a phrase. @throws HoldfastError INVALID_ARGUMENT on a bad phrase */
export function deriveKeys(phrase: string, passphrase = ''): KeySet {
  const seed = seedOf(normalisePhrase(phrase), passphrase)
  const signing = (role: number): SigningKey =>
    signingKeyFromSeed(deriveSlip10(seed, [44, COIN_TYPE, role, 0]))
  return {
    wallet: signing(0),
    node: signing(1),
    validator: signing(2),
    contentSecret: secret(seed, 'holdfast/v1/content'),
    beaconSecret: secret(seed, 'holdfast/v1/beacon')
  }
}

/** BIP-39: 64 bytes. node:crypto takes 2 ms for what plain JavaScript does in 60. */
function seedOf(phrase: string, passphrase: string): Uint8Array {
  const salt = `mnemonic${passphrase.normalize('NFKD')}`
  return new Uint8Array(pbkdf2Sync(phrase.normalize('NFKD'), salt, 2048, 64, 'sha512'))
}

/** SLIP-0010 for Ed25519: the 32-byte private key at a path of hardened indexes. */
export function deriveSlip10(seed: Uint8Array, path: readonly number[]): Uint8Array {
  let node = hmacSha512(utf8('ed25519 seed'), seed)
  for (const index of path) {
    const child = Buffer.alloc(4)
    child.writeUInt32BE(HARDENED + index)
    node = hmacSha512(node.subarray(32), concat(new Uint8Array(1), node.subarray(0, 32), child))
  }
  return node.slice(0, 32)
}

function hmacSha512(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha512', key).update(data).digest())
}

function secret(seed: Uint8Array, info: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', seed, new Uint8Array(0), utf8(info), 32))
}
