import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { challengeSeed, drawLeaves } from '../../src/proofs/challenge.ts'
import { commitPiece } from '../../src/proofs/commit.ts'
import type { Opening } from '../../src/proofs/opening.ts'
import { openingFor } from '../../src/proofs/prove.ts'
import { SumTree } from '../../src/proofs/sum-tree.ts'
import { verifyOpening } from '../../src/proofs/verify.ts'
import { flipped, itRandom, type TestRandom } from './random.ts'

interface Store {
  tree: SumTree
  /** Groups read so far, as root/index. */
  reads: string[]
  pieces: Map<string, Uint8Array>
  open(leafIndex: bigint): Promise<Opening>
}

function storeOf(random: TestRandom, lengths: readonly (number | undefined)[]): Store {
  const pieces = new Map<string, Uint8Array>()
  const cvs = new Map<string, Uint8Array>()
  const slots = lengths.map(length => {
    if (length === undefined) return undefined
    const piece = random.bytes(length)
    const { root, bytes, groupCvs } = commitPiece(piece)
    pieces.set(toHex(root), piece)
    cvs.set(toHex(root), groupCvs)
    return { root, bytes }
  })
  const tree = SumTree.from(slots)
  const reads: string[] = []
  const readGroup = (root: Uint8Array, index: number): Promise<Uint8Array> => {
    reads.push(`${toHex(root)}/${index}`)
    const piece = pieces.get(toHex(root))!
    return Promise.resolve(piece.slice(index * 16384, index * 16384 + 16384))
  }
  const groupCvsOf = (root: Uint8Array): Promise<Uint8Array> =>
    Promise.resolve(cvs.get(toHex(root))!)
  const open = (leafIndex: bigint): Promise<Opening> =>
    openingFor({ tree, leafIndex, readGroup, groupCvsOf })
  return { tree, reads, pieces, open }
}

