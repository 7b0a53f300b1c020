/**
 * What both sides of a deal must remember: its terms, the newest revision with both signatures, the piece in every
 * slot, and the changes of recent revisions so that the tree of an older one (the one on the ledger) can be rebuilt.
 * The client and the provider each keep their own book; nothing is acknowledged before it is synced here.
 */
import type { Level } from 'level'
import { assert } from '../../base/assert.ts'
import { toHex } from '../../base/bytes.ts'
import { decodeDocument, encodeDocument } from '../../base/codec.ts'
import { HoldfastError } from '../../base/errors.ts'
import { MIB } from '../../base/limits.ts'
import { SumTree } from '../../proofs/index.ts'
import * as keys from './deal-keys.ts'
import type { DealChange, DealHead, PieceEntry, PlannedRevision, RevisionLog } from './types.ts'

const RECORD_BYTES_MAX: number = 4 * MIB

type Database = Level<string, Uint8Array>
type Operation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

/** One deal as one side sees it. */
export class DealFile {
  readonly #db: Database
  readonly id: Uint8Array
  readonly #hex: string
  #head: DealHead
  #tree: SumTree

  constructor(db: Database, id: Uint8Array, head: DealHead, tree: SumTree) {
    this.#db = db
    this.id = id
    this.#hex = toHex(id)
    this.#head = head
    this.#tree = tree
  }

  get head(): DealHead {
    return this.#head
  }

  get bytes(): bigint {
    return this.#tree.bytes
  }

  /** The newest agreed tree. Callers must not change it. */
  get tree(): SumTree {
    return this.#tree
  }

