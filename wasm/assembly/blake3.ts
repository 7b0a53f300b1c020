/**
 * BLAKE3 compression (BLAKE3 paper, sections 2.1-2.4; default hash mode) of four chunks or four parents at a time:
 * lane i of every vector belongs to input i. A round is written out once and runs seven times over the same locals,
 * because only the state in locals, and no constant built by an instruction, keeps the registers busy with the rounds.
 */
import { rotateRight, shuffleBytes, transpose } from './lanes'

const CV_BYTES: u32 = 32
const BLOCK_BYTES: u32 = 64
const CHUNK_BYTES: u32 = 1024
const LANES: u32 = 4

const CHUNK_START: u32 = 1
const CHUNK_END: u32 = 2

/** Byte shuffles that rotate each word right by 16 and by 8. */
const ROTATE_16 = memory.data<u8>([2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13], 16)
const ROTATE_8 = memory.data<u8>([1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12], 16)

// prettier-ignore
const IV = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
])

/** Sixteen times the message word that each half of each quarter round takes, in the order of the round below. */
// prettier-ignore
const SCHEDULE = memory.data<u8>([
  0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240,
  32, 96, 48, 160, 112, 0, 64, 208, 16, 176, 192, 80, 144, 224, 240, 128,
  48, 64, 160, 192, 208, 32, 112, 224, 96, 80, 144, 0, 176, 240, 128, 16,
  160, 112, 192, 144, 224, 48, 208, 240, 64, 0, 176, 32, 80, 128, 16, 96,
  192, 208, 144, 176, 240, 160, 224, 128, 112, 32, 80, 48, 0, 16, 96, 64,
  144, 224, 176, 80, 128, 192, 240, 16, 208, 48, 0, 160, 32, 96, 64, 112,
  176, 240, 80, 0, 16, 144, 128, 96, 224, 160, 32, 192, 48, 64, 112, 208
], 16)
const SCHEDULE_END: usize = SCHEDULE + 7 * 16

/** Message words and chaining value of the blocks at work, a vector each. */
const MESSAGE = memory.data(256, 64)
const CV = memory.data(128, 64)

/** Where memory is free for the caller. */
export function freeMemory(): usize {
  return __heap_base
}

/**
 * Chaining values of all chunks of `bytes` bytes at `input`, to `cvs`. An empty input is one empty chunk.
 * Fills a partial last block with zeros in place; writes up to 96 bytes behind the last value.
 * @param firstLow, firstHigh index of the first chunk
 * @param endFlags set in the last block of every chunk
 */
export function hashChunks(
  input: usize,
  bytes: u32,
  firstLow: u32,
  firstHigh: u32,
  endFlags: u32,
  cvs: usize
): void {
  const first = (<u64>firstHigh << 32) | firstLow
  const whole = bytes / CHUNK_BYTES
  for (let i: u32 = 0; i < whole; i += LANES) {
    const chunks = input + <usize>(i * CHUNK_BYTES)
    hashLanes(chunks, CHUNK_BYTES, CHUNK_BYTES, first + i, endFlags, cvs + <usize>(i * CV_BYTES))
  }
  const rest = bytes % CHUNK_BYTES
  if (rest > 0 || bytes == 0) {
    // There is only one chunk of this length: all lanes hash it.
    const chunk = input + <usize>(whole * CHUNK_BYTES)
    hashLanes(chunk, 0, rest, first + whole, endFlags, cvs + <usize>(whole * CV_BYTES))
  }
}

/**
 * Merges `count` nodes at `nodes`, in place: pairs become parents, an odd last node is carried up.
 * Writes up to 96 bytes behind the last one.
 */
export function mergePairs(nodes: usize, count: u32, flags: u32): void {
  const pairs = count / 2
  const last = nodes + <usize>((count - 1) * CV_BYTES)
  const lastLow = v128.load(last)
  const lastHigh = v128.load(last, 16)
  const zero = i64x2.splat(0)
  for (let i: u32 = 0; i < pairs; i += LANES) {
    startLanes()
    gather(nodes + <usize>(i * BLOCK_BYTES), BLOCK_BYTES)
    compress(zero, zero, BLOCK_BYTES, flags)
    storeLanes(nodes + <usize>(i * CV_BYTES))
  }
  if (count & 1) {
    const carried = nodes + <usize>(pairs * CV_BYTES)
    v128.store(carried, lastLow)
    v128.store(carried, lastHigh, 16)
  }
}