describe('opening', () => {
  itRandom('every leaf of a deal opens and verifies, and only there', async random => {
    const { tree, open } = storeOf(random, [1, undefined, 5000, 40_000, 1024, undefined, 16385])
    const deal = { dealRoot: tree.root(), dealLeaves: tree.leaves }
    for (let leafIndex = 0n; leafIndex < tree.leaves; leafIndex++) {
      const opening = await open(leafIndex)
      assert.ok(verifyOpening({ opening, ...deal, leafIndex }), `leaf ${leafIndex}`)
      for (let other = -1n; other <= tree.leaves; other++) {
        if (other === leafIndex) continue
        assert.equal(verifyOpening({ opening, ...deal, leafIndex: other }), false)
      }
    }
  })

  itRandom('a challenge reads one group per leaf', async random => {
    const { tree, open, reads } = storeOf(random, [100_000, 30_000, 200_001])
    const seed = challengeSeed(random.bytes(32), 3n, random.bytes(32))
    const drawn = drawLeaves(seed, 24, tree.leaves)
    for (const leafIndex of drawn) {
      const opening = await open(leafIndex)
      const deal = { dealRoot: tree.root(), dealLeaves: tree.leaves }
      assert.ok(verifyOpening({ opening, ...deal, leafIndex }))
    }
    assert.equal(reads.length, drawn.length)
  })

  itRandom('any flipped bit anywhere is rejected', async random => {
    const { tree, open } = storeOf(random, [3000, 21 * 1024 + 700, 5000, 900, 2000])
    const leafIndex = 3n + 17n
    const good = await open(leafIndex)
    assert.deepEqual([good.slot, good.slotPath.length, good.leaf.length], [1, 3, 1024])
    const deal = { dealRoot: tree.root(), dealLeaves: tree.leaves, leafIndex }
    assert.ok(verifyOpening({ opening: good, ...deal }))
    const rejects = (change: Partial<Opening>, what: string): void =>
      assert.equal(verifyOpening({ opening: { ...good, ...change }, ...deal }), false, what)
    for (let bit = 0; bit < good.leaf.length * 8; bit++) {
      rejects({ leaf: flipped(good.leaf, bit) }, `leaf bit ${bit}`)
    }
    for (let bit = 0; bit < 256; bit++) {
      rejects({ pieceRoot: flipped(good.pieceRoot, bit) }, `piece root bit ${bit}`)
      const dealRoot = flipped(deal.dealRoot, bit)
      assert.equal(verifyOpening({ opening: good, ...deal, dealRoot }), false)
      for (const [i, node] of good.leafPath.entries()) {
        rejects({ leafPath: good.leafPath.with(i, flipped(node, bit)) }, `leaf path ${i}`)
      }
      for (const [i, step] of good.slotPath.entries()) {
        const altered = { ...step, hash: flipped(step.hash, bit) }
        rejects({ slotPath: good.slotPath.with(i, altered) }, `slot path ${i}`)
      }
    }
    for (let bit = 0; bit < 64; bit++) {
      const mask = 1n << BigInt(bit)
      rejects({ slot: good.slot ^ (1 << (bit % 32)) }, `slot bit ${bit}`)
      rejects({ pieceBytes: good.pieceBytes ^ (1 << (bit % 32)) }, `bytes bit ${bit}`)
      for (const [i, step] of good.slotPath.entries()) {
        const altered = { ...step, leaves: step.leaves ^ mask }
        rejects({ slotPath: good.slotPath.with(i, altered) }, `slot path sum ${i}`)
      }
      const dealLeaves = deal.dealLeaves ^ mask
      assert.equal(verifyOpening({ opening: good, ...deal, dealLeaves }), false)
      const other = leafIndex ^ mask
      assert.equal(verifyOpening({ opening: good, ...deal, leafIndex: other }), false)
    }
  })

  itRandom('hostile openings are rejected without a throw', async random => {
    const { tree, open } = storeOf(random, [3000, 5000])
    const deal = { dealRoot: tree.root(), dealLeaves: tree.leaves, leafIndex: 4n }
    const good = await open(4n)
    const node = new Uint8Array(32)
    const numbers = [-1, 0.5, 2 ** 32, 2 ** 53, Infinity, -Infinity, Number.NaN]
    const bad: Partial<Opening>[] = [
      ...numbers.map(slot => ({ slot })),
      ...[0, ...numbers].map(pieceBytes => ({ pieceBytes })),
      { pieceRoot: new Uint8Array(0) },
      { pieceRoot: new Uint8Array(33) },
      { leaf: new Uint8Array(0) },
      { leaf: new Uint8Array(100_000) },
      { leafPath: [] },
      { leafPath: good.leafPath.slice(1) },
      { leafPath: [...good.leafPath, node] },
      { leafPath: Array<Uint8Array>(1000).fill(node) },
      { leafPath: good.leafPath.map(() => new Uint8Array(0)) },
      { slotPath: [] },
      { slotPath: [...good.slotPath, { hash: node, leaves: 0n }] },
      { slotPath: Array<Opening['slotPath'][0]>(1000).fill({ hash: node, leaves: 0n }) },
      { slotPath: [{ hash: new Uint8Array(5), leaves: 3n }] },
      { slotPath: [{ ...good.slotPath[0]!, leaves: -3n }] },
      { slotPath: [{ ...good.slotPath[0]!, leaves: 2n ** 300n }] }
    ]
    assert.ok(verifyOpening({ opening: good, ...deal }))
    for (const change of bad) {
      assert.equal(verifyOpening({ opening: { ...good, ...change }, ...deal }), false)
    }
    for (const value of [-1n, 2n ** 64n, 2n ** 300n]) {
      assert.equal(verifyOpening({ opening: good, ...deal, dealLeaves: value }), false)
      assert.equal(verifyOpening({ opening: good, ...deal, leafIndex: value }), false)
    }
  })

  itRandom('damaged storage fails to prove instead of proving wrongly', async random => {
    const { tree, open, pieces } = storeOf(random, [50_000])
    const [piece] = pieces.values()
    const isDamaged = (error: unknown): boolean => HoldfastError.is(error, 'PIECE_DAMAGED')
    piece![20_000]! ^= 1
    await assert.rejects(open(19n), isDamaged)
    await assert.rejects(open(20n), isDamaged)
    assert.ok(await open(0n))
    piece![20_000]! ^= 1
    assert.ok(await open(19n))
    pieces.set(toHex(tree.get(0)!.root), piece!.subarray(0, 40_000))
    await assert.rejects(open(39n), isDamaged)
  })

  itRandom('a revision during the read does not mix two trees', async random => {
    const { tree, pieces } = storeOf(random, [5000, 6000])
    const before = { dealRoot: tree.root(), dealLeaves: tree.leaves, leafIndex: 7n }
    const piece = pieces.get(toHex(tree.get(1)!.root))!
    const opening = await openingFor({
      tree,
      leafIndex: 7n,
      readGroup: () => {
        tree.set(0, undefined)
        tree.set(1, { root: random.bytes(32), bytes: 1 })
        return Promise.resolve(piece)
      },
      groupCvsOf: () => Promise.resolve(commitPiece(piece).groupCvs)
    })
    assert.ok(verifyOpening({ opening, ...before }))
  })
})
