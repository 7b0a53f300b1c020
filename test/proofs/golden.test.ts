import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import {
  challengeSeed,
  commitPiece,
  drawLeaves,
  openLeaf,
  openRange,
  SumTree,
  verifyLeaf,
  verifyRange
} from '../../src/proofs/index.ts'
import { pattern } from './random.ts'

/** Frozen; see "how" in the file. */
const golden = JSON.parse(
  readFileSync(new URL('../vectors/proofs.json', import.meta.url), 'utf8')
) as {
  pieces: {
    bytes: number
    root: string
    groupCvsSha256: string
    leaf: { index: number; path: string[] }
    range: { firstGroup: number; groups: number; siblings: string[] }
  }[]
  sumTrees: {
    slots: ({ root: string; bytes: number } | null)[]
    root: string
    leaves: string
    bytes: string
  }[]
  challenges: {
    mix: string
    period: string
    provider: string
    seed: string
    count: number
    totalLeaves: string
    leaves: string[]
  }[]
}

describe('golden vectors of proofs', () => {
  it('piece commitments, leaf paths and range proofs', () => {
    assert.equal(golden.pieces.length, 10)
    for (const expected of golden.pieces) {
      const piece = pattern(expected.bytes)
      const { root, bytes: pieceBytes, groupCvs } = commitPiece(piece)
      assert.equal(toHex(root), expected.root)
      assert.equal(toHex(sha256(groupCvs)), expected.groupCvsSha256)

      const leafIndex = expected.leaf.index
      const at = Math.floor(leafIndex / 16) * 16384
      const groupBytes = piece.subarray(at, at + 16384)
      const { leaf, path } = openLeaf({ groupCvs, pieceBytes, groupBytes, leafIndex })
      assert.deepEqual(path.map(toHex), expected.leaf.path)
      assert.ok(verifyLeaf({ root, pieceBytes, leafIndex, leaf, path }))

      const { firstGroup, groups, siblings } = expected.range
      const range = { pieceBytes, firstGroup, groups }
      const proof = openRange({ groupCvs, ...range })
      assert.deepEqual(proof.siblings.map(toHex), siblings)
      verifyRange({ root, ...range, proof })
    }
  })

  it('sum trees', () => {
    assert.equal(golden.sumTrees.length, 8)
    for (const expected of golden.sumTrees) {
      const tree = SumTree.from(
        expected.slots.map(slot =>
          slot === null ? undefined : { root: fromHex(slot.root), bytes: slot.bytes }
        )
      )
      assert.equal(toHex(tree.root()), expected.root)
      assert.equal(tree.leaves, BigInt(expected.leaves))
      assert.equal(tree.bytes, BigInt(expected.bytes))
    }
  })

  it('challenges', () => {
    assert.equal(golden.challenges.length, 5)
    for (const expected of golden.challenges) {
      const { mix, period, provider, count, totalLeaves } = expected
      const seed = challengeSeed(fromHex(mix), BigInt(period), fromHex(provider))
      assert.equal(toHex(seed), expected.seed)
      const drawn = drawLeaves(seed, count, BigInt(totalLeaves))
      assert.deepEqual(drawn.map(String), expected.leaves)
    }
  })
})
