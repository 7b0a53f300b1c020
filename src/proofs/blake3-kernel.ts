// biome-ignore-all format: one quarter round per four lines is the clearest form of this loop
/**
 * BLAKE3 compression in plain TypeScript (specification: BLAKE3 paper, sections 2.1-2.4), default hash mode only. One
 * function compresses a run of blocks and keeps state and message in local variables, which the optimising compiler
 * turns into registers: about ten times @noble/hashes. A round is written out once and the message words are permuted
 * between rounds; writing out all seven gained another 15 % for seven times the text.
 */
import { assert } from '../base/assert.ts'

export const CV_WORDS = 8
export const BLOCK_WORDS = 16
export const BLOCK_BYTES = 64

export const FLAG_CHUNK_START = 1
export const FLAG_CHUNK_END = 2
export const FLAG_PARENT = 4
export const FLAG_ROOT = 8

const ROUNDS = 7
const COUNTER_LOW_RANGE = 2 ** 32

assert(
  new Uint8Array(Uint32Array.of(1).buffer)[0] === 1,
  'piece roots are computed on little-endian machines only'
)

/**
 * Compresses `blocks` consecutive blocks from word `at` of `source`, starting from the IV, and writes the 8-word
 * chaining value to word `outAt` of `out` (which may be `source`, also overlapping the input).
 * @param lastBlockBytes bytes used of the last block (0..64), the rest of it must be zero
 * @param counter chunk index, 0 for parents
 * @param startFlags flags of the first block
 * @param endFlags flags of the last block
 */
