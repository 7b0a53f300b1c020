import assert from 'node:assert/strict'
import { AEAD_TAG_BYTES, PIECE_BYTES_MAX, SEGMENT_BYTES_MAX } from '../../src/base/limits.ts'
import {
  plainAt,
  segmentLayout,
  segmentsOf,
  shareAt,
  stripeRange
} from '../../src/storage/layout.ts'
import { parseProfile, shareBytesOf } from '../../src/storage/profile.ts'
import { suiteRandom } from './random.ts'

describe('layout', () => {
  const random = suiteRandom()

  it('fills a stripe to the last byte before it starts another', () => {
    const profile = parseProfile('4/8')
    const full = 4 * 65_536 - AEAD_TAG_BYTES
    assert.deepEqual(segmentLayout(profile, full), {
      k: 4,
      n: 8,
      shareBytes: 65_536,
      stripes: 1,
      lastShareBytes: 65_536,
      stripePlainBytes: full,
      pieceBytes: 65_536,
      plainBytes: full
    })
    const more = segmentLayout(profile, full + 1)
    assert.deepEqual([more.stripes, more.lastShareBytes, more.pieceBytes], [2, 32, 65_568])
    assert.equal(segmentLayout(profile, full - 4).lastShareBytes, 65_535)
  })

  it('covers every segment without gap or overlap', () => {
    for (let round = 0; round < 300; round++) {
      const n = 2 + random.below(255)
      const profile = { k: 1 + random.below(n - 1), n }
      const plainBytes = 1 + random.below(round % 2 === 0 ? 3_000_000 : SEGMENT_BYTES_MAX)
      const layout = segmentLayout(profile, plainBytes)
      let pieceBytes = 0
      let covered = 0
      for (let stripe = 0; stripe < layout.stripes; stripe++) {
        const share = shareAt(layout, stripe)
        const plain = plainAt(layout, stripe)
        assert.equal(share.offset, pieceBytes)
        assert.equal(plain.offset, covered)
        const spare = layout.k * share.bytes - plain.bytes - AEAD_TAG_BYTES
        const smallest = share.bytes === 32
        assert.ok(spare >= 0 && (spare < layout.k || smallest))
        assert.ok(share.bytes <= shareBytesOf(profile))
        assert.ok(plain.bytes >= 1)
        pieceBytes += share.bytes
        covered += plain.bytes
      }
      assert.equal(pieceBytes, layout.pieceBytes)
      assert.equal(covered, plainBytes)
    }
  })

  it('keeps the largest piece within its limit', () => {
    for (let k = 1; k < 256; k++) {
      assert.ok(segmentLayout({ k, n: 256 }, SEGMENT_BYTES_MAX).pieceBytes <= PIECE_BYTES_MAX)
    }
  })

  it('names the stripes of a range', () => {
    const layout = segmentLayout({ k: 4, n: 8 }, 1_000_000)
    const edge = layout.stripePlainBytes
    assert.deepEqual(stripeRange(layout, 0, 0), { first: 0, last: 0 })
    assert.deepEqual(stripeRange(layout, edge - 1, edge), { first: 0, last: 1 })
    assert.deepEqual(stripeRange(layout, edge, 2 * edge - 1), { first: 1, last: 1 })
    assert.deepEqual(stripeRange(layout, 0, 999_999), { first: 0, last: 3 })
  })

  it('refuses ranges and segments that do not exist', () => {
    const layout = segmentLayout({ k: 4, n: 8 }, 1000)
    for (const [first, last] of [
      [-1, 0],
      [0, 1000],
      [5, 4],
      [0.5, 1],
      [0, Number.NaN]
    ]) {
      assert.throws(() => stripeRange(layout, first!, last!), { code: 'RANGE_INVALID' })
    }
    for (const bytes of [0, -1, 1.5, SEGMENT_BYTES_MAX + 1, Number.NaN]) {
      assert.throws(() => segmentLayout({ k: 4, n: 8 }, bytes), { code: 'INVALID_ARGUMENT' })
    }
    assert.throws(() => segmentLayout({ k: 8, n: 8 }, 1), { code: 'PROFILE_IMPOSSIBLE' })
    assert.throws(() => shareAt(layout, 1), { name: 'AssertionError' })
  })

  it('counts segments', () => {
    const counts = [0, 1, 99, 100, 101, 1000].map(bytes => segmentsOf(bytes, 100))
    assert.deepEqual(counts, [0, 1, 1, 1, 2, 10])
  })
})
