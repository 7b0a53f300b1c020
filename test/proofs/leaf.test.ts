import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/base/errors.ts'
import { PIECE_BYTES_MAX } from '../../src/base/limits.ts'
import { commitPiece } from '../../src/proofs/commit.ts'
import { type LeafOpening, openLeaf, verifyLeaf } from '../../src/proofs/leaf.ts'
import { leavesOf } from '../../src/proofs/lengths.ts'
import { flipped, itRandom } from './random.ts'

/** Opens a leaf of a piece that is at hand whole. */
function open(piece: Uint8Array, leafIndex: number): LeafOpening {
  const at = Math.floor(leafIndex / 16) * 16384
  return openLeaf({
    groupCvs: commitPiece(piece).groupCvs,
    pieceBytes: piece.length,
    groupBytes: piece.subarray(at, at + 16384),
    leafIndex
  })
}

describe('leaf', () => {
  itRandom('every leaf of pieces of every small shape opens and verifies', random => {
    for (let leaves = 1; leaves <= 70; leaves++) {
      const lastBytes = [1, 1024, 1 + random.int(1024)][leaves % 3]!
      const piece = random.bytes((leaves - 1) * 1024 + lastBytes)
      const { root, groupCvs, bytes: pieceBytes } = commitPiece(piece)
      for (let leafIndex = 0; leafIndex < leaves; leafIndex++) {
        const at = Math.floor(leafIndex / 16) * 16384
        const groupBytes = piece.subarray(at, at + 16384)
        const { leaf, path } = openLeaf({ groupCvs, pieceBytes, groupBytes, leafIndex })
        const place = `leaf ${leafIndex} of ${leaves}`
        assert.deepEqual(leaf, piece.slice(leafIndex * 1024, leafIndex * 1024 + 1024), place)
        assert.ok(verifyLeaf({ root, pieceBytes, leafIndex, leaf, path }), place)
        for (const other of [leafIndex - 1, leafIndex + 1, leaves]) {
          assert.equal(verifyLeaf({ root, pieceBytes, leafIndex: other, leaf, path }), false, place)
        }
      }
    }
  })

  itRandom('opens in a piece of hundreds of groups', random => {
    const piece = new Uint8Array(5_000_123)
    for (let at = 0; at < piece.length; at += 1000) piece[at] = random.int(256)
    const { root, bytes: pieceBytes } = commitPiece(piece)
    const last = leavesOf(pieceBytes) - 1
    for (const leafIndex of [0, 15, 16, 4095, 4096, last - 1, last, random.int(last)]) {
      assert.ok(verifyLeaf({ root, pieceBytes, leafIndex, ...open(piece, leafIndex) }))
    }
  })

  itRandom('any flipped bit of leaf, path or root is rejected', random => {
    for (const length of [500, 3000, 21 * 1024 + 7, 35_000]) {
      const piece = random.bytes(length)
      const { root, bytes: pieceBytes } = commitPiece(piece)
      const leafIndex = random.int(leavesOf(length))
      const { leaf, path } = open(piece, leafIndex)
      const good = { root, pieceBytes, leafIndex, leaf, path }
      assert.ok(verifyLeaf(good))
      for (let bit = 0; bit < leaf.length * 8; bit++) {
        assert.equal(verifyLeaf({ ...good, leaf: flipped(leaf, bit) }), false, `leaf bit ${bit}`)
      }
      for (let bit = 0; bit < 256; bit++) {
        assert.equal(verifyLeaf({ ...good, root: flipped(root, bit) }), false, `root bit ${bit}`)
        for (const [i, node] of path.entries()) {
          const altered = path.with(i, flipped(node, bit))
          assert.equal(verifyLeaf({ ...good, path: altered }), false, `path ${i} bit ${bit}`)
        }
      }
    }
  })

  itRandom('wrong lengths, orders and numbers are rejected without a throw', random => {
    const piece = random.bytes(21 * 1024 + 7)
    const { root, bytes: pieceBytes } = commitPiece(piece)
    const leafIndex = 21
    const { leaf, path } = open(piece, leafIndex)
    const good = { root, pieceBytes, leafIndex, leaf, path }
    assert.equal(leaf.length, 7)
    const bad = [
      { leaf: new Uint8Array(0) },
      { leaf: leaf.subarray(1) },
      { leaf: new Uint8Array(1024) },
      { leaf: new Uint8Array(5000) },
      { path: [] },
      { path: path.slice(1) },
      { path: path.slice(0, -1) },
      { path: [...path, new Uint8Array(32)] },
      { path: path.toReversed() },
      { path: path.with(0, new Uint8Array(31)) },
      { path: path.with(0, new Uint8Array(33)) },
      { path: Array<Uint8Array>(10_000).fill(new Uint8Array(32)) },
      { root: new Uint8Array(0) },
      ...[-1, 0.5, 22, 2 ** 31, 2 ** 32 + 21, Infinity, Number.NaN].map(value => ({
        leafIndex: value
      })),
      ...[0, -5, 1.5, PIECE_BYTES_MAX + 1, 2 ** 53, Infinity, Number.NaN].map(value => ({
        pieceBytes: value
      })),
      ...[-1, 1, 1024, -1024].map(by => ({ pieceBytes: pieceBytes + by }))
    ]
    for (const change of bad) {
      assert.equal(verifyLeaf({ ...good, ...change }), false, JSON.stringify(change))
    }
  })

  it('refuses to open from stored bytes of the wrong length', () => {
    const { groupCvs } = commitPiece(new Uint8Array(20_000))
    const good = { groupCvs, pieceBytes: 20_000, groupBytes: new Uint8Array(3616), leafIndex: 17 }
    assert.equal(openLeaf(good).leaf.length, 1024)
    const isDamaged = (error: unknown): boolean => HoldfastError.is(error, 'PIECE_DAMAGED')
    assert.throws(() => openLeaf({ ...good, groupBytes: new Uint8Array(3615) }), isDamaged)
    assert.throws(() => openLeaf({ ...good, groupCvs: groupCvs.subarray(32) }), isDamaged)
    assert.throws(() => openLeaf({ ...good, leafIndex: 20 }), /a leaf of the piece/)
  })
})
