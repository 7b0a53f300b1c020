/** Every implementation of the tree against the published vectors, @noble/hashes, and each other. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { blake3 as oracle } from '@noble/hashes/blake3.js'
import { equal, toHex } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { MIB } from '../../src/base/limits.ts'
import type { Implementation } from '../../src/base/wasm-module.ts'
import { sharedBlake3 } from '../../src/proofs/blake3.ts'
import { Blake3 } from '../../src/proofs/blake3-tree.ts'
import { commitPiece, createCommitter } from '../../src/proofs/commit.ts'
import { NODES_MAX } from '../../src/proofs/tree-kernel.ts'
import { type CopiedSources, copySources } from './copied-sources.ts'
import { itRandom, pattern, type TestRandom } from './random.ts'

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/blake3.json', import.meta.url), 'utf8')
) as { cases: { input_len: number; hash: string }[] }

const BUILDS = ['relaxed-simd', 'simd'] as const
const IMPLEMENTATIONS: readonly Implementation[] = [...BUILDS, 'javascript']
const MEMORY_BYTES_MAX: number = 8 * MIB
const LENGTHS = 1500
const SPLITS = 400
const INPUT_BYTES = 300_000

/** Often near the edge of a block, chunk, group or batch. */
function randomLength(random: TestRandom): number {
  const unit = [1, 64, 1024, 4096, 16_384, 131_072][random.int(6)]!
  const near = unit * random.int(Math.floor(INPUT_BYTES / unit) + 1) + random.int(3) - 1
  return Math.min(INPUT_BYTES, Math.max(0, near))
}

for (const implementation of IMPLEMENTATIONS) {
  describe(`blake3 tree ${implementation}`, () => {
    const tree = new Blake3({ implementation })

    it('gives the published hashes', () => {
      assert.equal(tree.implementation, implementation)
      for (const { input_len: length, hash } of vectors.cases) {
        assert.equal(toHex(tree.hash(pattern(length))), hash.slice(0, 64), `length ${length}`)
      }
    })

    itRandom('equals @noble/hashes', random => {
      const input = random.bytes(INPUT_BYTES)
      for (let i = 0; i < 60; i++) {
        const bytes = input.subarray(0, randomLength(random))
        assert.ok(equal(tree.hash(bytes), oracle(bytes)), `length ${bytes.length}`)
      }
    })

    it('merges levels longer than its own areas', () => {
      const nodes = 2 * NODES_MAX + 3
      const level = pattern(nodes * 32)
      const above = tree.parentLevel(level, true)
      assert.equal(above.length, (NODES_MAX + 2) * 32)
      for (const at of [0, NODES_MAX / 2 - 1, NODES_MAX / 2, NODES_MAX]) {
        const [left, right] = [
          level.slice(at * 64, at * 64 + 32),
          level.slice(at * 64 + 32, at * 64 + 64)
        ]
        assert.deepEqual(above.slice(at * 32, at * 32 + 32), tree.parentCv(left, right, false))
      }
      assert.deepEqual(above.slice(-32), level.slice(-32))
      let top = above
      while (top.length > 32) top = tree.parentLevel(top, true)
      assert.deepEqual(tree.rootOfGroups(level), top)
    })

    it('stays within 8 MiB', () => {
      tree.hash(new Uint8Array(2 * MIB))
      assert.ok(tree.memoryBytes <= MEMORY_BYTES_MAX, `${tree.memoryBytes}`)
    })

    it('asserts its bounds', () => {
      const assertions = [
        () => tree.chunkCv(new Uint8Array(1025), 0, false),
        () => tree.groupCv(new Uint8Array(16_385), 0, false),
        () => tree.groupCvs(new Uint8Array(16_383), 0),
        () => tree.chunkCvsOfGroup(new Uint8Array(16_385), 0),
        () => tree.parentCv(new Uint8Array(31), new Uint8Array(32), false),
        () => tree.parentLevel(new Uint8Array(31), false),
        () => tree.rootOfGroups(new Uint8Array(0))
      ]
      for (const call of assertions) assert.throws(call, { name: 'AssertionError' })
    })
  })
}

