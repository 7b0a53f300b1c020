import assert from 'node:assert/strict'
import { compare, toHex } from '../../src/base/bytes.ts'
import { sha256, ZERO_HASH } from '../../src/base/hash.ts'
import { PagedNodes } from '../../src/ledger/state/pages.ts'
import { type TreeChange, treeRoot, updateTree } from '../../src/ledger/state/tree.ts'
import { proveKey, type StateProof, verifyStateProof } from '../../src/ledger/state/tree-proof.ts'
import { flipped, itRandom } from '../proofs/random.ts'
import { MemoryNodes, naiveRoot, type Pair, randomKey, randomPairs } from './tree-support.ts'

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
    const leaves = [...store.nodes.values()].filter(({ kind }) => kind === 'leaf').length
    assert.equal(leaves, pairs)
  }

  itRandom('has the same root when it is stored in pages, and leaves none behind', random => {
    const db = new Map<string, Uint8Array>()
    let reads = 0
    const open = (): PagedNodes =>
      new PagedNodes(key => {
        reads++
        return db.get(toHex(key))
      })
    const update = (changes: TreeChange[]): string => {
      const nodes = open()
      const root = updateTree(nodes, changes)
      for (const { key, value } of nodes.writes()) {
        if (value === undefined) db.delete(toHex(key))
        else db.set(toHex(key), value)
      }
      assert.deepEqual(treeRoot(open()), root)
      return toHex(root)
    }
    const pairs = randomPairs(random, 400)
    for (let from = 0; from < pairs.length; from += 40) {
      const root = update(pairs.slice(from, from + 40))
      assert.equal(root, toHex(naiveRoot(pairs.slice(0, from + 40))))
    }
    const [first, ...rest] = pairs
    reads = 0
    const proof = proveKey(open(), first!.key)
    assert.ok(reads <= proof.siblings.length / 4 + 1, `${reads} reads`)
    assert.ok(verifyStateProof(naiveRoot(pairs), first!.key, first!.valueHash, proof))
    for (const { key } of random.int(2) === 0 ? rest : rest.toReversed()) update([{ key }])
    assert.equal(update([]), toHex(naiveRoot([first!])))
    assert.equal(db.size, 1)
    update([{ key: first!.key }])
    assert.equal(db.size, 0)
  })

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
