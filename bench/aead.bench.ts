/**
 * Sealing and opening the stripes of a segment, against one AES-256-GCM message of the same length in node:crypto, fed
 * in 64 KiB updates (the fastest way Node has). CPU time of one thread.
 */
import { createCipheriv } from 'node:crypto'
import { AEAD_TAG_BYTES, KIB, MIB } from '../src/base/limits.ts'
import {
  isLastStripe,
  openStripe,
  PROFILES,
  type Profile,
  plainAt,
  type SegmentLayout,
  type StripePlace,
  sealStripe,
  segmentLayout
} from '../src/storage/index.ts'
import { compare, cpuLoop, rowOf } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { randomBytes } from './support/bytes.ts'
import type { Area } from './types.ts'

const KEY = new Uint8Array(32).fill(3)
const UPDATE_BYTES: number = 64 * KIB
/** Fixed, so that the names of the rows stay when the default segment changes. */
const SEGMENT_BYTES: number = 32 * MIB

export const area: Area = {
  name: 'aead',
  about: 'stripe encryption against one big AES-256-GCM message of node:crypto',
  async *run(context) {
    const plain = randomBytes(SEGMENT_BYTES)
    for (const profile of Object.values(PROFILES)) {
      const layout = segmentLayout(profile, plain.length)
      const sealed = sealedStripes(layout, plain)
      const shares = Array.from({ length: layout.k }, () => new Uint8Array(layout.shareBytes))
      const rounds = await compare(
        [
          cpuLoop('seal', plain.length, () => {
            for (let index = 0; index < layout.stripes; index++) {
              sealStripe(KEY, placeOf(layout, index), stripeOf(layout, plain, index), shares)
            }
          }),
          cpuLoop('open', plain.length, () => {
            for (const [index, stripe] of sealed.entries()) {
              openStripe(KEY, placeOf(layout, index), stripe)
            }
          }),
          cpuLoop('node-gcm', plain.length, () => sealWhole(plain))
        ],
        context
      )
      for (const op of ['seal', 'open']) {
        yield rowOf(rounds, {
          name: aeadName(op, profile),
          ...{ ours: op, peers: ['node-gcm'], unit: 'MB', basis: 'cpu', guard: true }
        })
      }
    }
  }
}

function aeadName(op: string, { k, n }: Profile): string {
  return rowName('aead', op, { k, n, size: sizeOf(SEGMENT_BYTES) })
}

function placeOf(layout: SegmentLayout, index: number): StripePlace {
  return { index, final: isLastStripe(layout, index) }
}

function stripeOf(layout: SegmentLayout, plain: Uint8Array, index: number): Uint8Array {
  const { offset, bytes } = plainAt(layout, index)
  return plain.subarray(offset, offset + bytes)
}

function sealedStripes(layout: SegmentLayout, plain: Uint8Array): Uint8Array[] {
  return Array.from({ length: layout.stripes }, (_, index) => {
    const stripe = stripeOf(layout, plain, index)
    const out = new Uint8Array(stripe.length + AEAD_TAG_BYTES)
    sealStripe(KEY, placeOf(layout, index), stripe, [out])
    return out
  })
}

function sealWhole(plain: Uint8Array): void {
  const cipher = createCipheriv('aes-256-gcm', KEY, new Uint8Array(12))
  for (let at = 0; at < plain.length; at += UPDATE_BYTES) {
    cipher.update(plain.subarray(at, at + UPDATE_BYTES))
  }
  cipher.final()
  cipher.getAuthTag()
}
