/** Any k shares of a stripe -> its plaintext. */
import { assert } from '../base/assert.ts'
import { openStripe } from './encrypt.ts'
import type { ErasureCode } from './erasure.ts'
import { isLastStripe, plainAt, type SegmentLayout, shareAt } from './layout.ts'

export interface SegmentDecoderInit {
  readonly layout: SegmentLayout
  /** Of the layout's profile. */
  readonly code: ErasureCode
  /** 32-byte segment key. */
  readonly key: Uint8Array
}

export interface SegmentDecoder {
  /**
   * Plaintext of one stripe, in fresh memory. `shares[i]` is the share of piece i, already verified against the piece
   * root and as long as `shareAt(layout, index)` says, or undefined; n entries.
   * @throws HoldfastError UNRECOVERABLE with fewer than k shares, DECRYPT_FAILED when key or shares are not right
   */
  decodeStripe(index: number, shares: readonly (Uint8Array | undefined)[]): Uint8Array
}

export function createSegmentDecoder(init: SegmentDecoderInit): SegmentDecoder {
  const { layout, code, key } = init
  assert(code.k === layout.k && code.n === layout.n, 'erasure code and layout of one profile')
  let scratch = new Uint8Array(0)

  const decodeStripe = (index: number, shares: readonly (Uint8Array | undefined)[]): Uint8Array => {
    assert(shares.length === layout.n, 'one entry for each piece')
    const shareBytes = shareAt(layout, index).bytes
    const shardsBytes = layout.n * shareBytes
    if (scratch.length < shardsBytes) scratch = new Uint8Array(shardsBytes)
    const shards = scratch.subarray(0, shardsBytes)
    for (const [i, share] of shares.entries()) {
      if (share === undefined) continue
      assert(share.length === shareBytes, 'a share has the length in the layout')
      shards.set(share, i * shareBytes)
    }
    code.reconstructData(
      shards,
      shareBytes,
      shares.map(share => share !== undefined)
    )
    const place = { index, final: isLastStripe(layout, index) }
    const plain = openStripe(key, place, shards.subarray(0, layout.k * shareBytes))
    return plain.subarray(0, plainAt(layout, index).bytes)
  }

  return { decodeStripe }
}
