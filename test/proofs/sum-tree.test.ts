import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { concat, toHex, u64be } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { DEAL_PIECES_MAX, PIECE_BYTES_MAX } from '../../src/base/limits.ts'
import { type PieceEntry, type Slot, SumTree, verifySlot } from '../../src/proofs/sum-tree.ts'
import { flipped, itRandom, type TestRandom } from './random.ts'

interface NaiveNode {
  hash: Uint8Array
  leaves: bigint
}

/** The definition, read aloud: all slots padded to a power of two, hashed level by level. */
function naive(slots: readonly Slot[]): NaiveNode {
  const hash = (...parts: Uint8Array[]): Uint8Array =>
    new Uint8Array(
      createHash('sha256')
        .update(concat(...parts))
        .digest()
    )
  const width = 2 ** Math.ceil(Math.log2(Math.max(1, slots.length)))
  let level: NaiveNode[] = Array.from({ length: width }, (_, i) => {
    const slot = slots[i]
    if (slot === undefined) return { hash: new Uint8Array(32), leaves: 0n }
    const leaves = BigInt(Math.ceil(slot.bytes / 1024))
    return { hash: hash(Uint8Array.of(0), slot.root, u64be(slot.bytes)), leaves }
  })
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) => {
      const [left, right] = [level[2 * i]!, level[2 * i + 1]!]
      const parts = [u64be(left.leaves), left.hash, u64be(right.leaves), right.hash]
      return { hash: hash(Uint8Array.of(1), ...parts), leaves: left.leaves + right.leaves }
    })
  }
  return level[0]!
}

function randomEntry(random: TestRandom): PieceEntry {
  const bytes = random.int(4) === 0 ? PIECE_BYTES_MAX - random.int(3) : 1 + random.int(100_000)
  return { root: random.bytes(32), bytes }
}

function check(tree: SumTree, model: readonly Slot[], random: TestRandom): void {
  const expected = naive(model)
  assert.equal(toHex(tree.root()), toHex(expected.hash))
  assert.equal(tree.leaves, expected.leaves)
  assert.equal(tree.slots, model.length)
  assert.equal(
    tree.bytes,
    model.reduce((sum, slot) => sum + BigInt(slot?.bytes ?? 0), 0n)
  )
  if (model.length === 0) return
  const slot = random.int(model.length)
  assert.deepEqual(tree.get(slot), model[slot])
  const proven = verifySlot({
    dealRoot: tree.root(),
    dealLeaves: tree.leaves,
    slot,
    entry: model[slot],
    path: tree.open(slot)
  })
  const before = model.slice(0, slot).reduce((sum, s) => sum + Math.ceil((s?.bytes ?? 0) / 1024), 0)
  assert.deepEqual(proven, { firstLeaf: BigInt(before) })
}

