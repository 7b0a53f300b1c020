/**
 * The book of both sides of a deal against a naive model: an array of slots per revision, kept for ever.
 *
 *   revision   0      1        2          3            newest
 *   slots      []     [a]      [a b c]    [a - c]      …        treeAt(n) is the tree of slots n
 */
import assert from 'node:assert/strict'
import { AssertionError } from '../../../src/base/assert.ts'
import { toHex } from '../../../src/base/bytes.ts'
import type { DealBook, DealFile } from '../../../src/node/deals/deal-book.ts'
import type { PieceEntry } from '../../../src/node/deals/types.ts'
import { SumTree } from '../../../src/proofs/index.ts'
import { type SeededRandom, suiteRandom } from '../../storage/random.ts'
import { BookFolder, unsigned, unsignedRevision } from './support.ts'

type Slots = (PieceEntry | undefined)[]

describe('deal book', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let folder: BookFolder
  beforeEach(async () => {
    folder = await BookFolder.make()
  })
  afterEach(() => folder.remove())

  const pieceOf = (): PieceEntry => ({ root: random.bytes(32), bytes: 1 + random.below(100_000) })
  const add = async (file: DealFile, ...pieces: PieceEntry[]): Promise<void> =>
    file.commit(file.plan(pieces, []), unsignedRevision)
  const drop = async (file: DealFile, ...slots: number[]): Promise<void> =>
    file.commit(file.plan([], slots), unsignedRevision)

  it('keeps what it was told, across restarts', async () => {
    const id = random.bytes(32)
    let book = await folder.open()
    const file = await book.create(id, unsigned)
    const piece = pieceOf()
    await add(file, piece)
    for (let i = 0; i < 2; i++) {
      const found = book.get(id)!
      const { revision, terms, clientPeer } = found.head
      assert.deepEqual([revision, toHex(terms), clientPeer], [1n, '010203', unsigned.clientPeer])
      assert.equal(found.bytes, BigInt(piece.bytes))
      assert.equal(await found.slotOf(piece.root), 0)
      const log = (await found.revision(1n))!
      assert.equal(toHex(log.revision), '06')
      assert.deepEqual(
        log.changes.map(({ slot }) => slot),
        [0]
      )
      assert.equal(book.all().length, 1)
      book = await folder.open()
    }
    assert.equal(book.get(random.bytes(32)), undefined)
  })

  it('starts a deal once', async () => {
    const book = await folder.open()
    const id = random.bytes(32)
    const file = await book.create(id, unsigned)
    await add(file, pieceOf())
    assert.equal(await book.create(id, unsigned), file)
    assert.equal(file.head.revision, 1n)
  })

  it('plans without changing anything, and commits in order only', async () => {
    const book = await folder.open()
    const file = await book.create(random.bytes(32), unsigned)
    const before = file.tree.root()
    const first = file.plan([pieceOf()], [])
    const other = file.plan([pieceOf(), pieceOf()], [])
    assert.deepEqual(file.tree.root(), before)
    assert.deepEqual([first.number, other.number, other.changes.length], [1n, 1n, 2])
    await file.commit(first, unsignedRevision)
    await assert.rejects(file.commit(other, unsignedRevision), AssertionError)
    assert.deepEqual(file.tree.root(), first.root)
    assert.throws(() => file.plan([], [7]), AssertionError)
  })

  it('accepts from a peer what fits its own tree only', async () => {
    const book = await folder.open()
    const file = await book.create(random.bytes(32), unsigned)
    const [a, b] = [pieceOf(), pieceOf()]
    await add(file, a, b)
    const refused = [
      [{ slot: 0, after: pieceOf() }],
      [{ slot: 2 }],
      [{ slot: 3, after: pieceOf() }],
      [{ slot: 0 }, { slot: 0 }],
      [
        { slot: 2, after: pieceOf() },
        { slot: 2, after: pieceOf() }
      ],
      [
        { slot: 2, after: pieceOf() },
        { slot: 4, after: pieceOf() }
      ],
      [{ slot: 1_000_000, after: pieceOf() }]
    ]
    for (const proposed of refused) {
      assert.throws(() => file.replan(proposed), { code: 'REVISION_CONFLICT' })
    }
    const c = pieceOf()
    const planned = file.replan([{ slot: 1 }, { slot: 1, after: c }, { slot: 2, after: b }])
    assert.deepEqual(planned.root, SumTree.from([a, c, b]).root())
    assert.equal(planned.bytes, BigInt(a.bytes + b.bytes + c.bytes))
  })

  it('gives both sides the same tree from the same changes', async () => {
    const book = await folder.open()
    const ours = await book.create(random.bytes(32), unsigned)
    const theirs = await book.create(random.bytes(32), unsigned)
    for (let i = 0; i < 30; i++) {
      const held = slotsOf(ours.tree).flatMap((piece, slot) => (piece ? [slot] : []))
      const removes = random.shuffled(held).slice(0, random.below(4))
      const adds = Array.from({ length: random.below(4) }, pieceOf)
      if (adds.length + removes.length === 0) continue
      const planned = ours.plan(adds, removes)
      const replanned = theirs.replan(planned.changes.map(({ slot, after }) => ({ slot, after })))
      assert.equal(toHex(replanned.root), toHex(planned.root))
      assert.deepEqual([replanned.leaves, replanned.bytes], [planned.leaves, planned.bytes])
      await ours.commit(planned, unsignedRevision)
      await theirs.commit(replanned, unsignedRevision)
    }
  })

  it('agrees with a naive model through any history and any restart', async () => {
    const ids = [random.bytes(32), random.bytes(32)]
    const history = new Map<string, Slots[]>(ids.map(id => [toHex(id), [[]]]))
    let book = await folder.open()
    for (const id of ids) await book.create(id, unsigned)
    for (let step = 0; step < 120; step++) {
      const id = ids[random.below(2)]!
      const revisions = history.get(toHex(id))!
      const file = book.get(id)!
      await revise(file, revisions)
      if (random.below(6) === 0) {
        const to = file.head.prunedTo + BigInt(random.below(4))
        const removed = await file.prune(to)
        assert.ok(file.head.prunedTo <= file.head.revision)
        const newest = new Set(revisions.at(-1)!.map(piece => piece && toHex(piece.root)))
        for (const { root } of removed) assert.ok(!newest.has(toHex(root)), 'still held')
      }
      if (random.below(10) === 0) book = await folder.open()
      await compareWith(book, id, revisions)
    }
  })

  async function revise(file: DealFile, revisions: Slots[]): Promise<void> {
    const slots = [...revisions.at(-1)!]
    const held = slots.flatMap((piece, slot) => (piece ? [slot] : []))
    const removes = random.shuffled(held).slice(0, random.below(held.length > 12 ? 12 : 4))
    const adds = Array.from({ length: 1 + random.below(4) }, pieceOf)
    await file.commit(file.plan(adds, removes), unsignedRevision)
    for (const slot of removes) slots[slot] = undefined
    for (const piece of adds) {
      const empty = slots.indexOf(undefined)
      slots[empty < 0 ? slots.length : empty] = piece
    }
    revisions.push(slots)
  }

  async function compareWith(book: DealBook, id: Uint8Array, revisions: Slots[]): Promise<void> {
    const file = book.get(id)!
    const newest = BigInt(revisions.length - 1)
    assert.equal(file.head.revision, newest)
    for (let n = file.head.prunedTo; n <= newest; n++) {
      const expected = revisions[Number(n)]!
      assert.equal(
        toHex((await file.treeAt(n)).root()),
        toHex(SumTree.from(expected).root()),
        `${n}`
      )
    }
    const expected = revisions.at(-1)!
    assert.deepEqual(slotsOf(file.tree).map(text), expected.map(text))
    const gone = revisions[random.below(revisions.length)]!.find(piece => !expected.includes(piece))
    if (gone) assert.ok(!(await book.references(gone.root)) && !(await file.slotOf(gone.root)))
    const some = expected.findIndex(piece => piece !== undefined)
    if (some < 0) return
    assert.equal(await file.slotOf(expected[some]!.root), some)
    assert.ok(await book.references(expected[some]!.root))
  }

  it('forgets old changes once, and keeps the newest revision for a peer that lost it', async () => {
    let book = await folder.open()
    const id = random.bytes(32)
    const file = await book.create(id, unsigned)
    const [a, b, c] = [pieceOf(), pieceOf(), pieceOf()]
    await add(file, a, b)
    await drop(file, 0)
    await drop(file, 1)
    await add(file, c)
    assert.deepEqual((await file.prune(2n)).map(text), [text(a)])
    assert.deepEqual(await file.prune(2n), [])
    assert.deepEqual(await file.prune(0n), [])
    await assert.rejects(file.treeAt(0n), { code: 'NOT_FOUND' })
    assert.equal((await file.treeAt(2n)).bytes, BigInt(b.bytes))
    assert.deepEqual((await file.prune(100n)).map(text), [text(b)])
    book = await folder.open()
    const again = book.get(id)!
    assert.deepEqual([again.head.revision, again.head.prunedTo], [4n, 4n])
    assert.ok((await again.revision(4n)) !== undefined)
    assert.equal(await again.revision(3n), undefined)
    assert.equal((await again.treeAt(4n)).bytes, BigInt(c.bytes))
  })

  it('returns every piece of a deal that ends, and leaves no key of it', async () => {
    const book = await folder.open()
    const [first, second] = [random.bytes(32), random.bytes(32)]
    const [file, other] = [await book.create(first, unsigned), await book.create(second, unsigned)]
    const [a, b, c, shared] = [pieceOf(), pieceOf(), pieceOf(), pieceOf()]
    await add(file, a, b, shared)
    await drop(file, 0)
    await add(file, c)
    await add(other, shared)
    const held = await book.remove(first)
    assert.deepEqual(held.map(text).sort(), [a, b, c, shared].map(text).sort())
    assert.equal(book.get(first), undefined)
    assert.ok(await book.references(shared.root), 'the other deal holds it')
    assert.ok(!(await book.references(b.root)))
    assert.ok(!(await folder.keys()).some(key => key.includes(toHex(first))))
    assert.deepEqual(await book.remove(first), [])
    const reopened = await folder.open()
    assert.deepEqual(
      reopened.all().map(({ id }) => toHex(id)),
      [toHex(second)]
    )
  })

  /*
   * A provider drops a pruned piece unless a deal references it. A client chooses what it adds: a root twice, or one
   * that it removed before. The provider must not lose bytes that it can still be asked to prove.
   *
   *   rev 1: [a a]   rev 2: [- a]   slot 1 still holds a
   */
  it('lets nothing go that a provable tree still holds, whatever the client adds', async () => {
    const book = await folder.open()
    const file = await book.create(random.bytes(32), unsigned)
    const pool = Array.from({ length: 4 }, pieceOf)
    for (let step = 0; step < 60; step++) {
      const proposed = proposal(random, file, pool)
      if (proposed.length === 0) continue
      let planned: ReturnType<DealFile['replan']>
      try {
        planned = file.replan(proposed)
      } catch {
        continue // refusing a root that is there already is one way to be safe
      }
      await file.commit(planned, unsignedRevision)
      for (const { root } of await file.prune(file.head.revision - BigInt(random.below(3)))) {
        if (await book.references(root)) continue
        for (let n = file.head.prunedTo; n <= file.head.revision; n++) {
          const holds = slotsOf(await file.treeAt(n)).some(
            piece => piece && text(piece).startsWith(toHex(root))
          )
          assert.ok(!holds, `step ${step}: revision ${n} can be drawn and holds a dropped piece`)
        }
      }
    }
  })
})

function proposal(
  random: SeededRandom,
  file: DealFile,
  pool: readonly PieceEntry[]
): { slot: number; after?: PieceEntry }[] {
  const slot = random.below(file.tree.slots + 1)
  const empty = slot === file.tree.slots || file.tree.get(slot) === undefined
  return [empty ? { slot, after: pool[random.below(pool.length)]! } : { slot }]
}

function slotsOf(tree: SumTree): Slots {
  return Array.from({ length: tree.slots }, (_, slot) => tree.get(slot))
}

function text(piece: PieceEntry | undefined): string {
  return piece === undefined ? '-' : `${toHex(piece.root)}/${piece.bytes}`
}
