/** Texts of accounts and pieces: what is written is read back, and a typing error is noticed. */
import assert from 'node:assert/strict'
import { bech32, bech32m } from '@scure/base'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import { accountOfAddress, addressOf } from '../../src/base/address.ts'
import { toHex } from '../../src/base/bytes.ts'
import { pieceIdOf, rootOfPieceId } from '../../src/base/piece-id.ts'
import { suiteRandom } from '../storage/random.ts'

const LETTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

describe('address', () => {
  const random = suiteRandom()

  it('writes and reads accounts', () => {
    for (let i = 0; i < 50; i++) {
      const account = random.bytes(32)
      const address = addressOf(account)
      assert.match(address, /^hf1[a-z0-9]{58}$/)
      assert.equal(toHex(accountOfAddress(address)), toHex(account))
      assert.equal(toHex(accountOfAddress(address.toUpperCase())), toHex(account))
    }
  })

  it('notices one to three wrong letters, and swapped ones', () => {
    for (let i = 0; i < 200; i++) {
      const address = addressOf(random.bytes(32))
      const letters = [...address]
      for (let wrong = 1 + random.below(3); wrong > 0; wrong--) {
        const at = 3 + random.below(letters.length - 3)
        const others = [...LETTERS].filter(letter => letter !== address[at])
        letters[at] = others[random.below(others.length)]!
      }
      assert.throws(() => accountOfAddress(letters.join('')), { code: 'INVALID_ARGUMENT' })
      const at = 3 + random.below(address.length - 4)
      const swapped = address.slice(0, at) + address[at + 1] + address[at] + address.slice(at + 2)
      if (swapped === address) continue
      assert.throws(() => accountOfAddress(swapped), { code: 'INVALID_ARGUMENT' })
    }
  })

  it('refuses other prefixes, lengths, checksums and noise', () => {
    const account = random.bytes(32)
    const refused = [
      '',
      'hf1',
      'nobody',
      bech32m.encodeFromBytes('bc', account),
      bech32m.encodeFromBytes('hf', account.subarray(1)),
      bech32m.encodeFromBytes('hf', random.bytes(33)),
      bech32.encodeFromBytes('hf', account),
      `${addressOf(account)}q`,
      ` ${addressOf(account)}`,
      `Hf${addressOf(account).slice(2)}`,
      'h'.repeat(5000)
    ]
    for (const text of refused) {
      assert.throws(() => accountOfAddress(text), { code: 'INVALID_ARGUMENT' }, text)
    }
  })
})

describe('piece id', () => {
  const random = suiteRandom()

  it('is the CID that other tools compute', () => {
    // `b3sum </dev/null`, as CIDv1 raw blake3
    const empty = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'
    const id = pieceIdOf(new Uint8Array(Buffer.from(empty, 'hex')))
    assert.equal(id, 'bafkr4ifpcne3t5pzugtkaqcn5i3nzskjtpfslsnnyejlpte2spfoihzsmi')
    const { version, code, multihash } = CID.parse(id)
    assert.deepEqual([version, code, multihash.code, multihash.size], [1, 0x55, 0x1e, 32])
    assert.equal(toHex(multihash.digest), empty)
  })

  it('reads what it writes', () => {
    for (let i = 0; i < 50; i++) {
      const root = random.bytes(32)
      assert.equal(toHex(rootOfPieceId(pieceIdOf(root))), toHex(root))
    }
  })

  it('refuses every other kind of CID', () => {
    const root = random.bytes(32)
    const refused = [
      CID.createV1(0x71, create(0x1e, root)).toString(),
      CID.createV1(0x55, create(0x12, root)).toString(),
      CID.createV0(create(0x12, root) as Parameters<typeof CID.createV0>[0]).toString(),
      CID.createV1(0x55, create(0x1e, root.subarray(1))).toString(),
      pieceIdOf(root).slice(0, -1),
      `${pieceIdOf(root)}a`,
      '',
      'bafk',
      'x'.repeat(10_000)
    ]
    for (const text of refused) {
      assert.throws(() => rootOfPieceId(text), { code: 'INVALID_ARGUMENT' }, text.slice(0, 80))
    }
  })
})