export function compressBlocks(
  source: Uint32Array, at: number, blocks: number, lastBlockBytes: number, counter: number,
  startFlags: number, endFlags: number, out: Uint32Array, outAt: number
): void {
  const counterHigh = (counter / COUNTER_LOW_RANGE) | 0
  let h0 = 0x6a09e667, h1 = 0xbb67ae85 | 0, h2 = 0x3c6ef372, h3 = 0xa54ff53a | 0
  let h4 = 0x510e527f, h5 = 0x9b05688c | 0, h6 = 0x1f83d9ab, h7 = 0x5be0cd19
  for (let block = 0; block < blocks; block++) {
    const isLast = block === blocks - 1
    const p = at + block * BLOCK_WORDS
    let m0 = source[p]!, m1 = source[p + 1]!, m2 = source[p + 2]!, m3 = source[p + 3]!
    let m4 = source[p + 4]!, m5 = source[p + 5]!, m6 = source[p + 6]!, m7 = source[p + 7]!
    let m8 = source[p + 8]!, m9 = source[p + 9]!, m10 = source[p + 10]!, m11 = source[p + 11]!
    let m12 = source[p + 12]!, m13 = source[p + 13]!, m14 = source[p + 14]!, m15 = source[p + 15]!
    let v0 = h0, v1 = h1, v2 = h2, v3 = h3, v4 = h4, v5 = h5, v6 = h6, v7 = h7
    let v8 = 0x6a09e667, v9 = 0xbb67ae85 | 0, v10 = 0x3c6ef372, v11 = 0xa54ff53a | 0
    let v12 = counter | 0, v13 = counterHigh, v14 = isLast ? lastBlockBytes : BLOCK_BYTES
    let v15 = (block === 0 ? startFlags : 0) | (isLast ? endFlags : 0)
    for (let round = 1; ; round++) {
      v0 = (v0 + v4 + m0) | 0; v12 ^= v0; v12 = (v12 >>> 16) | (v12 << 16)
      v8 = (v8 + v12) | 0; v4 ^= v8; v4 = (v4 >>> 12) | (v4 << 20)
      v0 = (v0 + v4 + m1) | 0; v12 ^= v0; v12 = (v12 >>> 8) | (v12 << 24)
      v8 = (v8 + v12) | 0; v4 ^= v8; v4 = (v4 >>> 7) | (v4 << 25)
      v1 = (v1 + v5 + m2) | 0; v13 ^= v1; v13 = (v13 >>> 16) | (v13 << 16)
      v9 = (v9 + v13) | 0; v5 ^= v9; v5 = (v5 >>> 12) | (v5 << 20)
      v1 = (v1 + v5 + m3) | 0; v13 ^= v1; v13 = (v13 >>> 8) | (v13 << 24)
      v9 = (v9 + v13) | 0; v5 ^= v9; v5 = (v5 >>> 7) | (v5 << 25)
      v2 = (v2 + v6 + m4) | 0; v14 ^= v2; v14 = (v14 >>> 16) | (v14 << 16)
      v10 = (v10 + v14) | 0; v6 ^= v10; v6 = (v6 >>> 12) | (v6 << 20)
      v2 = (v2 + v6 + m5) | 0; v14 ^= v2; v14 = (v14 >>> 8) | (v14 << 24)
      v10 = (v10 + v14) | 0; v6 ^= v10; v6 = (v6 >>> 7) | (v6 << 25)
      v3 = (v3 + v7 + m6) | 0; v15 ^= v3; v15 = (v15 >>> 16) | (v15 << 16)
      v11 = (v11 + v15) | 0; v7 ^= v11; v7 = (v7 >>> 12) | (v7 << 20)
      v3 = (v3 + v7 + m7) | 0; v15 ^= v3; v15 = (v15 >>> 8) | (v15 << 24)
      v11 = (v11 + v15) | 0; v7 ^= v11; v7 = (v7 >>> 7) | (v7 << 25)
      v0 = (v0 + v5 + m8) | 0; v15 ^= v0; v15 = (v15 >>> 16) | (v15 << 16)
      v10 = (v10 + v15) | 0; v5 ^= v10; v5 = (v5 >>> 12) | (v5 << 20)
      v0 = (v0 + v5 + m9) | 0; v15 ^= v0; v15 = (v15 >>> 8) | (v15 << 24)
      v10 = (v10 + v15) | 0; v5 ^= v10; v5 = (v5 >>> 7) | (v5 << 25)
      v1 = (v1 + v6 + m10) | 0; v12 ^= v1; v12 = (v12 >>> 16) | (v12 << 16)
      v11 = (v11 + v12) | 0; v6 ^= v11; v6 = (v6 >>> 12) | (v6 << 20)
      v1 = (v1 + v6 + m11) | 0; v12 ^= v1; v12 = (v12 >>> 8) | (v12 << 24)
      v11 = (v11 + v12) | 0; v6 ^= v11; v6 = (v6 >>> 7) | (v6 << 25)
      v2 = (v2 + v7 + m12) | 0; v13 ^= v2; v13 = (v13 >>> 16) | (v13 << 16)
      v8 = (v8 + v13) | 0; v7 ^= v8; v7 = (v7 >>> 12) | (v7 << 20)
      v2 = (v2 + v7 + m13) | 0; v13 ^= v2; v13 = (v13 >>> 8) | (v13 << 24)
      v8 = (v8 + v13) | 0; v7 ^= v8; v7 = (v7 >>> 7) | (v7 << 25)
      v3 = (v3 + v4 + m14) | 0; v14 ^= v3; v14 = (v14 >>> 16) | (v14 << 16)
      v9 = (v9 + v14) | 0; v4 ^= v9; v4 = (v4 >>> 12) | (v4 << 20)
      v3 = (v3 + v4 + m15) | 0; v14 ^= v3; v14 = (v14 >>> 8) | (v14 << 24)
      v9 = (v9 + v14) | 0; v4 ^= v9; v4 = (v4 >>> 7) | (v4 << 25)
      if (round === ROUNDS) break
      const t0 = m0; m0 = m2; m2 = m3; m3 = m10; m10 = m12; m12 = m9; m9 = m11; m11 = m5; m5 = t0
      const t1 = m1; m1 = m6; m6 = m4; m4 = m7; m7 = m13; m13 = m14; m14 = m15; m15 = m8; m8 = t1
    }
    h0 = v0 ^ v8; h1 = v1 ^ v9; h2 = v2 ^ v10; h3 = v3 ^ v11
    h4 = v4 ^ v12; h5 = v5 ^ v13; h6 = v6 ^ v14; h7 = v7 ^ v15
  }
  out[outAt] = h0; out[outAt + 1] = h1; out[outAt + 2] = h2; out[outAt + 3] = h3
  out[outAt + 4] = h4; out[outAt + 5] = h5; out[outAt + 6] = h6; out[outAt + 7] = h7
}
