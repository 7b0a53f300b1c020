import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { blake3 as oracle } from '@noble/hashes/blake3.js'
import { concat, toHex } from '../../src/base/bytes.ts'
import { HASH_BYTES } from '../../src/base/limits.ts'
import {
  blake3,
  chunkCv,
  chunkCvsOfGroup,
  groupCv,
  parentCv,
  parentLevel,
  rootOfGroups
} from '../../src/proofs/blake3.ts'
import { itRandom, pattern } from './random.ts'

/** The official vectors of BLAKE3-team/BLAKE3 (test_vectors/test_vectors.json, CC0); "hash" is extended output. */
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/blake3.json', import.meta.url), 'utf8')
) as { cases: { input_len: number; hash: string }[] }

const IV = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19
]
const PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
const MIXES = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14]
] as const

/** The compression function of the paper over arrays: slow, and shaped unlike the kernel. */
function referenceCompress(
  cv: number[],
  block: Uint8Array,
  counter: number,
  bytes: number,
  flags: number
): number[] {
  const padded = new DataView(concat(block, new Uint8Array(64 - block.length)).buffer)
  let m = Array.from({ length: 16 }, (_, i) => padded.getUint32(i * 4, true))
  const high = Math.floor(counter / 2 ** 32)
  const v = [...cv, ...IV.slice(0, 4), counter >>> 0, high, bytes, flags]
  const half = (
    [a, b, c, d]: readonly [number, number, number, number],
    x: number,
    r: number[]
  ) => {
    const rotr = (word: number, by: number): number => (word >>> by) | (word << (32 - by))
    v[a] = (v[a]! + v[b]! + x) | 0
    v[d] = rotr(v[d]! ^ v[a]!, r[0]!)
    v[c] = (v[c]! + v[d]!) | 0
    v[b] = rotr(v[b]! ^ v[c]!, r[1]!)
  }
  for (let round = 0; round < 7; round++) {
    for (const [i, mix] of MIXES.entries()) {
      half(mix, m[2 * i]!, [16, 12])
      half(mix, m[2 * i + 1]!, [8, 7])
    }
    m = PERMUTATION.map(from => m[from]!)
  }
  return Array.from({ length: 8 }, (_, i) => (v[i]! ^ v[i + 8]!) >>> 0)
}

function bytesOfWords(words: number[]): Uint8Array {
  const out = new DataView(new ArrayBuffer(HASH_BYTES))
  for (const [i, word] of words.entries()) out.setUint32(i * 4, word, true)
  return new Uint8Array(out.buffer)
}

function referenceChunk(bytes: Uint8Array, index: number, isRoot: boolean): Uint8Array {
  const blocks = Math.max(1, Math.ceil(bytes.length / 64))
  let cv = IV
  for (let i = 0; i < blocks; i++) {
    const block = bytes.subarray(i * 64, i * 64 + 64)
    const isLast = i === blocks - 1
    const flags = (i === 0 ? 1 : 0) | (isLast ? 2 : 0) | (isLast && isRoot ? 8 : 0)
    cv = referenceCompress(cv, block, index, block.length, flags)
  }
  return bytesOfWords(cv)
}

describe('blake3', () => {
  it('gives the published hashes', () => {
    assert.ok(vectors.cases.length >= 30)
    for (const { input_len: length, hash } of vectors.cases) {
      assert.equal(toHex(blake3(pattern(length))), hash.slice(0, 64), `length ${length}`)
    }
  })

  itRandom('equals @noble/hashes around every boundary and in between', random => {
    const lengths = new Set<number>()
    for (const edge of [0, 64, 1024, 2048, 3072, 15 * 1024, 16384, 32768, 49152, 65536, 131072]) {
      for (const by of [-65, -64, -1, 0, 1, 63, 64, 65]) lengths.add(Math.max(0, edge + by))
    }
    for (let i = 0; i < 40; i++) lengths.add(random.int(100_000))
    const input = random.bytes(131072 + 65)
    for (const length of lengths) {
      const bytes = input.subarray(0, length)
      assert.equal(toHex(blake3(bytes)), toHex(oracle(bytes)), `length ${length}`)
    }
  })

  itRandom('hashes views at any offset, and leaves no trace of the input before', random => {
    const input = random.bytes(40_000)
    for (let i = 0; i < 50; i++) {
      const from = random.int(20_000)
      const bytes = input.subarray(from, from + random.int(20_000))
      const expected = toHex(oracle(bytes))
      assert.equal(toHex(blake3(bytes)), expected)
      assert.equal(toHex(blake3(Buffer.from(bytes))), expected)
    }
  })

  itRandom(
    'chunk and parent values equal the reference, for counters beyond 32 bits too',
    random => {
      for (const index of [0, 1, 15, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33 + 7]) {
        for (const length of [0, 1, 63, 64, 65, 1023, 1024]) {
          const bytes = random.bytes(length)
          const isRoot = index === 0 && random.int(2) === 1
          assert.deepEqual(chunkCv(bytes, index, isRoot), referenceChunk(bytes, index, isRoot))
        }
      }
      for (const isRoot of [false, true]) {
        const [left, right] = [random.bytes(32), random.bytes(32)]
        const words = referenceCompress(IV, concat(left, right), 0, 64, isRoot ? 12 : 4)
        assert.deepEqual(parentCv(left, right, isRoot), bytesOfWords(words))
      }
    }
  )

  itRandom('a group is the subtree over its chunks', random => {
    for (let i = 0; i < 30; i++) {
      const groupIndex = random.int(5000)
      const bytes = random.bytes(1025 + random.int(16384 - 1024))
      let level = chunkCvsOfGroup(bytes, groupIndex)
      const chunks = Math.ceil(bytes.length / 1024)
      assert.equal(level.length, chunks * 32)
      const last = bytes.subarray((chunks - 1) * 1024)
      assert.deepEqual(level.slice(-32), referenceChunk(last, groupIndex * 16 + chunks - 1, false))
      while (level.length > 32) level = parentLevel(level, false)
      assert.deepEqual(new Uint8Array(level), groupCv(bytes, groupIndex, false))
    }
  })

  it('does not write to its inputs', () => {
    const [left, right] = [pattern(32), pattern(32)]
    parentCv(left, right, false)
    const level = pattern(96)
    parentLevel(level, true)
    rootOfGroups(level)
    assert.deepEqual([left, right, level], [pattern(32), pattern(32), pattern(96)])
  })

  it('asserts its bounds', () => {
    assert.throws(() => chunkCv(new Uint8Array(1025), 0, false), /1 KiB/)
    assert.throws(() => groupCv(new Uint8Array(16385), 0, false), /16 KiB/)
    assert.throws(() => chunkCvsOfGroup(new Uint8Array(16385), 0), /16 KiB/)
    assert.throws(() => parentCv(new Uint8Array(32), new Uint8Array(31), false), /32 bytes/)
    assert.throws(() => parentLevel(new Uint8Array(33), false), /whole nodes/)
    assert.throws(() => rootOfGroups(new Uint8Array(0)), /whole nodes/)
  })
})
