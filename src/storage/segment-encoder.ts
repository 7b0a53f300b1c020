/** Segment -> n pieces, stripe by stripe, so that the caller can hash shares and yield to the event loop in between. */
import { assert } from '../base/assert.ts'
import { sealStripe } from './encrypt.ts'
import type { ErasureCode } from './erasure.ts'
import { isLastStripe, paddedPlainBytes, plainAt, type SegmentLayout, shareAt } from './layout.ts'

export interface SegmentEncoderInit {
  readonly layout: SegmentLayout
  /** Of the layout's profile. */
  readonly code: ErasureCode
  /** 32-byte segment key: random, for this segment only. */
  readonly key: Uint8Array
  /** The segment: layout.plainBytes bytes. */
  readonly plain: Uint8Array
  /** Arena of at least n*pieceBytes bytes; piece i is written at i*pieceBytes. */
  readonly pieces: Uint8Array
}

export interface SegmentEncoder {
  /** Seals one stripe and writes its n shares into the arena, each at `shareAt(layout, index)` of its piece. */
  encodeStripe(index: number): void
  /** View of piece i in the arena; complete once every stripe has been encoded. */
  piece(index: number): Uint8Array
}

export function createSegmentEncoder(init: SegmentEncoderInit): SegmentEncoder {
  const { layout, code, key, plain, pieces } = init
  assert(code.k === layout.k && code.n === layout.n, 'erasure code and layout of one profile')
  assert(plain.length === layout.plainBytes, 'plaintext of the length in the layout')
  assert(pieces.length >= layout.n * layout.pieceBytes, 'room for every piece')
  const largest = Math.max(shareAt(layout, 0).bytes, layout.lastShareBytes)
  const scratch = new Uint8Array(layout.n * largest)

  const piece = (index: number): Uint8Array => {
    assert(Number.isInteger(index) && index >= 0 && index < layout.n, 'piece index')
    return pieces.subarray(index * layout.pieceBytes, (index + 1) * layout.pieceBytes)
  }

  const encodeStripe = (index: number): void => {
    const share = shareAt(layout, index)
    const text = plainAt(layout, index)
    const shards = scratch.subarray(0, layout.n * share.bytes)
    sealStripe(
      key,
      { index, final: isLastStripe(layout, index) },
      padded(
        plain.subarray(text.offset, text.offset + text.bytes),
        paddedPlainBytes(layout, index)
      ),
      shards
    )
    code.encode(shards, share.bytes)
    for (let i = 0; i < layout.n; i++) {
      piece(i).set(shards.subarray(i * share.bytes, (i + 1) * share.bytes), share.offset)
    }
  }

  return { encodeStripe, piece }
}

/** The same bytes where nothing is missing, which is every stripe but the last. */
function padded(plain: Uint8Array, bytes: number): Uint8Array {
  if (plain.length === bytes) return plain
  const out = new Uint8Array(bytes)
  out.set(plain)
  return out
}