for (const implementation of BUILDS) {
  describe(`blake3 tree ${implementation} against plain JavaScript`, () => {
    const tree = new Blake3({ implementation })
    const plain = new Blake3({ implementation: 'javascript' })

    itRandom(`${LENGTHS} lengths`, random => {
      const input = random.bytes(INPUT_BYTES)
      for (let i = 0; i < LENGTHS; i++) {
        const from = random.int(1000)
        const bytes = input.subarray(from, randomLength(random))
        assert.ok(equal(tree.hash(bytes), plain.hash(bytes)), `${from}, ${bytes.length} bytes`)
      }
    })

    itRandom('chunks and groups at any place, parents and levels', random => {
      const input = random.bytes(INPUT_BYTES)
      for (let i = 0; i < LENGTHS; i++) {
        const index = [random.int(70_000), 2 ** 28 - 2, 2 ** 32 - 2, 2 ** 32, 2 ** 40][
          random.int(5)
        ]!
        const isRoot = random.int(2) === 1
        const from = random.int(200_000)
        const group = input.subarray(from, from + random.int(16_385))
        const chunk = group.subarray(0, 1024)
        const level = input.subarray(from, from + 32 * (1 + random.int(70)))
        const same = (step: string, of: (tree: Blake3) => Uint8Array): void =>
          assert.ok(equal(of(tree), of(plain)), `${step} ${index} ${isRoot} ${group.length}`)
        same('chunkCv', t => t.chunkCv(chunk, index, isRoot))
        same('groupCv', t => t.groupCv(group, index, isRoot))
        same('chunkCvsOfGroup', t => t.chunkCvsOfGroup(group, index))
        same('parentLevel', t => t.parentLevel(level, isRoot))
        same('rootOfGroups', t => t.rootOfGroups(level))
      }
    })

    itRandom(`commitments in ${SPLITS} splits`, random => {
      const input = random.bytes(INPUT_BYTES)
      for (let i = 0; i < SPLITS; i++) {
        const bytes = input.subarray(0, Math.max(1, randomLength(random)))
        const committer = createCommitter({ blake3: tree })
        for (let at = 0; at < bytes.length; ) {
          const length = random.int(1 + [100, 5000, 16_384, 65_536, INPUT_BYTES][random.int(5)]!)
          committer.update(bytes.subarray(at, at + length))
          at += length
        }
        const whole = createCommitter({ blake3: plain })
        whole.update(bytes)
        assert.deepEqual(committer.finish(), whole.finish(), `${bytes.length} bytes`)
      }
    })
  })
}

describe('blake3 tree choice', () => {
  let copy: CopiedSources
  beforeEach(() => {
    copy = copySources()
  })
  afterEach(() => copy.remove())

  const load = async (): Promise<typeof Blake3> =>
    (await copy.load<{ Blake3: typeof Blake3 }>('proofs/blake3-tree.ts')).Blake3

  it('takes the fastest implementation', () => {
    assert.equal(sharedBlake3().implementation, 'relaxed-simd')
    assert.equal(sharedBlake3().fallbackReason, undefined)
    assert.equal(sharedBlake3(), sharedBlake3())
    assert.deepEqual(commitPiece(pattern(5)).root, oracle(pattern(5)))
  })

  it('runs standard SIMD where relaxed SIMD does not validate, and says so', async () => {
    copy.spoil('relaxed')
    const tree = new (await load())()
    assert.equal(tree.implementation, 'simd')
    assert.equal(tree.fallbackReason?.reason, 'not-supported')
    assert.match(tree.fallbackReason.message, /^relaxed-simd: not-supported: .*blake3-relaxed/)
  })

  it('runs plain JavaScript where no kernel was built, and says so', async () => {
    copy.removeBuilds()
    const Copied = await load()
    const tree = new Copied()
    assert.equal(tree.implementation, 'javascript')
    assert.equal(tree.fallbackReason?.reason, 'not-built')
    assert.match(tree.fallbackReason.message, /relaxed-simd: not-built.*; simd: not-built/)
    assert.deepEqual(tree.hash(pattern(20_000)), oracle(pattern(20_000)))
    assert.throws(
      () => new Copied({ implementation: 'simd' }),
      error => HoldfastError.is(error, 'INVALID_ARGUMENT')
    )
  })

  it('finds the kernels from the published layout', async () => {
    copy.publish()
    assert.equal(new (await load())().implementation, 'relaxed-simd')
  })
})
