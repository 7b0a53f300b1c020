/**
 * The piece index: where every piece lies, and what the bytes of every log are. One batch changes both, so the counters
 * are right after any crash, and each log's `tail` says from where on recovery has to read it. Batches are not synced
 * one by one: the logs are, and what a power cut takes from the index is read from them again.
 */
import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { MIB } from '../../base/limits.ts'
import { GroupCommit } from '../group-commit.ts'
import type { CatalogMeta, Entry, LogState, ScrubCursor } from './catalog-format.ts'
import * as format from './catalog-format.ts'
import type { KeyOperation, KeyValue } from './key-value.ts'

const FORMAT_VERSION = 2
/** After so much the index is synced: bounds what recovery reads after a power cut. */
const SYNC_BYTES: number = 64 * MIB
const SYNC_CHANGES = 4096

/**
 * A piece came, went, moved or changed (`before` and `after`); a log grew; the trash of a log was looked through; the
 * pieces of a log are being copied out of it.
 */
export interface Change {
  readonly root?: Uint8Array
  readonly before?: Entry | undefined
  readonly after?: Entry | undefined
  readonly grown?: { readonly log: number; readonly tail: number; readonly noteBytes: number }
  readonly swept?: { readonly log: number; readonly purgeAt: number }
  readonly emptying?: { readonly log: number; readonly is: boolean }
}

export interface Totals {
  livePieces: number
  liveBytes: number
  trashBytes: number
  noteBytes: number
  garbageBytes: number
  diskBytes: number
}

interface Request {
  readonly changes: readonly Change[]
  readonly sync: boolean
}

export class Catalog {
  readonly #db: KeyValue
  readonly #storeId: Uint8Array
  readonly #logs = new Map<number, LogState>()
  readonly #totals = new Map<number, Totals>()
  readonly #writes = new GroupCommit<Request>(requests => this.#write(requests))
  #nextSeq = 1
  #nextLog = 1
  #tick = 0
  #unsyncedBytes = 0
  #unsyncedChanges = 0

  constructor(db: KeyValue, storeId: Uint8Array) {
    this.#db = db
    this.#storeId = storeId
  }

  /**
   * True if the index is new.
   * @throws HoldfastError HOME_IN_USE, STORE_READ_ONLY when it cannot be read or is not of this store
   */
  async open(): Promise<boolean> {
    await this.#db.open()
    const value = await this.#db.get(format.META_KEY)
    if (value === undefined) return true
    this.#take(format.decodeMeta(value))
    for await (const [key, state] of this.#db.entries(...format.LOG_KEYS)) {
      this.#replace(format.decodeLogState(key, state))
    }
    return false
  }

  async close(): Promise<void> {
    await this.#db.close()
  }

  get tick(): number {
    return this.#tick
  }

  /** Time does not go back: an earlier tick is ignored. */
  advanceTo(tick: number): void {
    this.#tick = Math.max(this.#tick, tick)
  }

  takeSeq(): number {
    return this.#nextSeq++
  }

  takeLogId(): number {
    return this.#nextLog++
  }

  /** Numbers that were seen in a log are not given again. */
  sawSeq(seq: number): void {
    this.#nextSeq = Math.max(this.#nextSeq, seq + 1)
  }

  sawLog(id: number): void {
    this.#nextLog = Math.max(this.#nextLog, id + 1)
  }

  async get(root: Uint8Array): Promise<Entry | undefined> {
    const value = await this.#db.get(format.pieceKey(root))
    return value && format.decodeEntry(value)
  }

  async getMany(roots: readonly Uint8Array[]): Promise<(Entry | undefined)[]> {
    const values = await this.#db.getMany(roots.map(format.pieceKey))
    return values.map(value => value && format.decodeEntry(value))
  }

  /** Ordered by root, trash included, as of the first step. */
  async *entries(): AsyncGenerator<{ root: Uint8Array; entry: Entry }, void, undefined> {
    for await (const [key, value] of this.#db.entries(...format.PIECE_KEYS)) {
      yield { root: format.rootOfKey(key), entry: format.decodeEntry(value) }
    }
  }

  log(id: number): LogState | undefined {
    return this.#logs.get(id)
  }

