/**
 * SHA-256 (FIPS 180-4) of four 64-byte pairs of nodes at a time, cut to 254 bits as Filecoin's piece trees do: lane i
 * of every vector belongs to pair i. The second block of a pair is nothing but padding, so its schedule is computed
 * once.
 */
import { rotateRight, shuffleBytes, transpose } from './lanes'

const NODE_BYTES: u32 = 32
const PAIR_BYTES: u32 = 64
const PAIR_BITS: u32 = 512
const LANES: u32 = 4
const ROUNDS: usize = 64

/** The two highest bits of a node, which is a little-endian number, are zero. */
const LAST_WORD_MASK: i32 = 0xffffff3f

const SWAP_BYTES = memory.data<u8>([3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12], 16)

// prettier-ignore
const IV = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
])

// prettier-ignore
const K = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
])

/** A vector per word: message schedule, the same plus K, the padding block's plus K, state. */
const SCHEDULE = memory.data(1024, 64)
const WORDS = memory.data(1024, 64)
const PADDING_WORDS = memory.data(1024, 64)
const STATE = memory.data(128, 64)

/** To be called once, before anything else. Returns where memory is free for the caller. */
export function initialise(): usize {
  memory.fill(SCHEDULE, 0, 256)
  v128.store(SCHEDULE, i32x4.splat(0x80000000))
  v128.store(SCHEDULE, i32x4.splat(PAIR_BITS), 15 * 16)
  schedule(PADDING_WORDS)
  return __heap_base
}

/**
 * nodes[i] = SHA-256(input[2i] || input[2i + 1]) without its two highest bits, for i < pairs.
 * Writes up to 96 bytes behind the last node. `nodes` may be `input`.
 */
export function hashPairs(input: usize, pairs: u32, nodes: usize): void {
  for (let i: u32 = 0; i < pairs; i += LANES) {
    gather(input + <usize>(i * PAIR_BYTES))
    schedule(WORDS)
    for (let j: usize = 0; j < 8; j++) v128.store(STATE + 16 * j, v128.load32_splat(IV + 4 * j))
    compress(WORDS)
    compress(PADDING_WORDS)
    storeLanes(nodes + <usize>(i * NODE_BYTES))
  }
}

/** The message words of four pairs. */
// @ts-ignore: decorator
@inline
function gather(pairs: usize): void {
  const order = v128.load(SWAP_BYTES)
  for (let i: usize = 0; i < 64; i += 16) transpose(pairs + i, PAIR_BYTES, 16, SCHEDULE + 4 * i)
  for (let i: usize = 0; i < 256; i += 16) {
    v128.store(SCHEDULE + i, shuffleBytes(v128.load(SCHEDULE + i), order))
  }
}

// @ts-ignore: decorator
@inline
function storeLanes(nodes: usize): void {
  const order = v128.load(SWAP_BYTES)
  v128.store(STATE, v128.and(v128.load(STATE, 112), i32x4.splat(LAST_WORD_MASK)), 112)
  for (let i: usize = 0; i < 128; i += 16) {
    v128.store(STATE + i, shuffleBytes(v128.load(STATE + i), order))
  }
  transpose(STATE, 16, NODE_BYTES, nodes)
  transpose(STATE + 64, 16, NODE_BYTES, nodes + 16)
}

/** Extends SCHEDULE from its first 16 words; words[i] = SCHEDULE[i] + K[i]. */
function schedule(words: usize): void {
  for (let i: usize = 0; i < 16; i++) putWord(words, i, v128.load(SCHEDULE + 16 * i))
  // The last two words stay in registers: each is needed at once.
  let even = v128.load(SCHEDULE, 16 * 14)
  let odd = v128.load(SCHEDULE, 16 * 15)
  for (let i: usize = 16; i < ROUNDS; i += 2) {
    even = nextWord(i, even)
    putWord(words, i, even)
    odd = nextWord(i + 1, odd)
    putWord(words, i + 1, odd)
  }
}

// @ts-ignore: decorator
@inline
function putWord(words: usize, index: usize, word: v128): void {
  v128.store(SCHEDULE + 16 * index, word)
  v128.store(words + 16 * index, i32x4.add(word, v128.load32_splat(K + 4 * index)))
}

