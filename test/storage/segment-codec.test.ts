import assert from 'node:assert/strict'
import { concat } from '../../src/base/bytes.ts'
import { createErasureCode, type ErasureCode } from '../../src/storage/erasure.ts'
import {
  plainAt,
  type SegmentLayout,
  segmentLayout,
  shareAt,
  stripeRange
} from '../../src/storage/layout.ts'
import { parseProfile, shareBytesOf } from '../../src/storage/profile.ts'
import { createSegmentDecoder } from '../../src/storage/segment-decoder.ts'
import { arenaBytes, createSegmentEncoder, piecesIn } from '../../src/storage/segment-encoder.ts'
import { suiteRandom } from './random.ts'

interface Encoded {
  layout: SegmentLayout
  code: ErasureCode
  key: Uint8Array
  plain: Uint8Array
  pieces: Uint8Array[]
}

describe('segment encoder and decoder', () => {
  const random = suiteRandom()
  const codes = new Map<string, ErasureCode>()

  before(async () => {
    for (const text of ['4/8', '4/10', '10/30', '29/80']) {
      codes.set(text, await createErasureCode(parseProfile(text)))
    }
  })

  function encode(profileText: string, plainBytes: number): Encoded {
    const code = codes.get(profileText)!
    const layout = segmentLayout(parseProfile(profileText), plainBytes)
    const key = random.bytes(32)
    const plain = random.bytes(plainBytes)
    // A used arena: nothing of what it held may shine through.
    const pieces = piecesIn(new Uint8Array(arenaBytes(layout)).fill(0xee), layout)
    const encoder = createSegmentEncoder({ layout, code, key, plain, pieces })
    const stripes = Array.from({ length: layout.stripes }, (_, i) => i)
    for (const stripe of random.shuffled(stripes)) encoder.encodeStripe(stripe)
    return { layout, code, key, plain, pieces }
  }

  function sharesOf({ layout, pieces }: Encoded, stripe: number): (Uint8Array | undefined)[] {
    const { offset, bytes } = shareAt(layout, stripe)
    return pieces.map(piece => piece.subarray(offset, offset + bytes))
  }

  function withoutSome(encoded: Encoded, stripe: number): (Uint8Array | undefined)[] {
    const { k, n } = encoded.layout
    const shares = sharesOf(encoded, stripe)
    const indexes = Array.from({ length: n }, (_, i) => i)
    for (const i of random.shuffled(indexes).slice(0, n - k)) shares[i] = undefined
    return shares
  }

  for (const text of ['4/8', '4/10', '10/30', '29/80']) {
    it(`restores segments of any length from any k of n pieces (${text})`, () => {
      const { k } = parseProfile(text)
      const stripeBytes = k * shareBytesOf(parseProfile(text))
      const edges = [0, 15, 16, 17].map(less => stripeBytes - less)
      for (const plainBytes of [1, 4095, 4096, 4097, ...edges, stripeBytes + 1, 2 * stripeBytes]) {
        const encoded = encode(text, plainBytes)
        const decoder = createSegmentDecoder(encoded)
        const parts = Array.from({ length: encoded.layout.stripes }, (_, stripe) =>
          decoder.decodeStripe(stripe, withoutSome(encoded, stripe))
        )
        assert.deepEqual(concat(...parts), encoded.plain, `${plainBytes} bytes`)
      }
    })
  }

  it('stores data shares as they are: the code is systematic', () => {
    const encoded = encode('4/8', 300_000)
    const decoder = createSegmentDecoder(encoded)
    const shares = sharesOf(encoded, 0).map((share, i) => (i < 4 ? share : undefined))
    const { bytes } = plainAt(encoded.layout, 0)
    assert.deepEqual(decoder.decodeStripe(0, shares), encoded.plain.subarray(0, bytes))
  })

  it('reads ranges by decoding only their stripes', () => {
    const encoded = encode('4/8', 1_000_000)
    const decoder = createSegmentDecoder(encoded)
    for (let round = 0; round < 20; round++) {
      const first = random.below(1_000_000)
      const last = first + random.below(1_000_000 - first)
      const stripes = stripeRange(encoded.layout, first, last)
      const parts: Uint8Array[] = []
      for (let stripe = stripes.first; stripe <= stripes.last; stripe++) {
        parts.push(decoder.decodeStripe(stripe, withoutSome(encoded, stripe)))
      }
      const skip = first - plainAt(encoded.layout, stripes.first).offset
      const range = concat(...parts).subarray(skip, skip + last - first + 1)
      assert.deepEqual(range, encoded.plain.subarray(first, last + 1))
    }
  })

  it('fails on altered, reordered and foreign stripes', () => {
    const encoded = encode('4/8', 3 * (4 * 65_536 - 16))
    const decoder = createSegmentDecoder(encoded)
    const failed = { code: 'DECRYPT_FAILED' }
    assert.throws(() => decoder.decodeStripe(1, sharesOf(encoded, 0)), failed)
    assert.throws(() => decoder.decodeStripe(2, sharesOf(encoded, 1)), failed)
    const altered = sharesOf(encoded, 0)
    altered[random.below(4)] = random.bytes(65_536)
    assert.throws(() => decoder.decodeStripe(0, altered), failed)
    const foreign = createSegmentDecoder({ ...encoded, key: random.bytes(32) })
    assert.throws(() => foreign.decodeStripe(0, sharesOf(encoded, 0)), failed)
  })

  it('fails when the segment was cut off at a stripe', () => {
    const stripeBytes = 4 * 65_536 - 16
    const encoded = encode('4/8', 2 * stripeBytes)
    const layout = segmentLayout({ k: 4, n: 8 }, stripeBytes)
    const decoder = createSegmentDecoder({ ...encoded, layout })
    assert.throws(() => decoder.decodeStripe(0, sharesOf(encoded, 0)), { code: 'DECRYPT_FAILED' })
  })

  it('says when fewer than k shares are left', () => {
    const encoded = encode('4/8', 1000)
    const decoder = createSegmentDecoder(encoded)
    const shares = sharesOf(encoded, 0).map((share, i) => (i < 3 ? share : undefined))
    assert.throws(() => decoder.decodeStripe(0, shares), { code: 'UNRECOVERABLE' })
  })
})