  logs(): LogState[] {
    return [...this.#logs.values()]
  }

  /** Sums over the logs of a disk. */
  totals(disk: number): Readonly<Totals> {
    let found = this.#totals.get(disk)
    if (found === undefined) {
      found = {
        livePieces: 0,
        liveBytes: 0,
        trashBytes: 0,
        noteBytes: 0,
        garbageBytes: 0,
        diskBytes: 0
      }
      this.#totals.set(disk, found)
    }
    return found
  }

  /** In memory; it comes into the index with its first change. */
  addLog(state: LogState): void {
    this.#replace(state)
  }

  /** Survives the end of the process once resolved; the logs make it survive a power cut. */
  apply(changes: readonly Change[]): Promise<void> {
    return this.#writes.add({ changes, sync: false })
  }

  /** Everything applied before is durable once resolved. */
  sync(): Promise<void> {
    return this.#writes.add({ changes: [], sync: true })
  }

  /** Forgets a log that holds nothing. */
  async dropLog(id: number): Promise<void> {
    this.#forget(id)
    await this.#db.write([{ key: format.logKey(id) }], false)
  }

  async cursor(): Promise<ScrubCursor | undefined> {
    const value = await this.#db.get(format.SCRUB_KEY)
    return value && format.decodeCursor(value)
  }

  async saveCursor(cursor: ScrubCursor): Promise<void> {
    await this.#db.write([{ key: format.SCRUB_KEY, value: format.encodeCursor(cursor) }], false)
  }

  async #write(requests: readonly Request[]): Promise<void> {
    const changes = requests.flatMap(request => request.changes)
    const touched = new Map<number, LogState>()
    const operations: KeyOperation[] = []
    for (const change of changes) {
      this.#account(change, touched)
      if (change.root === undefined) continue
      const value = change.after && format.encodeEntry(change.after)
      operations.push({ key: format.pieceKey(change.root), ...(value && { value }) })
    }
    for (const state of touched.values()) {
      operations.push({ key: format.logKey(state.id), value: format.encodeLogState(state) })
    }
    operations.push({ key: format.META_KEY, value: format.encodeMeta(this.#meta()) })
    const sync = this.#isSyncDue(changes, touched) || requests.some(request => request.sync)
    await this.#db.write(operations, sync)
    if (sync) this.#unsyncedBytes = this.#unsyncedChanges = 0
    for (const state of touched.values()) this.#replace(state)
  }

  #isSyncDue(changes: readonly Change[], touched: ReadonlyMap<number, LogState>): boolean {
    for (const state of touched.values()) {
      this.#unsyncedBytes += Math.max(0, state.tail - (this.#logs.get(state.id)?.tail ?? 0))
    }
    this.#unsyncedChanges += changes.length
    return this.#unsyncedBytes >= SYNC_BYTES || this.#unsyncedChanges >= SYNC_CHANGES
  }

  #account(
    { before, after, grown, swept, emptying }: Change,
    touched: Map<number, LogState>
  ): void {
    const edit = (id: number, update: (state: LogState) => Partial<LogState>): void => {
      const state = touched.get(id) ?? this.#logs.get(id)
      // A log that is lost with its pieces counts for nothing any more.
      if (state !== undefined) touched.set(id, { ...state, ...update(state) })
    }
    if (before) edit(before.log, state => counted(state, before, -1))
    if (after) edit(after.log, state => counted(state, after, 1))
    if (grown) {
      const { tail, noteBytes } = grown
      edit(grown.log, state => ({ tail, noteBytes: state.noteBytes + noteBytes }))
    }
    if (swept) edit(swept.log, () => ({ purgeAt: swept.purgeAt }))
    if (emptying) edit(emptying.log, () => ({ isEmptying: emptying.is }))
  }

  #replace(state: LogState): void {
    this.#forget(state.id)
    this.#logs.set(state.id, state)
    this.#sum(state, 1)
  }

  #forget(id: number): void {
    const state = this.#logs.get(id)
    if (state === undefined) return
    this.#logs.delete(id)
    this.#sum(state, -1)
  }

  #sum(state: LogState, sign: 1 | -1): void {
    const totals = this.totals(state.disk) as Totals
    totals.livePieces += sign * state.livePieces
    totals.liveBytes += sign * state.liveBytes
    totals.trashBytes += sign * state.trashBytes
    totals.noteBytes += sign * state.noteBytes
    totals.garbageBytes += sign * format.garbageBytesOf(state)
    totals.diskBytes += sign * state.tail
  }

  #meta(): CatalogMeta {
    const [nextSeq, nextLog, tick] = [this.#nextSeq, this.#nextLog, this.#tick]
    return { version: FORMAT_VERSION, storeId: this.#storeId, nextSeq, nextLog, tick }
  }

  #take({ version, storeId, nextSeq, nextLog, tick }: CatalogMeta): void {
    if (version !== FORMAT_VERSION) {
      throw new HoldfastError('STORE_READ_ONLY', 'the piece index has another format version', {
        hint: 'run the version of Holdfast that wrote it, or delete the index: it is rebuilt'
      })
    }
    if (!equal(storeId, this.#storeId)) {
      throw new HoldfastError('STORE_READ_ONLY', 'the piece index belongs to another node', {
        hint: 'bring back the index of this node, or delete it: it is rebuilt from the logs'
      })
    }
    ;[this.#nextSeq, this.#nextLog, this.#tick] = [nextSeq, nextLog, tick]
  }
}

/** The state with one piece more or less. */
function counted(state: LogState, entry: Entry, sign: 1 | -1): Partial<LogState> {
  const { bytes, recordBytes, purgeAt } = entry
  if (purgeAt === 0) {
    return {
      livePieces: state.livePieces + sign,
      liveBytes: state.liveBytes + sign * bytes,
      liveRecordBytes: state.liveRecordBytes + sign * recordBytes
    }
  }
  const next = state.trashPieces === 0 ? purgeAt : Math.min(state.purgeAt, purgeAt)
  return {
    trashPieces: state.trashPieces + sign,
    trashBytes: state.trashBytes + sign * bytes,
    trashRecordBytes: state.trashRecordBytes + sign * recordBytes,
    purgeAt: sign === 1 ? next : state.purgeAt
  }
}
