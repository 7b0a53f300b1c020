/**
 * Segment -> n pieces, stripe by stripe, so that the caller can hash shares while they are in the cache, and yield to
 * the event loop in between. A stripe is sealed, coded and hashed where the code works; one copy takes it to its
 * pieces.
 */
import { assert } from '../base/assert.ts'
import { sealStripe } from './encrypt.ts'
import type { ErasureCode } from './erasure.ts'
import { isLastStripe, plainAt, type SegmentLayout, shareAt } from './layout.ts'

export interface SegmentEncoderInit {
  readonly layout: SegmentLayout
  /** Of the layout's profile. */
  readonly code: ErasureCode
  /** 32-byte segment key: random, for this segment only. */
  readonly key: Uint8Array
  /** The segment: layout.plainBytes bytes. */
  readonly plain: Uint8Array
  /** Where the pieces go: n views of layout.pieceBytes bytes each. */
  readonly pieces: readonly Uint8Array[]
}

export interface SegmentEncoder {
  /**
   * Seals one stripe and writes each of its n shares at `shareAt(layout, index)` of its piece.
   * @returns the same shares in the memory of the code: gone with the next use of the code
   */
  encodeStripe(index: number): readonly Uint8Array[]
}

/** Pieces in an arena begin with a cache line: copies out of shared memory are eight times slower elsewhere. */
const PIECE_ALIGN_BYTES = 64

/** Memory for all pieces of a segment. */
export function arenaBytes(layout: SegmentLayout): number {
  return layout.n * pieceStrideBytes(layout)
}

/** The n pieces in an arena of at least `arenaBytes(layout)` bytes. */
export function piecesIn(arena: Uint8Array, layout: SegmentLayout): Uint8Array[] {
  assert(arena.length >= arenaBytes(layout), 'room for every piece')
  const stride = pieceStrideBytes(layout)
  return Array.from({ length: layout.n }, (_, i) =>
    arena.subarray(i * stride, i * stride + layout.pieceBytes)
  )
}

function pieceStrideBytes({ pieceBytes }: SegmentLayout): number {
  return Math.ceil(pieceBytes / PIECE_ALIGN_BYTES) * PIECE_ALIGN_BYTES
}

export function createSegmentEncoder(init: SegmentEncoderInit): SegmentEncoder {
  const { layout, code, key, plain, pieces } = init
  assert(code.k === layout.k && code.n === layout.n, 'erasure code and layout of one profile')
  assert(plain.length === layout.plainBytes, 'plaintext of the length in the layout')
  assert(pieces.length === layout.n, 'room for every piece')
  assert(
    pieces.every(({ length }) => length === layout.pieceBytes),
    'pieces of the length in the layout'
  )

  const encodeStripe = (index: number): readonly Uint8Array[] => {
    const share = shareAt(layout, index)
    const text = plainAt(layout, index)
    const { shares, encode } = code.stripe(share.bytes)
    sealStripe(
      key,
      { index, final: isLastStripe(layout, index) },
      plain.subarray(text.offset, text.offset + text.bytes),
      shares.slice(0, layout.k)
    )
    encode()
    for (const [i, piece] of pieces.entries()) copyInto(piece, share.offset, shares[i]!)
    return shares
  }

  return { encodeStripe }
}

/** Into shared memory `set` goes word by word. Part of a buffer is copied as fast as the memory can. */
function copyInto(
  target: Uint8Array,
  at: number,
  { buffer, byteOffset, length }: Uint8Array
): void {
  Buffer.from(buffer).copy(target, at, byteOffset, byteOffset + length)
}
