/** Asks as a client receives them: from strangers, byte by byte. */
import assert from 'node:assert/strict'
import { concat, fromHex, toHex } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { signingKeyFromSeed } from '../../src/base/keys.ts'
import { PIECE_BYTES_MAX } from '../../src/base/limits.ts'
import { UNITS_MAX } from '../../src/base/money.ts'
import {
  ASK_BYTES_MAX,
  type Ask,
  assertAskCurrent,
  encodeAsk,
  openAsk,
  signAsk,
  TAG_BYTES_MAX
} from '../../src/market/index.ts'
import { flipped } from '../proofs/random.ts'
import { suiteRandom } from '../storage/random.ts'
import { askOf, golden, goldenValue, HEIGHT, network, node, wallet } from './support.ts'

describe('ask', () => {
  const random = suiteRandom()
  const context = { network, height: HEIGHT, peerKey: node.publicKey }
  const signed = (changes: Partial<Ask> = {}): ReturnType<typeof encodeAsk> =>
    encodeAsk(signAsk(askOf(changes), wallet))

  it('has the frozen bytes and signature', () => {
    const key = signingKeyFromSeed(fromHex(golden.walletSeed))
    for (const vector of golden.asks) {
      const { ask, signature } = encodeAsk(signAsk(goldenValue<Ask>(vector), key))
      assert.equal(toHex(ask), vector.bytes)
      assert.equal(toHex(signature), vector.signature)
      assert.ok(ask.length + signature.length <= ASK_BYTES_MAX)
    }
  })

  it('is read as it was written', () => {
    const widest = {
      chainId: 'c'.repeat(32),
      region: 'r'.repeat(TAG_BYTES_MAX),
      operator: '~'.repeat(TAG_BYTES_MAX),
      priceUnitsPerGiBPeriod: UNITS_MAX,
      egressUnitsPerGiB: UNITS_MAX,
      collateralUnits: UNITS_MAX,
      dealPeriodsMin: 2 ** 32 - 1,
      dealPeriodsMax: 2 ** 32 - 1,
      pieceBytesMin: PIECE_BYTES_MAX,
      pieceBytesMax: PIECE_BYTES_MAX,
      freeBytes: 2n ** 64n - 1n,
      validUntilHeight: 2n ** 64n - 1n
    }
    for (const changes of [{}, { region: '', operator: '' }, widest]) {
      const { ask } = openAsk(signed(changes), context)
      assert.deepEqual(ask, askOf(changes))
    }
    assert.ok(signed(widest).ask.length <= ASK_BYTES_MAX)
  })

  it('is good up to its last height', () => {
    const validUntilHeight = HEIGHT
    openAsk(signed({ validUntilHeight }), context)
    assert.throws(
      () => openAsk(signed({ validUntilHeight }), { ...context, height: HEIGHT + 1n }),
      {
        code: 'ASK_EXPIRED',
        retryable: true
      }
    )
    assertAskCurrent(askOf(), HEIGHT)
    assert.throws(() => assertAskCurrent(askOf(), HEIGHT + 51n), { code: 'ASK_EXPIRED' })
  })

  it('counts on its own network only', () => {
    const genesisHash = random.bytes(32)
    assert.throws(() => openAsk(signed({ genesisHash }), context), { code: 'WRONG_NETWORK' })
    const elsewhere = { ...network, genesisHash }
    assert.throws(() => openAsk(signed(), { ...context, network: elsewhere }), {
      code: 'WRONG_NETWORK'
    })
  })

  it('counts from the peer it names only, signed by the account it names', () => {
    const peerKey = random.bytes(32)
    assert.throws(() => openAsk(signed(), { ...context, peerKey }), { code: 'ASK_INVALID' })
    const thief = signingKeyFromSeed(random.bytes(32))
    const stolen = encodeAsk(signAsk(askOf(), thief))
    assert.throws(() => openAsk(stolen, context), { code: 'ASK_INVALID', message: /signature/ })
    const { ask } = signed()
    const { signature } = signed({ priceUnitsPerGiBPeriod: 1n })
    assert.throws(() => openAsk({ ask, signature }, context), { code: 'ASK_INVALID' })
  })

  it('promises nothing impossible, even when signed', () => {
    const refused: Partial<Ask>[] = [
      { priceUnitsPerGiBPeriod: UNITS_MAX + 1n },
      { collateralUnits: UNITS_MAX + 1n },
      { collateralUnits: 2n ** 64n - 1n },
      { egressUnitsPerGiB: UNITS_MAX + 1n },
      { dealPeriodsMin: 101 },
      { pieceBytesMin: (1 << 20) + 1 },
      { pieceBytesMax: PIECE_BYTES_MAX + 1 },
      { region: 'a\u0000b' },
      { region: '\u001b[2J' },
      { operator: 'a\nb' },
      { operator: 'caf\u00e9' },
      { operator: '\u007f' }
    ]
    for (const changes of refused) {
      const problem = JSON.stringify(changes, (_, v: unknown) =>
        typeof v === 'bigint' ? `${v}` : v
      )
      assert.throws(() => openAsk(signed(changes), context), { code: 'ASK_INVALID' }, problem)
    }
  })

  it('is refused when longer than any ask, or cut, or followed by more', () => {
    const { ask, signature } = signed()
    const refused = [
      concat(ask, Uint8Array.of(0)),
      concat(ask, new Uint8Array(100_000)),
      ask.subarray(1),
      ask.subarray(0, -1),
      new Uint8Array(0)
    ]
    for (const bytes of refused) {
      assert.throws(() => openAsk({ ask: bytes, signature }, context), { code: 'ASK_INVALID' })
    }
    for (const length of [0, 63, 65]) {
      const bad = { ask, signature: new Uint8Array(length) }
      assert.throws(() => openAsk(bad, context), { code: 'ASK_INVALID' })
    }
  })

  it('survives no flipped bit', () => {
    const { ask, signature } = signed()
    for (let bit = 0; bit < ask.length * 8; bit++) {
      assertRefused({ ask: flipped(ask, bit), signature }, `bit ${bit} of the ask`)
    }
    for (let bit = 0; bit < 512; bit++) {
      assertRefused({ ask, signature: flipped(signature, bit) }, `bit ${bit} of the signature`)
    }
  })

  it('survives no other change either', () => {
    const { ask, signature } = signed()
    for (let i = 0; i < 500; i++) {
      const from = random.below(ask.length)
      const to = from + random.below(ask.length - from + 1)
      const middle = random.bytes(random.below(50))
      const bytes = concat(ask.subarray(0, from), middle, ask.subarray(to))
      if (toHex(bytes) === toHex(ask)) continue
      assertRefused({ ask: bytes, signature }, toHex(bytes))
    }
  })

  function assertRefused(bytes: { ask: Uint8Array; signature: Uint8Array }, what: string): void {
    assert.throws(
      () => openAsk(bytes, context),
      error =>
        HoldfastError.is(error, 'ASK_INVALID') ||
        HoldfastError.is(error, 'WRONG_NETWORK') ||
        HoldfastError.is(error, 'ASK_EXPIRED'),
      what
    )
  }
})
