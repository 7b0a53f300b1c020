import assert from 'node:assert/strict'
import { equal, toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import {
  type Hashtree,
  HashtreePieceKernel
} from '../../src/proofs/piece-cid/hashtree-piece-kernel.ts'
import { JavaScriptPieceKernel } from '../../src/proofs/piece-cid/javascript-piece-kernel.ts'
import type { PieceKernel } from '../../src/proofs/piece-cid/piece-kernel.ts'
import { PieceTree } from '../../src/proofs/piece-cid/piece-tree.ts'
import { WasmPieceKernel } from '../../src/proofs/piece-cid/wasm-piece-kernel.ts'
import { referenceRoot, vectors } from './piece-reference.ts'
import { itRandom, pattern } from './random.ts'

const BUILDS = ['relaxed-simd', 'simd'] as const

describe('piece kernel', () => {
  const kernels: readonly PieceKernel[] = [
    ...BUILDS.map(build => new WasmPieceKernel(build)),
    new JavaScriptPieceKernel()
  ]

  it('pads as published', () => {
    const padded = vectors.filter(vector => vector.kind === 'fr32')
    assert.ok(padded.length > 0)
    for (const { input, output } of padded) {
      const quad = input === '127 x 0xff' ? new Uint8Array(127).fill(255) : pattern(127)
      for (const kernel of kernels) {
        kernel.raw.set(quad)
        kernel.expand(1)
        assert.equal(toHex(kernel.areas[0].subarray(0, 128)), output, kernel.implementation)
      }
    }
  })

  itRandom('hashes any number of pairs from either area', random => {
    for (const kernel of kernels) {
      for (const pairs of [1, 2, 3, 4, 5, 7, 8, 2048]) {
        for (const from of [0, 1] as const) {
          const nodes = random.bytes(pairs * 64)
          kernel.areas[from].set(nodes)
          kernel.hashPairs(from, pairs)
          const above = kernel.areas[1 - from]!
          for (let i = 0; i < pairs; i++) {
            const node = sha256(nodes.subarray(i * 64, i * 64 + 64))
            node[31]! &= 0x3f
            assert.ok(equal(above.subarray(i * 32, i * 32 + 32), node), kernel.implementation)
          }
        }
      }
    }
  })

  it('lets a native module hash the pairs, and cuts its digests', () => {
    let calls = 0
    const native: Hashtree = {
      hashInto: (input, output) => {
        calls++
        for (let at = 0; at < output.length; at += 32) {
          output.set(sha256(input.subarray(2 * at, 2 * at + 64)), at)
        }
      }
    }
    for (const base of kernels) {
      const tree = new PieceTree(new HashtreePieceKernel(base, native))
      tree.update(pattern(200_000))
      assert.ok(equal(tree.finish().root, referenceRoot(pattern(200_000))))
    }
    assert.ok(calls > 0)
  })
})
