import assert from 'node:assert/strict'
import { STREAM_WINDOW_BYTES_MAX } from '../../../src/node/net/limits.ts'
import { frameLengthCheck } from '../../../src/node/net/yamux-guard.ts'
import { SEED, seededRandom } from './support.ts'

const DATA = 0
const WINDOW_UPDATE = 1

describe('node/net/yamux-guard', () => {
  it('passes honest frames however they are cut, and stops at the first one that is too long', () => {
    const random = seededRandom(SEED)
    for (let round = 0; round < 50; round += 1) {
      const frames = Array.from({ length: 1 + random.below(8) }, () =>
        random.below(3) === 0
          ? frame(WINDOW_UPDATE, 2 ** 32 - 1, 0)
          : frame(DATA, random.below(500), undefined)
      )
      const check = frameLengthCheck()
      assert.ok(feed(check, Buffer.concat(frames), random), `seed ${SEED}`)
      const bad = frame(DATA, STREAM_WINDOW_BYTES_MAX + 1 + random.below(2 ** 31), 0)
      assert.ok(!feed(check, bad, random), `seed ${SEED}`)
    }
  })

  it('accepts a frame of a whole window', () => {
    const check = frameLengthCheck()
    assert.ok(check(frame(DATA, STREAM_WINDOW_BYTES_MAX, STREAM_WINDOW_BYTES_MAX)))
    assert.ok(!check(frame(DATA, STREAM_WINDOW_BYTES_MAX + 1, 0)))
  })
})

function frame(type: number, length: number, bodyBytes: number = length): Uint8Array {
  const out = Buffer.alloc(12 + bodyBytes, 0xee)
  out.writeUInt8(0, 0)
  out.writeUInt8(type, 1)
  out.writeUInt32BE(length, 8)
  return out
}

function feed(
  check: (bytes: Uint8Array) => boolean,
  bytes: Uint8Array,
  random: ReturnType<typeof seededRandom>
): boolean {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random.below(40)
    if (!check(bytes.subarray(at, end))) return false
    at = end
  }
  return true
}
