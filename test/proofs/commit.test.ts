import assert from 'node:assert/strict'
import { blake3 as oracle } from '@noble/hashes/blake3.js'
import { HoldfastError } from '../../src/base/errors.ts'
import { PIECE_BYTES_MAX } from '../../src/base/limits.ts'
import { groupCv } from '../../src/proofs/blake3.ts'
import { commitPiece, createCommitter } from '../../src/proofs/commit.ts'
import {
  bytesOfGroup,
  bytesOfLeaf,
  groupsOf,
  isPieceBytes,
  leavesOf
} from '../../src/proofs/lengths.ts'
import { itRandom, pattern } from './random.ts'

function isInvalidArgument(error: unknown): boolean {
  return HoldfastError.is(error, 'INVALID_ARGUMENT')
}

describe('commitment', () => {
  it('is the BLAKE3 root, the length and the value of every group', () => {
    for (const length of [1, 1024, 16383, 16384, 16385, 32768, 32769, 70_000]) {
      const bytes = pattern(length)
      const { root, bytes: pieceBytes, groupCvs } = commitPiece(bytes)
      assert.deepEqual(root, oracle(bytes))
      assert.equal(pieceBytes, length)
      assert.equal(groupCvs.length, groupsOf(length) * 32)
      for (let group = 0; group < groupsOf(length); group++) {
        const part = bytes.subarray(group * 16384, (group + 1) * 16384)
        assert.equal(part.length, bytesOfGroup(length, group))
        const expected = groupCv(part, group, groupsOf(length) === 1)
        assert.deepEqual(groupCvs.slice(group * 32, group * 32 + 32), expected)
      }
      if (length <= 16384) assert.deepEqual(groupCvs, root)
    }
  })

  itRandom('does not depend on how the piece is split', random => {
    for (let i = 0; i < 40; i++) {
      const bytes = random.bytes(1 + random.int(5 * 16384))
      const committer = createCommitter()
      const partMax = [1, 100, 1024, 16384, 16385, 50_000][random.int(6)]!
      for (let at = 0; at < bytes.length; ) {
        const part = new Uint8Array(bytes.subarray(at, at + random.int(partMax + 1)))
        committer.update(part)
        at += part.length
        part.fill(0)
      }
      assert.deepEqual(committer.finish(), commitPiece(bytes))
    }
  })

  it('two committers do not disturb each other', () => {
    const [a, b] = [createCommitter(), createCommitter()]
    for (let i = 0; i < 5; i++) {
      a.update(pattern(10_000))
      b.update(pattern(9_999))
    }
    const expected = commitPiece(Buffer.concat(Array<Uint8Array>(5).fill(pattern(9_999))))
    a.finish()
    assert.deepEqual(b.finish(), expected)
  })

  it('takes a piece of the maximum length and not one byte more', () => {
    const committer = createCommitter()
    committer.update(new Uint8Array(PIECE_BYTES_MAX))
    assert.throws(() => committer.update(new Uint8Array(1)), isInvalidArgument)
    assert.equal(committer.finish().bytes, PIECE_BYTES_MAX)
    assert.throws(() => committer.finish(), /finished/)
    assert.throws(() => committer.update(new Uint8Array(1)), /finished/)
  })

  it('refuses an empty piece', () => {
    assert.throws(() => commitPiece(new Uint8Array(0)), isInvalidArgument)
  })

  it('counts leaves and groups', () => {
    assert.deepEqual([0, 1, 1024, 1025, 2048].map(leavesOf), [1, 1, 1, 2, 2])
    assert.deepEqual([1, 16384, 16385].map(groupsOf), [1, 1, 2])
    assert.deepEqual([bytesOfLeaf(1500, 0), bytesOfLeaf(1500, 1)], [1024, 476])
    assert.deepEqual([bytesOfGroup(20_000, 0), bytesOfGroup(20_000, 1)], [16384, 3616])
    const lengths = [0, 1, PIECE_BYTES_MAX, PIECE_BYTES_MAX + 1, 1.5, Number.NaN]
    assert.deepEqual(lengths.map(isPieceBytes), [false, true, true, false, false, false])
  })
})
