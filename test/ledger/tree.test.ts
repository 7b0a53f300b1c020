import assert from 'node:assert/strict'
import { compare, toHex } from '../../src/base/bytes.ts'
import { type Hash, sha256, ZERO_HASH } from '../../src/base/hash.ts'
import {
  bitAt,
  innerHash,
  leafHash,
  type NodeStore,
  type TreeChange,
  treeRoot,
  updateTree
} from '../../src/ledger/state/tree.ts'
import { proveKey, type StateProof, verifyStateProof } from '../../src/ledger/state/tree-proof.ts'
import { flipped, itRandom, type TestRandom } from '../proofs/random.ts'

class MemoryNodes implements NodeStore {
  readonly nodes = new Map<string, Uint8Array>()
  reads = 0

  read(path: Uint8Array): Uint8Array | undefined {
    this.reads++
    return this.nodes.get(toHex(path))
  }

  write(path: Uint8Array, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.nodes.delete(toHex(path))
    else this.nodes.set(toHex(path), bytes)
  }
}

interface Pair {
  key: Hash
  valueHash: Hash
}

/** The definition, from all pairs at once. */
function naiveRoot(pairs: readonly Pair[], depth = 0): Hash {
  if (pairs.length === 0) return ZERO_HASH
  if (pairs.length === 1) return leafHash(pairs[0]!.key, pairs[0]!.valueHash)
  const half = (bit: number) => pairs.filter(({ key }) => bitAt(key, depth) === bit)
  return innerHash(naiveRoot(half(0), depth + 1), naiveRoot(half(1), depth + 1))
}

/** Keys that share long prefixes now and then, so that paths get deep. */
function randomKey(random: TestRandom, near?: Hash): Hash {
  if (near === undefined || random.int(3) > 0) return sha256(random.bytes(8))
  return flipped(near, random.int(256))
}

/** At most `count`, with different keys. */
function randomPairs(random: TestRandom, count: number): Pair[] {
  const pairs = new Map<string, Pair>()
  let near: Hash | undefined
  for (let i = 0; i < count; i++) {
    near = randomKey(random, near)
    pairs.set(toHex(near), { key: near, valueHash: random.bytes(32) })
  }
  return [...pairs.values()]
}

describe('the state tree', () => {
  itRandom('has the root of the definition after any sequence of batches', random => {
    const store = new MemoryNodes()
    const model = new Map<string, Pair>()
    for (let batch = 0; batch < 60; batch++) {
      const changes = new Map<string, TreeChange>()
      for (let i = random.int(20); i >= 0; i--) {
        const known = [...model.values()]
        const near = known[random.int(known.length || 1)]?.key
        const remove = batch > 30 ? random.int(4) > 0 : random.int(3) === 0
        const key = near !== undefined && random.int(2) === 0 ? near : randomKey(random, near)
        changes.set(toHex(key), remove ? { key } : { key, valueHash: random.bytes(32) })
      }
      for (const [id, { key, valueHash }] of changes) {
        if (valueHash === undefined) model.delete(id)
        else model.set(id, { key, valueHash })
      }
      const root = updateTree(store, [...changes.values()])
      assert.equal(toHex(root), toHex(naiveRoot([...model.values()])))
      assert.equal(toHex(treeRoot(store)), toHex(root))
      checkNodeCount(store, model.size)
    }
    const all = [...model.values()].map(({ key }) => ({ key }))
    assert.deepEqual(updateTree(store, all), ZERO_HASH)
    assert.equal(store.nodes.size, 0)
  })

  /** Nothing is left behind: as many leaves as pairs. */
  function checkNodeCount(store: MemoryNodes, pairs: number): void {
    const leaves = [...store.nodes.values()].filter(bytes => bytes[0] === 0).length
    assert.equal(leaves, pairs)
  }

  itRandom('does not depend on the order of updates', random => {
    const pairs = randomPairs(random, 100)
    const roots = [pairs, [...pairs].sort((a, b) => compare(a.key, b.key))].map(order => {
      const store = new MemoryNodes()
      for (const pair of order) updateTree(store, [pair])
      return toHex(treeRoot(store))
    })
    assert.equal(roots[0], roots[1])
    assert.equal(roots[0], toHex(naiveRoot(pairs)))
  })

  itRandom('reads O(log n) nodes for one change', random => {
    const store = new MemoryNodes()
    const pairs = Array.from({ length: 4096 }, () => ({
      key: sha256(random.bytes(16)),
      valueHash: random.bytes(32)
    }))
    updateTree(store, pairs)
    store.reads = 0
    updateTree(store, [{ key: pairs[7]!.key, valueHash: random.bytes(32) }])
    assert.ok(store.reads < 40, `${store.reads} reads`)
  })

  it('refuses a batch that names a key twice', () => {
    const change = { key: sha256(new Uint8Array(1)), valueHash: ZERO_HASH }
    assert.throws(() => updateTree(new MemoryNodes(), [change, change]), /repeat/)
  })

  itRandom('proves what is there and what is not', random => {
    const store = new MemoryNodes()
    const pairs = randomPairs(random, 200)
    const root = updateTree(store, pairs)
    for (const { key, valueHash } of pairs) {
      const proof = proveKey(store, key)
      assert.ok(verifyStateProof(root, key, valueHash, proof))
      assert.ok(!verifyStateProof(root, key, undefined, proof), 'absence of a present key')
      assert.ok(!verifyStateProof(root, key, flipped(valueHash, 3), proof))
      const shorter: StateProof = { ...proof, siblings: proof.siblings.slice(1) }
      assert.ok(!verifyStateProof(root, key, valueHash, shorter))
    }
    for (let i = 0; i < pairs.length; i++) {
      const key = flipped(pairs[i]!.key, random.int(256))
      if (pairs.some(pair => compare(pair.key, key) === 0)) continue
      const proof = proveKey(store, key)
      assert.ok(verifyStateProof(root, key, undefined, proof))
      assert.ok(!verifyStateProof(root, key, ZERO_HASH, proof))
      assert.ok(!verifyStateProof(flipped(root, 0), key, undefined, proof))
    }
  })

  it('has the empty root without keys', () => {
    const store = new MemoryNodes()
    assert.deepEqual(treeRoot(store), ZERO_HASH)
    assert.ok(verifyStateProof(ZERO_HASH, sha256(ZERO_HASH), undefined, { siblings: [] }))
  })
})
