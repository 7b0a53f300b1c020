import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/base/errors.ts'
import { commitPiece } from '../../src/proofs/commit.ts'
import { groupsOf } from '../../src/proofs/lengths.ts'
import { openRange, verifyGroup, verifyRange } from '../../src/proofs/range.ts'
import { flipped, itRandom } from './random.ts'

type RangeCheck = Parameters<typeof verifyRange>[0]

function rejects(init: RangeCheck, what: string): void {
  assert.throws(
    () => verifyRange(init),
    error => HoldfastError.is(error, 'PROOF_INVALID'),
    what
  )
}

describe('verified range', () => {
  itRandom('every range of every small piece verifies, and no other does by its proof', random => {
    for (let groups = 1; groups <= 21; groups++) {
      const piece = random.bytes((groups - 1) * 16384 + 1 + random.int(16384))
      const { root, groupCvs, bytes: pieceBytes } = commitPiece(piece)
      for (let first = 0; first < groups; first++) {
        for (let count = 1; first + count <= groups; count++) {
          const range = { pieceBytes, firstGroup: first, groups: count }
          const proof = openRange({ groupCvs, ...range })
          verifyRange({ root, ...range, proof })
          assert.deepEqual(proof.cvs, groupCvs.slice(first * 32, (first + count) * 32))
          assert.ok(proof.siblings.length <= 2 * Math.ceil(Math.log2(groups)))
          if (count === groups) assert.equal(proof.siblings.length, 0)
          const fewer = { ...proof, siblings: proof.siblings.slice(1) }
          if (proof.siblings.length > 0) rejects({ root, ...range, proof: fewer }, 'fewer')
          const more = { ...proof, siblings: [...proof.siblings, new Uint8Array(32)] }
          rejects({ root, ...range, proof: more }, 'more')
          for (const by of [-1, 1]) {
            rejects({ root, ...range, firstGroup: first + by, proof }, 'moved')
            rejects({ root, ...range, groups: count + by, proof }, 'resized')
          }
        }
      }
    }
  })

  itRandom('any flipped bit is rejected', random => {
    const { root, groupCvs, bytes: pieceBytes } = commitPiece(random.bytes(13 * 16384 + 100))
    const range = { pieceBytes, firstGroup: 5, groups: 4 }
    const proof = openRange({ groupCvs, ...range })
    // Groups 4, 9, 10-11, 0-3, 12-13.
    assert.equal(proof.siblings.length, 5)
    for (let bit = 0; bit < proof.cvs.length * 8; bit++) {
      rejects({ root, ...range, proof: { ...proof, cvs: flipped(proof.cvs, bit) } }, `cv ${bit}`)
    }
    for (let bit = 0; bit < 256; bit++) {
      rejects({ root: flipped(root, bit), ...range, proof }, `root bit ${bit}`)
      for (const [i, node] of proof.siblings.entries()) {
        const siblings = proof.siblings.with(i, flipped(node, bit))
        rejects({ root, ...range, proof: { ...proof, siblings } }, `sibling ${i} bit ${bit}`)
      }
    }
  })

  itRandom('malformed proofs and numbers end in PROOF_INVALID', random => {
    const { root, groupCvs, bytes: pieceBytes } = commitPiece(random.bytes(5 * 16384))
    const good = { root, pieceBytes, firstGroup: 1, groups: 2 }
    const proof = openRange({ groupCvs, ...good })
    const { cvs, siblings } = proof
    verifyRange({ ...good, proof })
    const bad: Partial<RangeCheck>[] = [
      { proof: { cvs: new Uint8Array(0), siblings } },
      { proof: { cvs: cvs.subarray(1), siblings } },
      { proof: { cvs: cvs.subarray(32), siblings } },
      { proof: { cvs, siblings: [] } },
      { proof: { cvs, siblings: siblings.toReversed() } },
      { proof: { cvs, siblings: siblings.with(0, new Uint8Array(31)) } },
      { proof: { cvs, siblings: siblings.with(0, new Uint8Array(64)) } },
      { root: new Uint8Array(0) },
      ...[0, -1, 1.5, 5, Infinity, Number.NaN, 2 ** 53].map(groups => ({ groups })),
      ...[-1, 0.5, 5, Infinity, Number.NaN, 2 ** 53].map(firstGroup => ({ firstGroup })),
      ...[0, -1, 0.5, Infinity, Number.NaN, 2 ** 53].map(value => ({ pieceBytes: value }))
    ]
    for (const change of bad) {
      rejects({ ...good, proof, ...change }, Object.keys(change).join())
    }
  })

  itRandom('each group is checked by itself: a bad one is isolated', random => {
    const piece = random.bytes(4 * 16384 + 777)
    const { groupCvs, bytes: pieceBytes } = commitPiece(piece)
    const { cvs } = openRange({ groupCvs, pieceBytes, firstGroup: 0, groups: 5 })
    const received = flipped(piece, random.int(16384 * 8) + 2 * 16384 * 8)
    const results = Array.from({ length: groupsOf(pieceBytes) }, (_, groupIndex) =>
      verifyGroup({
        cv: cvs.subarray(groupIndex * 32, groupIndex * 32 + 32),
        groupIndex,
        pieceBytes,
        bytes: received.subarray(groupIndex * 16384, groupIndex * 16384 + 16384)
      })
    )
    assert.deepEqual(results, [true, true, false, true, true])
  })

  itRandom('a group needs its exact length, place and value', random => {
    const piece = random.bytes(16384 + 100)
    const { groupCvs, bytes: pieceBytes, root } = commitPiece(piece)
    const good = {
      cv: groupCvs.subarray(32),
      groupIndex: 1,
      pieceBytes,
      bytes: piece.subarray(16384)
    }
    assert.ok(verifyGroup(good))
    const bad: Partial<Parameters<typeof verifyGroup>[0]>[] = [
      { cv: new Uint8Array(0) },
      { cv: root },
      { groupIndex: 0 },
      { groupIndex: 2 },
      { groupIndex: -1 },
      { groupIndex: Number.NaN },
      { bytes: piece.subarray(16385) },
      { bytes: piece },
      { bytes: new Uint8Array(0) },
      { pieceBytes: pieceBytes - 1 },
      { pieceBytes: Number.NaN }
    ]
    for (const change of bad) assert.equal(verifyGroup({ ...good, ...change }), false)
    const small = random.bytes(16384)
    const whole = commitPiece(small)
    const only = { cv: whole.root, groupIndex: 0, pieceBytes: 16384, bytes: small }
    assert.ok(verifyGroup(only))
    assert.equal(verifyGroup({ ...only, pieceBytes: 16385 }), false)
  })

  it('refuses to open what is not in the piece or not stored whole', () => {
    const { groupCvs, bytes: pieceBytes } = commitPiece(new Uint8Array(40_000))
    const good = { groupCvs, pieceBytes, firstGroup: 0, groups: 3 }
    const fails = (change: object, code: 'RANGE_INVALID' | 'PIECE_DAMAGED'): void =>
      assert.throws(
        () => openRange({ ...good, ...change }),
        error => HoldfastError.is(error, code)
      )
    fails({ groups: 4 }, 'RANGE_INVALID')
    fails({ groups: 0 }, 'RANGE_INVALID')
    fails({ firstGroup: 3 }, 'RANGE_INVALID')
    fails({ firstGroup: -1 }, 'RANGE_INVALID')
    fails({ groupCvs: groupCvs.subarray(32) }, 'PIECE_DAMAGED')
  })
})
