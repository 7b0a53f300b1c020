import assert from 'node:assert/strict'
import { compare } from '../../src/base/bytes.ts'
import type { Hash } from '../../src/base/hash.ts'
import { proveRange, type RangeProof, verifyRange } from '../../src/ledger/state/range-proof.ts'
import { updateTree } from '../../src/ledger/state/tree.ts'
import { flipped, itRandom, type TestRandom } from '../proofs/random.ts'
import { MemoryNodes, type Pair, randomPairs } from './tree-support.ts'

interface Tree {
  store: MemoryNodes
  root: Hash
  /** In the order of keys. */
  pairs: Pair[]
}

function randomTree(random: TestRandom, count: number): Tree {
  const store = new MemoryNodes()
  const pairs = randomPairs(random, count).sort((a, b) => compare(a.key, b.key))
  return { store, root: updateTree(store, pairs), pairs }
}

/** Leaves from `first` up to, not including, `end`, and their proof. */
function rangeOf({ store, pairs }: Tree, first: number, end: number) {
  const after = pairs[first - 1]?.key
  const last = end === pairs.length ? undefined : pairs[end - 1]!.key
  const proof = proveRange(store, { ...(after && { after }), ...(last && { last }) })
  return { leaves: pairs.slice(first, end), proof }
}

function randomRange(tree: Tree, random: TestRandom): ReturnType<typeof rangeOf> & { end: number } {
  const first = random.int(tree.pairs.length)
  const end = first + 1 + random.int(tree.pairs.length - first)
  return { ...rangeOf(tree, first, end), end }
}

/** One change of the leaves that no proof may survive. */
function spoiledLeaves(leaves: Pair[], tree: Tree, random: TestRandom): Pair[] {
  const at = random.int(leaves.length)
  const leaf = leaves[at]!
  const other = tree.pairs[random.int(tree.pairs.length)]!
  const changes: (() => Pair[])[] = [
    () => leaves.toSpliced(at, 1),
    () => leaves.toSpliced(at, 1, { ...leaf, valueHash: flipped(leaf.valueHash, random.int(256)) }),
    () => leaves.toSpliced(at, 1, { ...leaf, key: flipped(leaf.key, random.int(256)) }),
    () => leaves.toSpliced(at, 0, leaf),
    () => leaves.toSpliced(at, 0, { ...leaf, key: random.bytes(32) }),
    () => [...leaves, other].sort((a, b) => compare(a.key, b.key)),
    () => [...leaves].reverse()
  ]
  return changes[random.int(leaves.length > 1 ? changes.length : changes.length - 1)]!()
}

/** One change of the edges; undefined when this proof has no such part. */
function spoiledProof(proof: RangeProof, random: TestRandom): RangeProof | undefined {
  const { below, above } = proof
  const edge = random.int(2) === 0 ? below?.edge : above
  if (edge === undefined) return undefined
  const { siblings } = edge
  const at = random.int(siblings.length || 1)
  const spoiled = [
    siblings.length > 0 && { ...edge, siblings: siblings.toSpliced(at, 1) },
    siblings.length > 0 && {
      ...edge,
      siblings: siblings.toSpliced(at, 1, flipped(siblings[at]!, random.int(256)))
    },
    { ...edge, siblings: siblings.toSpliced(at, 0, random.bytes(32)) },
    { ...edge, depth: edge.depth + 1 + random.int(1000) },
    edge.depth > 0 && { ...edge, depth: random.int(edge.depth) }
  ][random.int(5)]
  if (!spoiled) return undefined
  return edge === above
    ? { ...proof, above: spoiled }
    : { ...proof, below: { ...below!, edge: spoiled } }
}

describe('range proofs of the state tree', () => {
  itRandom('show every range of every tree', random => {
    for (const count of [1, 2, 3, 7, 40]) {
      const tree = randomTree(random, count)
      const { length } = tree.pairs
      for (let first = 0; first < length; first++) {
        for (let end = first + 1; end <= length; end++) {
          const { leaves, proof } = rangeOf(tree, first, end)
          assert.ok(verifyRange(tree.root, leaves, proof), `${first}..${end} of ${length}`)
        }
      }
    }
  })

  itRandom('show nothing else: leaves left out, added or changed, in 1,200 ways', random => {
    for (let round = 0; round < 12; round++) {
      const tree = randomTree(random, 2 + random.int(60))
      for (let i = 0; i < 100; i++) {
        const { leaves, proof } = randomRange(tree, random)
        assert.ok(!verifyRange(tree.root, spoiledLeaves(leaves, tree, random), proof))
      }
    }
  })

  itRandom('show nothing with other edges', random => {
    for (let round = 0; round < 12; round++) {
      const tree = randomTree(random, 2 + random.int(60))
      for (let i = 0; i < 100; i++) {
        const { leaves, proof } = randomRange(tree, random)
        const spoiled = spoiledProof(proof, random)
        if (spoiled !== undefined) assert.ok(!verifyRange(tree.root, leaves, spoiled))
        assert.ok(!verifyRange(flipped(tree.root, random.int(256)), leaves, proof))
      }
    }
  })

  itRandom('do not hide that there is more, nor pretend it', random => {
    const tree = randomTree(random, 50)
    const { length } = tree.pairs
    for (let end = 1; end < length; end++) {
      const { leaves, proof } = rangeOf(tree, 0, end)
      assert.ok(!verifyRange(tree.root, leaves, {}), 'the rest is left out')
      const whole = { ...rangeOf(tree, end, length).proof }
      const edge = proof.above!
      assert.ok(
        !verifyRange(tree.root, tree.pairs.slice(end), { ...whole, above: edge }),
        'the end has an edge'
      )
    }
    assert.ok(!verifyRange(tree.root, [], {}))
  })
})
