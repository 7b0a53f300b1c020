/** Piece CIDs against the published vectors, a naive reference and each other. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { CID } from 'multiformats/cid'
import { concat, equal } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { KIB, MIB } from '../../src/base/limits.ts'
import type { Implementation } from '../../src/base/wasm-module.ts'
import { loadHashtree } from '../../src/proofs/piece-cid/hashtree-piece-kernel.ts'
import {
  createPieceCid,
  type PieceCid,
  type PieceCidOptions
} from '../../src/proofs/piece-cid/piece-cid.ts'
import { BLOCK_BYTES, QUAD_BYTES } from '../../src/proofs/piece-cid/piece-kernel.ts'
import { PieceTree } from '../../src/proofs/piece-cid/piece-tree.ts'
import { WasmPieceKernel } from '../../src/proofs/piece-cid/wasm-piece-kernel.ts'
import { type CopiedSources, copySources } from './copied-sources.ts'
import { referenceRoot, type Vector, vectors } from './piece-reference.ts'
import { itRandom, pattern, type TestRandom } from './random.ts'

const BUILDS = ['relaxed-simd', 'simd'] as const
const IMPLEMENTATIONS: readonly Implementation[] = [...BUILDS, 'javascript']
const MEMORY_BYTES_MAX: number = 8 * MIB
const SMALL_CASES = 600
const LARGE_CASES = 12
const LARGE_BYTES_MAX: number = 700 * KIB

/** The piece of a vector, or undefined if its generator is not one of these. */
function pieceOf({ gen, input, size }: Vector): Uint8Array | undefined {
  if (size === undefined || gen === undefined) return undefined
  if (gen === 'all 0x00') return new Uint8Array(size)
  if (gen === 'all 0xCC') return new Uint8Array(size).fill(0xcc)
  if (gen.startsWith('sha512 chain')) return sha512Chain(size)
  if (input?.startsWith('127x0') === true) {
    // 127 bytes each of 0, 1, 2, 3, and zeros behind them
    return Uint8Array.from({ length: size }, (_, i) => (i < 508 ? Math.floor(i / 127) : 0))
  }
  return undefined
}

function sha512Chain(size: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(size / 64) * 64)
  let block = createHash('sha512').digest()
  for (let at = 0; at < out.length; at += 64) {
    out.set(block, at)
    block = createHash('sha512').update(block).digest()
  }
  return out.subarray(0, size)
}

function pieceCid(piece: Uint8Array, options: PieceCidOptions): PieceCid {
  const hasher = createPieceCid(options)
  hasher.update(piece)
  return hasher.finish()
}

function inSplits(piece: Uint8Array, random: TestRandom, options: PieceCidOptions): PieceCid {
  const hasher = createPieceCid(options)
  for (let at = 0; at < piece.length; ) {
    const length = random.int(1 + [100, 5000, BLOCK_BYTES, LARGE_BYTES_MAX][random.int(4)]!)
    const part = new Uint8Array(piece.subarray(at, at + length))
    hasher.update(part)
    part.fill(0xff)
    at += length
  }
  return hasher.finish()
}

for (const implementation of IMPLEMENTATIONS) {
  const options: PieceCidOptions = { implementation, hashtree: false }

  describe(`piece CID ${implementation}`, () => {
    it('gives the published CIDs', () => {
      let checked = 0
      for (const vector of vectors) {
        const piece = pieceOf(vector)
        if (piece === undefined) continue
        const { v1, v2, bytes, paddedBytes } = pieceCid(piece, options)
        assert.equal(v1, vector.pieceCidV1, `v1 of ${vector.gen} ${vector.size}`)
        assert.equal(v2, vector.pieceCidV2 ?? vector.pieceCidV2Derived)
        assert.equal(bytes, vector.size)
        assert.equal(paddedBytes, Number(vector.paddedSize))
        checked++
      }
      assert.ok(checked >= 30, `${checked} vectors`)
    })

    itRandom(`${SMALL_CASES} pieces equal the reference`, random => {
      const input = random.bytes(20_000)
      for (let i = 0; i < SMALL_CASES; i++) {
        const quads = QUAD_BYTES * 2 ** random.int(6)
        const length = random.int(2) === 0 ? random.int(6000) : quads + random.int(3) - 1
        const from = random.int(10_000)
        const piece = input.subarray(from, from + length)
        const { v1 } = pieceCid(piece, options)
        const root = CID.parse(v1).multihash.digest
        assert.ok(equal(root, referenceRoot(piece)), `${length} bytes`)
      }
    })

    it('takes an empty piece as zeros', () => {
      const empty = createPieceCid(options).finish()
      assert.deepEqual([empty.bytes, empty.paddedBytes], [0, 128])
      assert.equal(empty.v1, pieceCid(new Uint8Array(127), options).v1)
      const digest = CID.parse(empty.v2).multihash.digest
      assert.deepEqual([...digest.subarray(0, 2)], [127, 2])
    })

    it('ends once, and keeps two pieces apart', () => {
      const [a, b] = [createPieceCid(options), createPieceCid(options)]
      for (const part of [pattern(100_000), pattern(70_000)]) {
        a.update(part)
        b.update(part.slice().reverse())
      }
      const expected = pieceCid(concat(pattern(100_000), pattern(70_000)), options)
      b.finish()
      assert.deepEqual(a.finish(), expected)
      assert.throws(() => a.finish(), { name: 'AssertionError' })
      assert.throws(() => a.update(pattern(1)), { name: 'AssertionError' })
    })

    it('stays within 8 MiB and says what runs', () => {
      const hasher = createPieceCid(options)
      assert.ok(hasher.memoryBytes <= MEMORY_BYTES_MAX)
      assert.equal(hasher.implementation, implementation)
      assert.equal(hasher.pairHasher, implementation)
      assert.equal(hasher.fallbackReason, undefined)
    })
  })
}