  /** Where the newest revision has this piece; undefined when it has not. */
  async slotOf(root: Uint8Array): Promise<number | undefined> {
    const range = { ...keys.referencesIn(root, this.#hex), limit: 1 }
    for await (const key of this.#db.keys(range)) return keys.slotOfKey(key)
    return undefined
  }

  /** The next revision with these pieces added and these slots emptied; nothing is changed yet. */
  plan(adds: readonly PieceEntry[], removes: readonly number[]): PlannedRevision {
    const next = this.#tree.clone()
    const changes: DealChange[] = []
    for (const slot of removes) {
      const before = next.get(slot)
      assert(before !== undefined, 'a removed slot holds a piece')
      changes.push({ slot, before })
      next.set(slot, undefined)
    }
    for (const after of adds) changes.push({ slot: next.append(after), after })
    return this.#planned(next, changes)
  }

  /**
   * The revision that a peer proposes, on our own tree.
   * @throws HoldfastError REVISION_CONFLICT when a change does not fit what we hold
   */
  replan(proposed: readonly { slot: number; after?: PieceEntry | undefined }[]): PlannedRevision {
    const next = this.#tree.clone()
    const changes: DealChange[] = []
    for (const { slot, after } of proposed) {
      const before = slot < next.slots ? next.get(slot) : undefined
      if ((before === undefined) === (after === undefined) || slot > next.slots) {
        throw new HoldfastError(
          'REVISION_CONFLICT',
          `slot ${slot} does not fit the change proposed`
        )
      }
      changes.push({ slot, ...(before && { before }), ...(after && { after }) })
      next.set(slot, after)
    }
    return this.#planned(next, changes)
  }

  #planned(tree: SumTree, changes: DealChange[]): PlannedRevision {
    return {
      number: this.#head.revision + 1n,
      root: tree.root(),
      leaves: tree.leaves,
      bytes: tree.bytes,
      changes,
      tree
    }
  }

  /** Makes a planned revision, now signed by both, the newest one. Durable when it resolves. */
  async commit(
    planned: PlannedRevision,
    log: Omit<RevisionLog, 'changes' | 'slotsBefore'>
  ): Promise<void> {
    assert(planned.number === this.#head.revision + 1n, 'revisions are committed in order')
    const slots = planned.tree.slots
    const head: DealHead = { ...this.#head, revision: planned.number, slots }
    const slotsBefore = this.#tree.slots
    const operations: Operation[] = [
      put(keys.head(this.#hex), headToDocument(head)),
      put(keys.revision(this.#hex, planned.number), {
        ...log,
        changes: planned.changes,
        slotsBefore
      })
    ]
    for (const { slot, before, after } of planned.changes) {
      if (before) {
        operations.push({ type: 'del', key: keys.reference(before.root, this.#hex, slot) })
      }
      if (after) {
        operations.push(put(keys.slot(this.#hex, slot), after))
        operations.push(put(keys.reference(after.root, this.#hex, slot), null))
      } else {
        operations.push({ type: 'del', key: keys.slot(this.#hex, slot) })
      }
    }
    await this.#db.batch(operations, { sync: true })
    this.#head = head
    this.#tree = planned.tree
  }

  /** The signed revision and its changes; undefined when it was pruned or never agreed. */
  async revision(number: bigint): Promise<RevisionLog | undefined> {
    const bytes = await this.#db.get(keys.revision(this.#hex, number))
    return bytes === undefined
      ? undefined
      : (decodeDocument(bytes, RECORD_BYTES_MAX) as RevisionLog)
  }

  /**
   * The tree as of an older revision: the newest with the later changes undone.
   * @throws HoldfastError NOT_FOUND when those changes were pruned
   */
  async treeAt(number: bigint): Promise<SumTree> {
    if (number === this.#head.revision) return this.#tree.clone()
    const slots = Array.from({ length: this.#tree.slots }, (_, slot) => this.#tree.get(slot))
    for (let n = this.#head.revision; n > number; n--) {
      const log = await this.revision(n)
      if (log === undefined) throw new HoldfastError('NOT_FOUND', `revision ${n} was pruned`)
      for (const { slot, before } of log.changes.toReversed()) slots[slot] = before
      slots.length = log.slotsBefore
    }
    return SumTree.from(slots)
  }

  /**
   * Gives up the trees before revision `number`: returns the pieces removed up to it. The newest revision itself stays,
   * signatures and changes, for a client that lost its copy.
   */
  async prune(number: bigint): Promise<PieceEntry[]> {
    const { prunedTo, revision } = this.#head
    const removed: PieceEntry[] = []
    const operations: Operation[] = []
    const to = number < revision ? number : revision
    for (let n = prunedTo + 1n; n <= to; n++) {
      const log = await this.revision(n)
      for (const { before } of log?.changes ?? []) if (before) removed.push(before)
      operations.push({ type: 'del', key: keys.revision(this.#hex, n - 1n) })
    }
    if (operations.length === 0) return []
    const head = { ...this.#head, prunedTo: to }
    operations.push(put(keys.head(this.#hex), headToDocument(head)))
    await this.#db.batch(operations, { sync: true })
    this.#head = head
    const later = await this.#removedAfter(to)
    return removed.filter(({ root }) => !later.has(toHex(root)))
  }

  /** Roots that later revisions remove: an older tree that can still be drawn from may hold them. */
  async #removedAfter(number: bigint): Promise<Set<string>> {
    const roots = new Set<string>()
    for (let n = number + 1n; n <= this.#head.revision; n++) {
      const log = await this.revision(n)
      for (const { before } of log?.changes ?? []) if (before) roots.add(toHex(before.root))
    }
    return roots
  }
}

/** All deals of one side. */
export class DealBook {
  readonly #db: Database
  readonly #files = new Map<string, DealFile>()

  private constructor(db: Database) {
    this.#db = db
  }

  /** Loads the heads and trees of all deals from an open database. */
  static async open(db: Database): Promise<DealBook> {
    const book = new DealBook(db)
    for await (const [key, value] of db.iterator(keys.heads())) {
      const id = keys.idOfHead(key)
      const head = headFromDocument(decodeDocument(value, RECORD_BYTES_MAX))
      book.#files.set(
        toHex(id),
        new DealFile(db, id, head, await loadTree(db, toHex(id), head.slots))
      )
    }
    return book
  }

  get(id: Uint8Array): DealFile | undefined {
    return this.#files.get(toHex(id))
  }

  all(): DealFile[] {
    return [...this.#files.values()]
  }

  /** Starts the file of a newly signed deal; idempotent. Durable when it resolves. */
  async create(
    id: Uint8Array,
    head: Omit<DealHead, 'revision' | 'prunedTo' | 'slots'>
  ): Promise<DealFile> {
    const hex = toHex(id)
    const existing = this.#files.get(hex)
    if (existing !== undefined) return existing
    const full: DealHead = { ...head, revision: 0n, prunedTo: 0n, slots: 0 }
    await this.#db.batch([put(keys.head(hex), headToDocument(full))], { sync: true })
    const file = new DealFile(this.#db, id, full, SumTree.from([]))
    this.#files.set(hex, file)
    return file
  }

  /** Deletes everything about a deal that ended and returns the pieces it held. */
  async remove(id: Uint8Array): Promise<PieceEntry[]> {
    const hex = toHex(id)
    const file = this.#files.get(hex)
    if (file === undefined) return []
    const held: PieceEntry[] = await file.prune(file.head.revision)
    const operations: Operation[] = [{ type: 'del', key: keys.head(hex) }]
    for await (const key of this.#db.keys(keys.everythingOf(hex)))
      operations.push({ type: 'del', key })
    for (let slot = 0; slot < file.tree.slots; slot++) {
      const entry = file.tree.get(slot)
      if (entry === undefined) continue
      held.push(entry)
      operations.push({ type: 'del', key: keys.reference(entry.root, hex, slot) })
    }
    await this.#db.batch(operations, { sync: true })
    this.#files.delete(hex)
    return held
  }

  /** True if any deal of this book holds the piece in its newest revision. */
  async references(root: Uint8Array): Promise<boolean> {
    for await (const _ of this.#db.keys({ ...keys.referencesOf(root), limit: 1 })) return true
    return false
  }
}

async function loadTree(db: Database, hex: string, count: number): Promise<SumTree> {
  const slots = new Array<PieceEntry | undefined>(count).fill(undefined)
  for await (const [key, value] of db.iterator(keys.slots(hex))) {
    slots[keys.slotOfKey(key)] = decodeDocument(value, RECORD_BYTES_MAX) as PieceEntry
  }
  return SumTree.from(slots)
}

function put(key: string, value: unknown): Operation {
  return { type: 'put', key, value: encodeDocument(value) }
}

function headToDocument(head: DealHead): unknown {
  return { ...head, revision: head.revision.toString(), prunedTo: head.prunedTo.toString() }
}

function headFromDocument(document: unknown): DealHead {
  const head = document as Omit<DealHead, 'revision' | 'prunedTo'> & {
    revision: string
    prunedTo: string
  }
  return { ...head, revision: BigInt(head.revision), prunedTo: BigInt(head.prunedTo) }
}