/** Four chunks of the same length, `stride` bytes apart. */
function hashLanes(
  input: usize,
  stride: u32,
  bytes: u32,
  first: u64,
  endFlags: u32,
  cvs: usize
): void {
  const low = i32x4.add(i32x4.splat(<i32>first), i32x4(0, 1, 2, 3))
  const carry = i32x4.lt_u(low, i32x4.splat(<i32>first))
  const high = i32x4.sub(i32x4.splat(<i32>(first >> 32)), carry)
  const blocks = max((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES, 1)
  const last = blocks - 1
  memory.fill(input + <usize>bytes, 0, <usize>(blocks * BLOCK_BYTES - bytes))
  startLanes()
  for (let block: u32 = 0; block < blocks; block++) {
    gather(input + <usize>(block * BLOCK_BYTES), stride)
    const length = block == last ? bytes - last * BLOCK_BYTES : BLOCK_BYTES
    const flags = (block == 0 ? CHUNK_START : 0) | (block == last ? CHUNK_END | endFlags : 0)
    compress(low, high, length, flags)
  }
  storeLanes(cvs)
}

/** Each lane's chaining value becomes the IV. */
// @ts-ignore: decorator
@inline
function startLanes(): void {
  for (let i: usize = 0; i < 8; i++) v128.store(CV + 16 * i, v128.load32_splat(IV + 4 * i))
}

/** The chaining value of each lane, 32 bytes each. */
// @ts-ignore: decorator
@inline
function storeLanes(cvs: usize): void {
  transpose(CV, 16, 32, cvs)
  transpose(CV + 64, 16, 32, cvs + 16)
}

/** The message words of four blocks, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function gather(blocks: usize, stride: u32): void {
  for (let i: usize = 0; i < 64; i += 16) transpose(blocks + i, stride, 16, MESSAGE + 4 * i)
}

/**
 * Compresses MESSAGE into CV.
 * @param low, high counter of each lane
 * @param length bytes used of the block
 */
function compress(low: v128, high: v128, length: u32, flags: u32): void {
  const by16 = v128.load(ROTATE_16)
  const by8 = v128.load(ROTATE_8)
  let v0 = v128.load(CV)
  let v1 = v128.load(CV, 16)
  let v2 = v128.load(CV, 32)
  let v3 = v128.load(CV, 48)
  let v4 = v128.load(CV, 64)
  let v5 = v128.load(CV, 80)
  let v6 = v128.load(CV, 96)
  let v7 = v128.load(CV, 112)
  let v8 = v128.load32_splat(IV)
  let v9 = v128.load32_splat(IV, 4)
  let v10 = v128.load32_splat(IV, 8)
  let v11 = v128.load32_splat(IV, 12)
  let v12 = low
  let v13 = high
  let v14 = i32x4.splat(length)
  let v15 = i32x4.splat(flags)
  for (let words = SCHEDULE; words < SCHEDULE_END; words += 16) {
    v0 = i32x4.add(i32x4.add(v0, word(words, 0)), v4)
    v12 = shuffleBytes(v128.xor(v12, v0), by16)
    v8 = i32x4.add(v8, v12)
    v4 = rotateRight(v128.xor(v4, v8), 12)
    v0 = i32x4.add(i32x4.add(v0, word(words, 1)), v4)
    v12 = shuffleBytes(v128.xor(v12, v0), by8)
    v8 = i32x4.add(v8, v12)
    v4 = rotateRight(v128.xor(v4, v8), 7)
    v1 = i32x4.add(i32x4.add(v1, word(words, 2)), v5)
    v13 = shuffleBytes(v128.xor(v13, v1), by16)
    v9 = i32x4.add(v9, v13)
    v5 = rotateRight(v128.xor(v5, v9), 12)
    v1 = i32x4.add(i32x4.add(v1, word(words, 3)), v5)
    v13 = shuffleBytes(v128.xor(v13, v1), by8)
    v9 = i32x4.add(v9, v13)
    v5 = rotateRight(v128.xor(v5, v9), 7)
    v2 = i32x4.add(i32x4.add(v2, word(words, 4)), v6)
    v14 = shuffleBytes(v128.xor(v14, v2), by16)
    v10 = i32x4.add(v10, v14)
    v6 = rotateRight(v128.xor(v6, v10), 12)
    v2 = i32x4.add(i32x4.add(v2, word(words, 5)), v6)
    v14 = shuffleBytes(v128.xor(v14, v2), by8)
    v10 = i32x4.add(v10, v14)
    v6 = rotateRight(v128.xor(v6, v10), 7)
    v3 = i32x4.add(i32x4.add(v3, word(words, 6)), v7)
    v15 = shuffleBytes(v128.xor(v15, v3), by16)
    v11 = i32x4.add(v11, v15)
    v7 = rotateRight(v128.xor(v7, v11), 12)
    v3 = i32x4.add(i32x4.add(v3, word(words, 7)), v7)
    v15 = shuffleBytes(v128.xor(v15, v3), by8)
    v11 = i32x4.add(v11, v15)
    v7 = rotateRight(v128.xor(v7, v11), 7)
    v0 = i32x4.add(i32x4.add(v0, word(words, 8)), v5)
    v15 = shuffleBytes(v128.xor(v15, v0), by16)
    v10 = i32x4.add(v10, v15)
    v5 = rotateRight(v128.xor(v5, v10), 12)
    v0 = i32x4.add(i32x4.add(v0, word(words, 9)), v5)
    v15 = shuffleBytes(v128.xor(v15, v0), by8)
    v10 = i32x4.add(v10, v15)
    v5 = rotateRight(v128.xor(v5, v10), 7)
    v1 = i32x4.add(i32x4.add(v1, word(words, 10)), v6)
    v12 = shuffleBytes(v128.xor(v12, v1), by16)
    v11 = i32x4.add(v11, v12)
    v6 = rotateRight(v128.xor(v6, v11), 12)
    v1 = i32x4.add(i32x4.add(v1, word(words, 11)), v6)
    v12 = shuffleBytes(v128.xor(v12, v1), by8)
    v11 = i32x4.add(v11, v12)
    v6 = rotateRight(v128.xor(v6, v11), 7)
    v2 = i32x4.add(i32x4.add(v2, word(words, 12)), v7)
    v13 = shuffleBytes(v128.xor(v13, v2), by16)
    v8 = i32x4.add(v8, v13)
    v7 = rotateRight(v128.xor(v7, v8), 12)
    v2 = i32x4.add(i32x4.add(v2, word(words, 13)), v7)
    v13 = shuffleBytes(v128.xor(v13, v2), by8)
    v8 = i32x4.add(v8, v13)
    v7 = rotateRight(v128.xor(v7, v8), 7)
    v3 = i32x4.add(i32x4.add(v3, word(words, 14)), v4)
    v14 = shuffleBytes(v128.xor(v14, v3), by16)
    v9 = i32x4.add(v9, v14)
    v4 = rotateRight(v128.xor(v4, v9), 12)
    v3 = i32x4.add(i32x4.add(v3, word(words, 15)), v4)
    v14 = shuffleBytes(v128.xor(v14, v3), by8)
    v9 = i32x4.add(v9, v14)
    v4 = rotateRight(v128.xor(v4, v9), 7)
  }
  v128.store(CV, v128.xor(v0, v8))
  v128.store(CV, v128.xor(v1, v9), 16)
  v128.store(CV, v128.xor(v2, v10), 32)
  v128.store(CV, v128.xor(v3, v11), 48)
  v128.store(CV, v128.xor(v4, v12), 64)
  v128.store(CV, v128.xor(v5, v13), 80)
  v128.store(CV, v128.xor(v6, v14), 96)
  v128.store(CV, v128.xor(v7, v15), 112)
}

/** Message word `index` of the schedule's line at `words`. */
// @ts-ignore: decorator
@inline
function word(words: usize, index: usize): v128 {
  return v128.load(<usize>load<u8>(words + index) + MESSAGE)
}