describe('piece CID of large pieces', () => {
  itRandom(`${LARGE_CASES} in random splits, the same by every implementation`, random => {
    const input = random.bytes(LARGE_BYTES_MAX)
    for (let i = 0; i < LARGE_CASES; i++) {
      const blocks = BLOCK_BYTES * (1 + random.int(5)) + random.int(3) - 1
      const length = random.int(2) === 0 ? random.int(LARGE_BYTES_MAX) : blocks
      const piece = input.subarray(0, length)
      const expected = pieceCid(piece, { implementation: 'javascript', hashtree: false })
      for (const implementation of BUILDS) {
        const options = { implementation, hashtree: false }
        assert.deepEqual(inSplits(piece, random, options), expected, `${length} bytes`)
      }
      assert.deepEqual(inSplits(piece, random, {}), expected, `${length} bytes, default`)
    }
  })

  itRandom('the tree over blocks equals the reference', random => {
    for (const length of [BLOCK_BYTES + 1, 3 * BLOCK_BYTES]) {
      const piece = random.bytes(length)
      const tree = new PieceTree(new WasmPieceKernel('simd'))
      tree.update(piece)
      assert.ok(equal(tree.finish().root, referenceRoot(piece)), `${length} bytes`)
    }
  })
})

describe('piece CID choice', () => {
  let copy: CopiedSources
  beforeEach(() => {
    copy = copySources()
  })
  afterEach(() => copy.remove())

  const load = async (): Promise<typeof createPieceCid> => {
    const file = 'proofs/piece-cid/piece-cid.ts'
    return (await copy.load<{ createPieceCid: typeof createPieceCid }>(file)).createPieceCid
  }

  it('uses @chainsafe/hashtree where it is installed', function () {
    try {
      createRequire(import.meta.url)('@chainsafe/hashtree')
    } catch {
      this.skip()
    }
    assert.notEqual(loadHashtree(), undefined)
    assert.equal(createPieceCid().pairHasher, 'hashtree')
  })

  it('does without @chainsafe/hashtree where it is not', async () => {
    const hasher = (await load())()
    assert.equal(hasher.pairHasher, 'relaxed-simd')
    assert.equal(hasher.fallbackReason, undefined)
    hasher.update(pattern(1000))
    assert.deepEqual(hasher.finish(), pieceCid(pattern(1000), {}))
  })

  it('runs standard SIMD where relaxed SIMD does not validate, and says so', async () => {
    copy.spoil('relaxed')
    const hasher = (await load())()
    assert.equal(hasher.implementation, 'simd')
    assert.equal(hasher.fallbackReason?.reason, 'not-supported')
    assert.match(hasher.fallbackReason.message, /^relaxed-simd: not-supported: .*piece-cid-relaxed/)
  })

  it('runs plain JavaScript where no kernel was built, and says so', async () => {
    copy.removeBuilds()
    const create = await load()
    const hasher = create()
    assert.equal(hasher.implementation, 'javascript')
    assert.equal(hasher.fallbackReason?.reason, 'not-built')
    hasher.update(pattern(1000))
    assert.deepEqual(hasher.finish(), pieceCid(pattern(1000), {}))
    assert.throws(
      () => create({ implementation: 'relaxed-simd' }),
      error => HoldfastError.is(error, 'INVALID_ARGUMENT')
    )
  })

  it('finds the kernels from the published layout', async () => {
    copy.publish()
    assert.equal((await load())().implementation, 'relaxed-simd')
  })
})
