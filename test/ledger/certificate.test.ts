import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/base/errors.ts'
import type { SigningKey } from '../../src/base/keys.ts'
import {
  faultsTolerated,
  makeCertificate,
  quorumOf,
  signVote,
  verifyCertificate
} from '../../src/ledger/certificate.ts'
import { type Certificate, VOTE_KINDS, type Vote } from '../../src/ledger/types/block.ts'
import type { Validator } from '../../src/ledger/types/records.ts'
import { BitArray } from '../../src/ledger/types/ssz.ts'
import { flipped } from '../proofs/random.ts'
import { keyOf } from './support.ts'

const network = { chainId: 'test-1', genesisHash: new Uint8Array(32).fill(1) }
const blockHash = new Uint8Array(32).fill(2)
const kind = VOTE_KINDS.finalize
const vote: Vote = { ...network, kind, height: 7n, view: 2n, blockHash }
const expected = { kind, height: 7n, blockHash }

function setOf(powers: readonly bigint[]): { set: Validator[]; keys: SigningKey[] } {
  const keys = powers.map((_, i) => keyOf(`validator/${i}`))
  const set = powers.map((power, i) => ({
    publicKey: keys[i]!.publicKey,
    power,
    account: keys[i]!.publicKey,
    beaconKey: new Uint8Array(48)
  }))
  return { set, keys }
}

function certOf(set: Validator[], keys: SigningKey[], by: readonly number[]): Certificate {
  const votes = by.map(index => ({ index, signature: signVote(keys[index]!, vote) }))
  return makeCertificate(vote, set, votes)
}

describe('quorum', () => {
  it('is floor(2W/3) + 1 for one to ten validators', () => {
    const quorums = [1, 2, 3, 3, 4, 5, 5, 6, 7, 7]
    for (const [i, quorum] of quorums.entries()) {
      const n = BigInt(i + 1)
      assert.equal(quorumOf(n), BigInt(quorum), `n = ${n}`)
    }
    assert.deepEqual([1, 3, 4, 6, 7, 10, 100].map(faultsTolerated), [0, 0, 1, 1, 2, 3, 33])
  })

  it('makes any two quorums share more than a third, for all weights', () => {
    for (let power = 1n; power <= 1_000n; power++) {
      const shared = 2n * quorumOf(power) - power
      assert.ok(3n * shared > power, `W = ${power}`)
      assert.ok(quorumOf(power) <= power)
    }
  })
})

describe('certificates', () => {
  it('hold exactly from the quorum on, by weight and not by heads', () => {
    const { set, keys } = setOf([5n, 1n, 1n, 3n, 1n])
    const ok = (by: number[]): boolean => {
      try {
        verifyCertificate(certOf(set, keys, by), set, network, expected)
        return true
      } catch (error) {
        assert.ok(HoldfastError.is(error, 'BLOCK_INVALID'))
        return false
      }
    }
    assert.ok(ok([0, 3]), '8 of 11')
    assert.ok(ok([3, 0, 1]), 'in any order')
    assert.ok(!ok([0, 1, 2]), '7 of 11')
    assert.ok(!ok([1, 2, 3, 4]), '6 of 11')
    assert.ok(!ok([]))
    assert.ok(ok([0, 1, 2, 3, 4]))
  })

  it('hold for every set of one to ten equals, and one fewer does not', () => {
    for (let n = 1; n <= 10; n++) {
      const { set, keys } = setOf(Array.from({ length: n }, () => 1n))
      const quorum = Number(quorumOf(BigInt(n)))
      const by = (count: number) => Array.from({ length: count }, (_, i) => i)
      verifyCertificate(certOf(set, keys, by(quorum)), set, network, expected)
      const fewer = certOf(set, keys, by(quorum - 1))
      assert.throws(() => verifyCertificate(fewer, set, network, expected), /below the quorum/)
    }
  })

  const { set, keys } = setOf([1n, 1n, 1n, 1n])
  const good = certOf(set, keys, [0, 1, 3])
  const bits = (...on: boolean[]) => BitArray.fromBoolArray(on)
  const forgeries: [string, Certificate, RegExp][] = [
    [
      'one signature counted for two',
      { ...good, signatures: [good.signatures[0]!, good.signatures[0]!, good.signatures[2]!] },
      /does not verify/
    ],
    [
      'more bits than signatures',
      { ...good, signers: bits(true, true, true, true) },
      /one signature per signer/
    ],
    [
      'more signatures than bits',
      { ...good, signers: bits(true, true, false, false) },
      /one signature per signer/
    ],
    [
      'signatures in another order',
      { ...good, signatures: [...good.signatures].reverse() },
      /does not verify/
    ],
    ['other bits', { ...good, signers: bits(true, true, true, false) }, /does not verify/],
    [
      'a longer set',
      { ...good, signers: bits(true, true, false, true, false) },
      /another validator set/
    ],
    ['another kind', { ...good, kind: VOTE_KINDS.notarize }, /another kind/],
    ['another height', { ...good, height: 8n }, /height/],
    ['another view', { ...good, view: 3n }, /does not verify/],
    ['no view', { ...good, view: 0n }, /no view/],
    ['another block', { ...good, blockHash: flipped(blockHash, 0) }, /another block/],
    [
      'a flipped signature bit',
      { ...good, signatures: [flipped(good.signatures[0]!, 9), ...good.signatures.slice(1)] },
      /does not verify/
    ]
  ]
  for (const [what, cert, problem] of forgeries) {
    it(`do not hold with ${what}`, () => {
      verifyCertificate(good, set, network, expected)
      assert.throws(() => verifyCertificate(cert, set, network, expected), problem)
    })
  }

  it('do not hold with votes of another kind, network or set', () => {
    const certified = (changes: Partial<Vote>, signers = keys) => {
      const other = { ...vote, ...changes }
      const votes = [0, 1, 2].map(index => ({ index, signature: signVote(signers[index]!, other) }))
      return { ...makeCertificate(vote, set, votes) }
    }
    for (const cert of [
      certified({ kind: VOTE_KINDS.notarize }),
      certified({ chainId: 'test-2' }),
      certified({ genesisHash: new Uint8Array(32) }),
      certified({}, [keyOf('x'), keyOf('y'), keyOf('z')])
    ]) {
      assert.throws(() => verifyCertificate(cert, set, network, expected), /does not verify/)
    }
  })

  it('are not made of two votes of one validator', () => {
    const signature = signVote(keys[0]!, vote)
    const twice = [0, 0, 1].map(index => ({ index, signature }))
    assert.throws(() => makeCertificate(vote, set, twice), /distinct/)
  })
})
