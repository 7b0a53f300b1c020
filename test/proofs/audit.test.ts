/** Audits: what is drawn, what is shown, and that nothing else than the truth is accepted. */
import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { encodeDocument } from '../../src/base/codec.ts'
import { MIB } from '../../src/base/limits.ts'
import { faultOfDealLeaves, faultOfSlots } from '../../src/proofs/audit.ts'
import { openLeaves, verifyLeaves } from '../../src/proofs/audit-leaves.ts'
import {
  AUDIT_GOAL,
  confidenceOf,
  drawAudit,
  fewestToLose,
  leavesToDraw
} from '../../src/proofs/audit-plan.ts'
import { openSlots, verifySlots } from '../../src/proofs/audit-slots.ts'
import { commitPiece } from '../../src/proofs/commit.ts'
import { leavesOf } from '../../src/proofs/lengths.ts'
import { type Slot, SumTree } from '../../src/proofs/sum-tree.ts'
import { AuditWorld } from './audit-support.ts'
import { flipped, itRandom, type TestRandom } from './random.ts'

describe('audit plan', () => {
  it('draws enough to exclude the loss, and not one leaf more', () => {
    for (const [providers, leaves] of [
      [1, 917],
      [4, 230],
      [5, 184],
      [21, 44],
      [52, 18]
    ] as const) {
      assert.equal(leavesToDraw(providers, AUDIT_GOAL), leaves)
      assert.ok(confidenceOf(leaves, providers, AUDIT_GOAL.loss) >= AUDIT_GOAL.confidence)
      assert.ok(confidenceOf(leaves - 1, providers, AUDIT_GOAL.loss) < AUDIT_GOAL.confidence)
    }
  })

  it('counts providers, not pieces', () => {
    const apart = [...'abcdefgh']
    assert.equal(fewestToLose([apart], 4), 5)
    assert.equal(fewestToLose([apart, [...'aaabcdef']], 4), 3)
    assert.equal(fewestToLose([[...'aaaaaaaa']], 4), 1)
    assert.equal(fewestToLose([], 4), undefined)
  })

  itRandom('draws from all leaves alike, and from few leaves all', random => {
    const provider = random.bytes(32)
    const seen = new Map<bigint, number>()
    for (let i = 0; i < 200; i++) {
      const drawn = drawAudit({ seed: random.bytes(32), provider, count: 50, totalLeaves: 100n })
      assert.ok(drawn.every((leaf, at) => leaf < 100n && (at === 0 || drawn[at - 1]! < leaf)))
      for (const leaf of drawn) seen.set(leaf, (seen.get(leaf) ?? 0) + 1)
    }
    // 200 audits show each leaf 79 times on average, with a deviation of 7
    for (let leaf = 0n; leaf < 100n; leaf++) assert.ok(Math.abs((seen.get(leaf) ?? 0) - 79) < 45)
    const all = drawAudit({ seed: random.bytes(32), provider, count: 50, totalLeaves: 50n })
    assert.deepEqual(
      all,
      Array.from({ length: 50 }, (_, leaf) => BigInt(leaf))
    )
  })

  itRandom('finds what the formula says that it finds', random => {
    const [leaves, providers, loss, rounds] = [20, 3, 0.05, 400]
    const lost = 1_000n / 20n
    let found = 0
    for (let round = 0; round < rounds; round++) {
      const seed = random.bytes(32)
      const isFound = Array.from({ length: providers }, () => random.bytes(32)).some(provider =>
        drawAudit({ seed, provider, count: leaves, totalLeaves: 1_000n }).some(leaf => leaf < lost)
      )
      if (isFound) found++
    }
    const expected = confidenceOf(leaves, providers, loss) * rounds
    assert.ok(Math.abs(found - expected) < 5 * Math.sqrt(rounds / 20), `${found} of ${expected}`)
  })
})

/** A random set of `count` numbers below `below`, ascending. */
function someOf(random: TestRandom, below: number, count: number): number[] {
  const found = new Set(Array.from({ length: count }, () => random.int(below)))
  return [...found].sort((a, b) => a - b)
}

describe('leaves of a piece', () => {
  itRandom('any of them verify together, for any length', random => {
    for (const pieceBytes of [
      1,
      1023,
      1024,
      1025,
      16_384,
      16_385,
      50_000,
      21 * 1024 + 7,
      300_001
    ]) {
      const piece = random.bytes(pieceBytes)
      const { root, groupCvs } = commitPiece(piece)
      const count = leavesOf(pieceBytes)
      for (let round = 0; round < 20; round++) {
        const indexes = round === 0 ? [...Array(count).keys()] : someOf(random, count, 1 + round)
        const groups = new Map(
          indexes.map(index => {
            const group = index >> 4
            return [group, piece.subarray(group * 16_384, (group + 1) * 16_384)]
          })
        )
        const opening = openLeaves({ groupCvs, pieceBytes, indexes, groups })
        assert.ok(verifyLeaves({ root, pieceBytes, indexes, opening }), `${pieceBytes} ${indexes}`)
        const bad = { ...opening, nodes: flipped(opening.nodes, 0) }
        if (opening.nodes.length > 0) {
          assert.ok(!verifyLeaves({ root, pieceBytes, indexes, opening: bad }))
        }
      }
    }
  })

  it('none, repeated, unordered and foreign indexes are refused', () => {
    const piece = new Uint8Array(5_000).fill(3)
    const { root, groupCvs } = commitPiece(piece)
    const groups = new Map([[0, piece]])
    const opening = openLeaves({ groupCvs, pieceBytes: 5_000, indexes: [1, 3], groups })
    const verify = (indexes: number[]): boolean =>
      verifyLeaves({ root, pieceBytes: 5_000, indexes, opening })
    assert.ok(verify([1, 3]))
    for (const indexes of [[], [1], [3, 1], [1, 1], [1, 5], [1, -1], [1, 2.5], [1, Number.NaN]]) {
      assert.equal(verify(indexes), false, `${indexes}`)
    }
    const whole = { leaves: [], nodes: root }
    assert.ok(!verifyLeaves({ root, pieceBytes: 5_000, indexes: [], opening: whole }))
  })
})

