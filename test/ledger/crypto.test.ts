import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { verifyStrict } from '../../src/base/keys.ts'
import {
  beaconKeyFromSecret,
  isBeaconKey,
  nextMix,
  verifyPossession,
  verifyReveal
} from '../../src/ledger/beacon.ts'
import { leaderOf } from '../../src/ledger/leader.ts'
import { flipped } from '../proofs/random.ts'
import { beaconSecretOf, keyOf } from './support.ts'

const VECTORS = new URL('../vectors/ed25519-speccheck.json', import.meta.url)

describe('ed25519', () => {
  it('gives the pinned verdicts on the twelve published edge cases', () => {
    const { cases } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
      cases: { message: string; pub_key: string; signature: string }[]
    }
    const verdicts = cases.map(({ message, pub_key: key, signature }) =>
      verifyStrict(fromHex(key), fromHex(message), fromHex(signature)) ? 'V' : 'X'
    )
    assert.equal(verdicts.join(' '), 'X X X V X X X X X X X X')
  })
})

describe('beacon', () => {
  const secret = beaconSecretOf('validator')
  const key = beaconKeyFromSecret(secret)
  const body = {
    chainId: 'test-1',
    genesisHash: new Uint8Array(32).fill(1),
    height: 10n,
    mix: new Uint8Array(32).fill(2)
  }

  it('signs like every library of the suite', () => {
    // consensus-spec-tests, bls/sign: the message of 32 zero bytes under the suite of this beacon
    const scalar = fromHex('263dbd792f5b1be47ed85f8938c0f29586af0d3ac7b977f21c278fe1462040e3')
    const { longSignatures } = bls12_381
    const suite = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_'
    const point = longSignatures.sign(longSignatures.hash(new Uint8Array(32), suite), scalar)
    assert.equal(
      toHex(longSignatures.Signature.toBytes(point)),
      'b6ed936746e01f8ecf281f020953fbf1f01debd5657c4a383940b020b26507f6076334f91e2366c96e9ab279fb5158090352ea1c5b0c9274504f4f0e7053af24802e51e4568d164fe986834f41e55c8e850ce1f98458c0cfc9ab380b55285a55'
    )
  })

  it('derives keys like EIP-2333 does its master key', () => {
    const seed = fromHex('3141592653589793238462643383279502884197169399375105820974944592')
    const scalar = 29757020647961307431480504535336562678282505419141012933316116377660817309383n
    const { G1, fields } = bls12_381
    assert.ok(scalar < fields.Fr.ORDER)
    const expected = G1.Point.BASE.multiply(scalar).toBytes()
    assert.equal(toHex(beaconKeyFromSecret(seed).publicKey), toHex(expected))
  })

  it('has one reveal per key, height and mix', () => {
    const reveal = key.reveal(body)
    assert.equal(toHex(beaconKeyFromSecret(secret).reveal(body)), toHex(reveal))
    assert.ok(verifyReveal(key.publicKey, body, reveal))
    assert.ok(!verifyReveal(key.publicKey, { ...body, height: 11n }, reveal))
    assert.ok(!verifyReveal(key.publicKey, { ...body, chainId: 'test-2' }, reveal))
    assert.ok(!verifyReveal(beaconKeyFromSecret(beaconSecretOf('other')).publicKey, body, reveal))
    assert.notEqual(toHex(nextMix(body.mix, reveal)), toHex(nextMix(body.mix, new Uint8Array(0))))
  })

  it('proves possession for one account, key and network, and never by a reveal', () => {
    const binding = {
      chainId: body.chainId,
      genesisHash: body.genesisHash,
      account: keyOf('alice').publicKey,
      voteKey: keyOf('vote/alice').publicKey,
      beaconKey: key.publicKey
    }
    const proof = key.provePossession(binding)
    assert.ok(verifyPossession(binding, proof))
    const other = beaconKeyFromSecret(beaconSecretOf('other')).publicKey
    for (const changes of [
      { chainId: 'test-2' },
      { genesisHash: new Uint8Array(32) },
      { account: keyOf('bob').publicKey },
      { voteKey: keyOf('vote/bob').publicKey },
      { beaconKey: other },
      { beaconKey: new Uint8Array(48) }
    ]) {
      assert.ok(!verifyPossession({ ...binding, ...changes }, proof))
    }
    assert.ok(!verifyPossession(binding, key.reveal(body)))
    assert.ok(!verifyReveal(key.publicKey, body, proof))
  })

  it('refuses bytes that are not the signature', () => {
    const reveal = key.reveal(body)
    for (const bad of [
      new Uint8Array(0),
      new Uint8Array(96),
      reveal.subarray(1),
      flipped(reveal, 0),
      flipped(reveal, 2),
      flipped(reveal, 700),
      Uint8Array.of(0xc0, ...new Uint8Array(95))
    ]) {
      assert.ok(!verifyReveal(key.publicKey, body, bad))
    }
  })

  it('knows keys that are points', () => {
    assert.ok(isBeaconKey(key.publicKey))
    assert.ok(!isBeaconKey(new Uint8Array(48)))
    assert.ok(!isBeaconKey(Uint8Array.of(0xc0, ...new Uint8Array(47))))
    assert.ok(!isBeaconKey(key.publicKey.subarray(1)))
  })
})

describe('leaders', () => {
  it('are drawn in proportion to power', () => {
    const set = [1n, 2n, 7n].map((power, i) => ({
      publicKey: keyOf(`v${i}`).publicKey,
      power,
      account: keyOf(`v${i}`).publicKey,
      beaconKey: new Uint8Array(48)
    }))
    const counts = [0, 0, 0]
    for (let view = 1n; view <= 3_000n; view++) {
      counts[leaderOf(set, { mix: new Uint8Array(32), height: 5n, view })]!++
    }
    assert.ok(Math.abs(counts[0]! - 300) < 90, `${counts}`)
    assert.ok(Math.abs(counts[1]! - 600) < 120, `${counts}`)
    assert.ok(Math.abs(counts[2]! - 2100) < 150, `${counts}`)
  })
})
