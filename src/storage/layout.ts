/**
 * Where every byte of a segment lies: pure arithmetic, no bytes.
 *
 *   segment   plaintext, cut into stripes of k*shareBytes-16 bytes; the last stripe takes the rest
 *   stripe    ciphertext || 16-byte tag, cut into k data shares, plus n-k parity shares
 *   piece i   share i of stripe 0 || share i of stripe 1 || ...
 *
 * Only the last stripe may be shorter: its shares are max(32, ceil((rest+16)/k)) bytes. Its plaintext is zero padded
 * before it is sealed, so every share is full of ciphertext: no two pieces are alike, however small the segment.
 */
import { assert } from '../base/assert.ts'
import { HoldfastError } from '../base/errors.ts'
import { AEAD_TAG_BYTES, SEGMENT_BYTES_MAX } from '../base/limits.ts'
import { checkProfile, type Profile, shareBytesOf } from './profile.ts'

/** Shares this long of random-looking bytes differ from each other for all practical purposes. */
const LAST_SHARE_BYTES_MIN = 32

export interface SegmentLayout {
  readonly k: number
  readonly n: number
  /** Length of a share of every stripe but the last. */
  readonly shareBytes: number
  readonly stripes: number
  readonly lastShareBytes: number
  /** Plaintext in every stripe but the last. */
  readonly stripePlainBytes: number
  /** Length of each of the n pieces. */
  readonly pieceBytes: number
  /** Plaintext of the segment. */
  readonly plainBytes: number
}

/** A run of bytes. */
export interface Extent {
  readonly offset: number
  readonly bytes: number
}

/** Stripe indexes, both inclusive. */
export interface StripeRange {
  readonly first: number
  readonly last: number
}

/** @throws HoldfastError PROFILE_IMPOSSIBLE, INVALID_ARGUMENT unless 1 <= plainBytes <= SEGMENT_BYTES_MAX */
export function segmentLayout(profile: Profile, plainBytes: number): SegmentLayout {
  const { k, n } = checkProfile(profile)
  if (!Number.isInteger(plainBytes) || plainBytes < 1 || plainBytes > SEGMENT_BYTES_MAX) {
    throw new HoldfastError('INVALID_ARGUMENT', `segment of ${plainBytes} bytes`, {
      hint: `a segment holds 1 to ${SEGMENT_BYTES_MAX} bytes`
    })
  }
  const shareBytes = shareBytesOf(profile)
  const stripePlainBytes = k * shareBytes - AEAD_TAG_BYTES
  const stripes = Math.ceil(plainBytes / stripePlainBytes)
  const restBytes = plainBytes - (stripes - 1) * stripePlainBytes
  const lastShareBytes = Math.max(LAST_SHARE_BYTES_MIN, Math.ceil((restBytes + AEAD_TAG_BYTES) / k))
  const pieceBytes = (stripes - 1) * shareBytes + lastShareBytes
  return { k, n, shareBytes, stripes, lastShareBytes, stripePlainBytes, pieceBytes, plainBytes }
}

/**
 * Stripes that hold the plaintext bytes first..last (positions in the segment, inclusive).
 * @throws HoldfastError RANGE_INVALID
 */
export function stripeRange(layout: SegmentLayout, first: number, last: number): StripeRange {
  const fits = Number.isInteger(first) && Number.isInteger(last) && 0 <= first && first <= last
  if (!fits || last >= layout.plainBytes) {
    throw new HoldfastError(
      'RANGE_INVALID',
      `bytes ${first}-${last} of a segment of ${layout.plainBytes}`
    )
  }
  return {
    first: Math.floor(first / layout.stripePlainBytes),
    last: Math.floor(last / layout.stripePlainBytes)
  }
}

/** Where the share of a stripe lies inside any piece. */
export function shareAt(layout: SegmentLayout, stripe: number): Extent {
  assertStripe(layout, stripe)
  const bytes = isLastStripe(layout, stripe) ? layout.lastShareBytes : layout.shareBytes
  return { offset: stripe * layout.shareBytes, bytes }
}

/** Where the plaintext of a stripe lies inside the segment. */
export function plainAt(layout: SegmentLayout, stripe: number): Extent {
  assertStripe(layout, stripe)
  const offset = stripe * layout.stripePlainBytes
  return { offset, bytes: Math.min(layout.stripePlainBytes, layout.plainBytes - offset) }
}

/** Plaintext that fills a stripe, padding included. */
export function paddedPlainBytes(layout: SegmentLayout, stripe: number): number {
  return layout.k * shareAt(layout, stripe).bytes - AEAD_TAG_BYTES
}

export function isLastStripe(layout: SegmentLayout, stripe: number): boolean {
  return stripe === layout.stripes - 1
}

/** How many segments an object of that length has; 0 for an empty object. */
export function segmentsOf(objectBytes: number, segmentBytes: number): number {
  assert(Number.isSafeInteger(objectBytes) && objectBytes >= 0, 'object length')
  assert(Number.isInteger(segmentBytes) && segmentBytes > 0, 'segment length')
  return Math.ceil(objectBytes / segmentBytes)
}

function assertStripe(layout: SegmentLayout, stripe: number): void {
  assert(Number.isInteger(stripe) && stripe >= 0 && stripe < layout.stripes, 'stripe index')
}