describe('slots of a deal', () => {
  itRandom('any of them verify together, and say where their leaves are', random => {
    for (const slots of [1, 2, 3, 7, 8, 9, 100]) {
      const entries: Slot[] = Array.from({ length: slots }, () =>
        random.int(5) === 0 ? undefined : { root: random.bytes(32), bytes: 1 + random.int(9_000) }
      )
      entries[random.int(slots)] = { root: random.bytes(32), bytes: 77 }
      const tree = SumTree.from(entries)
      const held = entries.flatMap((entry, slot) =>
        entry === undefined ? [] : [{ slot, ...entry }]
      )
      for (let round = 0; round < 10; round++) {
        const shown = someOf(random, held.length, 1 + round).map(at => held[at]!)
        const numbers = shown.map(({ slot }) => slot)
        const proof = openSlots(tree, numbers)
        const deal = { dealRoot: tree.root(), dealLeaves: tree.leaves }
        const firsts = verifySlots({ ...deal, entries: shown, proof })!
        assert.deepEqual(
          firsts.map(first => tree.locate(BigInt(first)).slot),
          numbers
        )
        const [first, ...rest] = shown
        const other = { ...first!, bytes: first!.bytes + 1 }
        assert.equal(verifySlots({ ...deal, entries: [other, ...rest], proof }), undefined)
        const moved = { ...first!, slot: first!.slot ^ 1 }
        assert.equal(verifySlots({ ...deal, entries: [moved, ...rest], proof }), undefined)
        assert.equal(
          verifySlots({ ...deal, dealLeaves: tree.leaves + 1n, entries: shown, proof }),
          undefined
        )
      }
    }
  })
})

describe('answers to an audit', function () {
  this.timeout(120_000)

  itRandom('10,000 wrong ones, and none is accepted', random => {
    const world = new AuditWorld(random)
    let refused = 0
    for (let i = 0; i < 10_000; i++) {
      const { what, fault } = world.wrongAnswer()
      assert.ok(fault !== undefined, `accepted: ${what}`)
      refused++
    }
    assert.equal(refused, 10_000)
    assert.ok(world.kinds.size >= 10, [...world.kinds].join(', '))
  })

  itRandom('the honest one is accepted, in both forms', random => {
    const world = new AuditWorld(random)
    for (let i = 0; i < 50; i++) {
      const slots = world.askSlots()
      assert.equal(faultOfSlots(world.deal, slots.asked, slots.answer), undefined)
      const leaves = world.askLeaves()
      assert.equal(faultOfDealLeaves(world.deal, leaves.leaves, leaves.answer), undefined)
    }
  })

  itRandom('of 1 GiB as 4/8 have less than 2 MiB', random => {
    // 64 segments of 16 MiB: each provider holds 64 pieces, all with the bytes of one here
    const pieceBytes = 4_195_000
    const piece = new Uint8Array(pieceBytes)
    for (let at = 0; at < pieceBytes; at += 65_536) piece.set(random.bytes(32), at)
    const { root, groupCvs } = commitPiece(piece)
    const tree = SumTree.from(Array.from({ length: 64 }, () => ({ root, bytes: pieceBytes })))
    let bytes = 0
    for (let provider = 0; provider < 8; provider++) {
      const count = leavesToDraw(5, AUDIT_GOAL)
      const seed = random.bytes(32)
      const drawn = drawAudit({ seed, provider: random.bytes(32), count, totalLeaves: tree.leaves })
      const picks = new Map<number, number[]>()
      for (const leaf of drawn) {
        const { slot, leafInPiece } = tree.locate(leaf)
        picks.set(slot, [...(picks.get(slot) ?? []), leafInPiece])
      }
      const proof = openSlots(tree, [...picks.keys()])
      const pieces = [...picks].map(([slot, indexes]) => {
        const groups = new Map(
          indexes.map(index => [
            index >> 4,
            piece.subarray((index >> 4) * 16_384, ((index >> 4) + 1) * 16_384)
          ])
        )
        const opening = openLeaves({ groupCvs, pieceBytes, indexes, groups })
        assert.ok(verifyLeaves({ root, pieceBytes, indexes, opening }), toHex(seed))
        return { slot, root, bytes: pieceBytes, indexes, ...opening }
      })
      bytes += encodeDocument({ ok: { pieces, proof } }).length + encodeDocument([...picks]).length
    }
    assert.ok(bytes < 2 * MIB, `${bytes} bytes`)
  })
})