describe('sum tree', () => {
  itRandom('equals a naive rebuild under random set, append and remove', random => {
    const tree = SumTree.from([])
    const model: Slot[] = []
    check(tree, model, random)
    for (let step = 0; step < 400; step++) {
      const action = random.int(10)
      const slot = random.int(model.length + 1)
      if (action < (step < 100 ? 6 : 4)) {
        const entry = randomEntry(random)
        const free = model.indexOf(undefined)
        const expected = free === -1 ? model.length : free
        assert.equal(tree.append(entry), expected)
        model[expected] = entry
      } else if (action < 7) {
        model[slot] = action === 6 ? undefined : randomEntry(random)
        tree.set(slot, model[slot])
      } else if (slot < model.length) {
        model[slot] = undefined
        tree.set(slot, undefined)
      }
      check(tree, model, random)
    }
    assert.ok(model.length > 20)
  })

  itRandom('from() of any number of slots equals the same slots set one by one', random => {
    for (let count = 0; count <= 40; count++) {
      const slots = Array.from({ length: count }, () =>
        random.int(5) === 0 ? undefined : randomEntry(random)
      )
      const tree = SumTree.from(slots)
      check(tree, slots, random)
      const grown = SumTree.from([])
      for (const [i, slot] of slots.entries()) grown.set(i, slot)
      assert.deepEqual(grown.root(), tree.root())
    }
  })

  itRandom('locates every leaf', random => {
    const slots = Array.from({ length: 23 }, () =>
      random.int(3) === 0 ? undefined : { root: random.bytes(32), bytes: 1 + random.int(9000) }
    )
    slots[11] = { root: random.bytes(32), bytes: 5000 }
    const tree = SumTree.from(slots)
    let leaf = 0n
    for (const [slot, entry] of slots.entries()) {
      const leaves = Math.ceil((entry?.bytes ?? 0) / 1024)
      for (let leafInPiece = 0; leafInPiece < leaves; leafInPiece++) {
        assert.deepEqual(tree.locate(leaf), { slot, leafInPiece })
        leaf++
      }
    }
    assert.equal(tree.leaves, leaf)
    assert.throws(() => tree.locate(leaf), /leaf/)
    assert.throws(() => tree.locate(-1n), /leaf/)
  })

  itRandom('a clone and its original go their own ways', random => {
    const slots = Array.from({ length: 3000 }, () => randomEntry(random))
    const tree = SumTree.from(slots)
    const next = tree.clone()
    const removed = random.int(3000)
    next.set(removed, undefined)
    assert.equal(next.append(slots[0]!), removed)
    assert.equal(next.append(slots[0]!), 3000)
    assert.deepEqual(tree.root(), naive(slots).hash)
    assert.equal(tree.slots, 3000)
    assert.deepEqual(next.root(), naive([...slots.with(removed, slots[0]!), slots[0]]).hash)
    const other = tree.clone()
    tree.set(removed, undefined)
    assert.deepEqual(other.root(), naive(slots).hash)
  })

  itRandom('keeps nothing of the caller and gives nothing of its own away', random => {
    const entry = { root: random.bytes(32), bytes: 10 }
    const tree = SumTree.from([entry, undefined])
    const before = toHex(tree.root())
    const stored = new Uint8Array(entry.root)
    entry.root.fill(0)
    assert.deepEqual(tree.get(0), { root: stored, bytes: 10 })
    tree.root().fill(0)
    tree.open(0)[0]!.hash.fill(1)
    tree.open(1)[0]!.hash.fill(1)
    assert.equal(toHex(tree.root()), before)
    assert.equal(toHex(SumTree.from([]).root()), '00'.repeat(32))
    tree.set(1, { root: random.bytes(32), bytes: 1 })
    tree.set(1, undefined)
    assert.equal(toHex(tree.root()), before)
  })

  itRandom('any flipped bit, number or step is rejected', random => {
    const slots = Array.from({ length: 11 }, () => randomEntry(random))
    const tree = SumTree.from(slots)
    const slot = 6
    const path = tree.open(slot)
    const entry = slots[slot]!
    const good = { dealRoot: tree.root(), dealLeaves: tree.leaves, slot, entry, path }
    assert.notEqual(verifySlot(good), undefined)
    const rejects = (change: Partial<typeof good>, what: string): void =>
      assert.equal(verifySlot({ ...good, ...change }), undefined, what)
    for (let bit = 0; bit < 256; bit++) {
      rejects({ dealRoot: flipped(good.dealRoot, bit) }, `root bit ${bit}`)
      rejects({ entry: { ...entry, root: flipped(entry.root, bit) } }, `piece root bit ${bit}`)
      for (const [i, step] of path.entries()) {
        rejects({ path: path.with(i, { ...step, hash: flipped(step.hash, bit) }) }, `step ${i}`)
      }
    }
    for (let bit = 0; bit < 70; bit++) {
      rejects({ dealLeaves: good.dealLeaves ^ (1n << BigInt(bit)) }, `leaves bit ${bit}`)
      rejects({ slot: slot ^ (1 << (bit % 32)) }, `slot bit ${bit}`)
      rejects({ entry: { ...entry, bytes: entry.bytes ^ (1 << (bit % 32)) } }, `bytes bit ${bit}`)
      for (const [i, step] of path.entries()) {
        const altered = { ...step, leaves: step.leaves ^ (1n << BigInt(bit)) }
        rejects({ path: path.with(i, altered) }, `step ${i} leaves bit ${bit}`)
      }
    }
    for (const value of [-1, 0.5, 16, 2 ** 32 + slot, Infinity, Number.NaN]) {
      rejects({ slot: value }, `slot ${value}`)
      rejects({ entry: { ...entry, bytes: value === 16 ? 0 : value } }, `bytes ${value}`)
    }
    rejects({ path: path.slice(1) }, 'short')
    rejects({ path: [...path, { hash: new Uint8Array(32), leaves: 0n }] }, 'long')
    rejects({ path: Array<(typeof path)[0]>(1000).fill(path[0]!) }, 'very long')
    rejects({ path: path.with(0, { ...path[0]!, hash: new Uint8Array(31) }) }, 'short hash')
    rejects({ path: path.with(0, { ...path[0]!, leaves: -1n }) }, 'negative sum')
    rejects({ dealLeaves: -1n }, 'negative leaves')
    rejects({ entry: { ...entry, root: new Uint8Array(31) } }, 'short root')
  })

  itRandom('sums cannot be moved between siblings', random => {
    const [a, b] = [randomEntry(random), randomEntry(random)]
    const tree = SumTree.from([a, { ...b, bytes: 4096 }])
    const [step] = tree.open(0)
    const forged = [{ ...step!, leaves: step!.leaves - 1n }]
    const init = { dealRoot: tree.root(), slot: 0, entry: a, path: forged }
    assert.equal(verifySlot({ ...init, dealLeaves: tree.leaves }), undefined)
    assert.equal(verifySlot({ ...init, dealLeaves: tree.leaves - 1n }), undefined)
  })

  it('refuses entries and slots out of bounds', () => {
    const isInvalid = (error: unknown): boolean => HoldfastError.is(error, 'INVALID_ARGUMENT')
    const tree = SumTree.from([])
    const root = new Uint8Array(32)
    for (const bytes of [0, -1, 1.5, PIECE_BYTES_MAX + 1, Number.NaN]) {
      assert.throws(() => tree.append({ root, bytes }), isInvalid)
    }
    assert.throws(() => tree.set(0, { root: root.subarray(1), bytes: 1 }), isInvalid)
    assert.throws(() => SumTree.from(new Array<Slot>(DEAL_PIECES_MAX + 1)), isInvalid)
    assert.throws(() => tree.set(1, undefined), /slot 1 of 0/)
    assert.throws(() => tree.get(0), /slot 0 of 0/)
    assert.throws(() => tree.open(0), /slot 0 of 0/)
    assert.equal(tree.slots, 0)
  })
})