/** Word `index`, given the one two places before. */
// @ts-ignore: decorator
@inline
function nextWord(index: usize, near: v128): v128 {
  const at = SCHEDULE + 16 * index
  const sum = i32x4.add(v128.load(at - 16 * 16), v128.load(at - 16 * 7))
  return i32x4.add(i32x4.add(sum, smallSigma0(v128.load(at - 16 * 15))), smallSigma1(near))
}

// @ts-ignore: decorator
@inline
function smallSigma0(x: v128): v128 {
  return v128.xor(v128.xor(rotateRight(x, 7), rotateRight(x, 18)), i32x4.shr_u(x, 3))
}

// @ts-ignore: decorator
@inline
function smallSigma1(x: v128): v128 {
  return v128.xor(v128.xor(rotateRight(x, 17), rotateRight(x, 19)), i32x4.shr_u(x, 10))
}

/** What a round adds to d: the sum of h, word `index`, Sigma1(e) and the choice between f and g. */
// @ts-ignore: decorator
@inline
function choose(e: v128, f: v128, g: v128, h: v128, words: usize, index: usize): v128 {
  const choice = v128.xor(g, v128.and(e, v128.xor(f, g)))
  const sigma = v128.xor(v128.xor(rotateRight(e, 6), rotateRight(e, 11)), rotateRight(e, 25))
  return i32x4.add(i32x4.add(i32x4.add(h, v128.load(words + 16 * index)), choice), sigma)
}

/** Sigma0(a) plus the majority of a, b, c, given a ^ b and b ^ c. */
// @ts-ignore: decorator
@inline
function majority(a: v128, b: v128, ab: v128, bc: v128): v128 {
  const sigma = v128.xor(v128.xor(rotateRight(a, 2), rotateRight(a, 13)), rotateRight(a, 22))
  return i32x4.add(sigma, v128.xor(b, v128.and(ab, bc)))
}

/** Compresses 64 words, K added, into STATE. The names of the state move on by one each round. */
function compress(words: usize): void {
  let a = v128.load(STATE)
  let b = v128.load(STATE, 16)
  let c = v128.load(STATE, 32)
  let d = v128.load(STATE, 48)
  let e = v128.load(STATE, 64)
  let f = v128.load(STATE, 80)
  let g = v128.load(STATE, 96)
  let h = v128.load(STATE, 112)
  let x = v128.xor(b, c)
  let y = x
  for (const end = words + 16 * ROUNDS; words < end; words += 128) {
    h = choose(e, f, g, h, words, 0)
    d = i32x4.add(d, h)
    y = v128.xor(a, b)
    h = i32x4.add(h, majority(a, b, y, x))
    g = choose(d, e, f, g, words, 1)
    c = i32x4.add(c, g)
    x = v128.xor(h, a)
    g = i32x4.add(g, majority(h, a, x, y))
    f = choose(c, d, e, f, words, 2)
    b = i32x4.add(b, f)
    y = v128.xor(g, h)
    f = i32x4.add(f, majority(g, h, y, x))
    e = choose(b, c, d, e, words, 3)
    a = i32x4.add(a, e)
    x = v128.xor(f, g)
    e = i32x4.add(e, majority(f, g, x, y))
    d = choose(a, b, c, d, words, 4)
    h = i32x4.add(h, d)
    y = v128.xor(e, f)
    d = i32x4.add(d, majority(e, f, y, x))
    c = choose(h, a, b, c, words, 5)
    g = i32x4.add(g, c)
    x = v128.xor(d, e)
    c = i32x4.add(c, majority(d, e, x, y))
    b = choose(g, h, a, b, words, 6)
    f = i32x4.add(f, b)
    y = v128.xor(c, d)
    b = i32x4.add(b, majority(c, d, y, x))
    a = choose(f, g, h, a, words, 7)
    e = i32x4.add(e, a)
    x = v128.xor(b, c)
    a = i32x4.add(a, majority(b, c, x, y))
  }
  v128.store(STATE, i32x4.add(v128.load(STATE), a))
  v128.store(STATE, i32x4.add(v128.load(STATE, 16), b), 16)
  v128.store(STATE, i32x4.add(v128.load(STATE, 32), c), 32)
  v128.store(STATE, i32x4.add(v128.load(STATE, 48), d), 48)
  v128.store(STATE, i32x4.add(v128.load(STATE, 64), e), 64)
  v128.store(STATE, i32x4.add(v128.load(STATE, 80), f), 80)
  v128.store(STATE, i32x4.add(v128.load(STATE, 96), g), 96)
  v128.store(STATE, i32x4.add(v128.load(STATE, 112), h), 112)
}
