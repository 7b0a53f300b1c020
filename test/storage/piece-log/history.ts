/**
 * A random history of a piece store, and what must be true of the store after it: a model of everything that was
 * acknowledged. What was under way when the power went may have happened or not.
 */
import assert from 'node:assert/strict'
import { compare, equal, fromHex, toHex } from '../../../src/base/bytes.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { GROUP_BYTES } from '../../../src/base/limits.ts'
import { unpaced } from '../../../src/storage/piece-log/pacer.ts'
import {
  createDiskPieceStore,
  type DiskPieceStore
} from '../../../src/storage/piece-log/piece-log-store.ts'
import type { StoreLimits } from '../../../src/storage/piece-log/store-parts.ts'
import type { PieceStore } from '../../../src/storage/piece-store.ts'
import { outboardOf } from '../../contracts/piece-store.ts'
import type { FaultDisk } from '../../support/fault-disk.ts'
import type { FaultIndex } from '../../support/fault-index.ts'
import type { SeededRandom } from '../random.ts'

/** Small enough that a short history fills, compacts and deletes logs. */
export const SMALL_LIMITS: StoreLimits = {
  logBytesMax: 65_536,
  smallBytesMax: 2_048,
  flushBytesMax: 8_192,
  inFlightBytesMax: 1_000_000,
  garbageShareMax: 0.2,
  garbageBytesFree: 8_192
}
export const GROUP_TICKS = 10
const QUOTA_BYTES = 100_000_000
const WORKERS = 3

interface Known {
  readonly bytes: Uint8Array
  /** `either`: a call about it was under way when the power went. */
  state: 'stored' | 'removed' | 'either'
  leaseEnd: number
}

export function simulatedStore(
  disk: FaultDisk,
  index: FaultIndex,
  { trashTicks = 0, identity = 1 }: { trashTicks?: number; identity?: number } = {}
): DiskPieceStore {
  return createDiskPieceStore({
    dir: '/node',
    quotaBytes: QUOTA_BYTES,
    identity: new Uint8Array(32).fill(identity),
    groupTicks: GROUP_TICKS,
    trashTicks,
    limits: SMALL_LIMITS,
    fs: disk,
    index
  })
}

export class History {
  readonly #random: SeededRandom
  readonly #known = new Map<string, Known>()
  tick = 0

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /** Random calls, three at a time; stops at the first that fails and says whether one did. */
  async run(store: PieceStore, calls: number): Promise<boolean> {
    let left = calls
    let failed = false
    const work = async (worker: number): Promise<void> => {
      while (left > 0 && !failed) {
        left -= 1
        try {
          await this.#call(store, worker)
        } catch (error) {
          if ((error as { code?: string }).code === 'ERR_ASSERTION') throw error
          failed = true
        }
      }
    }
    await Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)))
    return failed
  }

  async #call(store: PieceStore, worker: number): Promise<void> {
    const dice = this.#random.below(100)
    if (dice < 45) return await this.#put(store, this.#piece(worker))
    const rootHex = this.#pick(worker)
    if (rootHex === undefined) return await this.#put(store, this.#piece(worker))
    if (dice < 52) return await this.#put(store, this.#known.get(rootHex)!.bytes)
    if (dice < 72) return await this.#remove(store, rootHex)
    if (dice < 80) return await this.#keep(store, rootHex)
    if (dice < 85) return await this.#abort(store)
    if (dice < 90) return await this.#sweep(store)
    if (dice < 93) return await this.#scrub(store)
    await this.assertPiece(store, rootHex)
  }

  /** Workers keep to pieces of their own, so that the model knows the order of calls about each. */
  #piece(worker: number): Uint8Array {
    const length =
      this.#random.below(3) === 0 ? this.#random.below(40_000) : this.#random.below(2_500)
    const bytes = this.#random.bytes(1 + length)
    bytes[0] = worker
    return bytes
  }

  #pick(worker: number): string | undefined {
    const mine = [...this.#known].filter(([, { bytes }]) => bytes[0] === worker)
    return mine.length === 0 ? undefined : mine[this.#random.below(mine.length)]![0]
  }

  async #put(store: PieceStore, bytes: Uint8Array): Promise<void> {
    const rootHex = toHex(sha256(bytes))
    const leaseEnd = this.tick + 1 + this.#random.below(60)
    const before = this.#known.get(rootHex)
    // A piece that is stored stays so, whatever becomes of the call.
    const sure = before?.state === 'stored' && before.leaseEnd > this.tick
    const longer = sure ? Math.max(before.leaseEnd, leaseEnd) : leaseEnd
    const known: Known = {
      bytes,
      state: sure ? 'stored' : 'either',
      // Until the call has ended, what was there before may still be what is there.
      leaseEnd: Math.min(before?.leaseEnd ?? leaseEnd, sure ? before.leaseEnd : leaseEnd)
    }
    this.#known.set(rootHex, known)
    const staged = await store.stage(bytes.length, leaseEnd)
    for (let at = 0; at < bytes.length; at += 9_000)
      await staged.write(bytes.subarray(at, at + 9_000))
    await staged.commit(fromHex(rootHex), outboardOf(bytes))
    known.state = 'stored'
    known.leaseEnd = longer
  }

  async #remove(store: PieceStore, rootHex: string): Promise<void> {
    const known = this.#known.get(rootHex)!
    // Ended leases are not a promise: a power cut may put off what the last sweep did.
    if (known.state === 'stored') known.state = 'either'
    const removed = await store.remove(fromHex(rootHex))
    if (removed || known.leaseEnd > this.tick) known.state = 'removed'
  }

  async #keep(store: PieceStore, rootHex: string): Promise<void> {
    const known = this.#known.get(rootHex)!
    const leaseEnd = this.tick + this.#random.below(100)
    const before = known.state
    if (before === 'removed') known.state = 'either'
    if (await store.keep(fromHex(rootHex), leaseEnd)) {
      known.state = 'stored'
      known.leaseEnd = Math.max(known.leaseEnd, leaseEnd)
    } else if (known.leaseEnd > this.tick) {
      assert.notEqual(before, 'stored', 'a piece that is stored can be kept')
      known.state = 'removed'
    }
  }

  async #abort(store: PieceStore): Promise<void> {
    const bytes = this.#piece(9)
    const staged = await store.stage(bytes.length)
    await staged.write(bytes.subarray(0, this.#random.below(bytes.length)))
    await staged.abort()
  }

  async #sweep(store: PieceStore): Promise<void> {
    this.tick += this.#random.below(12)
    await store.sweep(this.tick)
  }

  async #scrub(store: PieceStore): Promise<void> {
    const onDamage = (root: Uint8Array): void => assert.fail(`${toHex(root)} is damaged`)
    try {
      await store.scrub({ pacer: unpaced, onDamage })
    } catch (error) {
      if ((error as { code?: string }).code !== 'INVALID_ARGUMENT') throw error // runs already
    }
  }

  async assertPiece(store: PieceStore, rootHex: string): Promise<void> {
    const known = this.#known.get(rootHex)!
    const { bytes, state, leaseEnd } = known
    const held = await store.stat(fromHex(rootHex))
    if (state === 'removed') assert.equal(held, undefined, `${rootHex} was removed`)
    if (state === 'stored' && leaseEnd > this.tick) {
      assert.ok(held !== undefined, `${rootHex} (${bytes.length} bytes) was acknowledged`)
    }
    if (held === undefined) return
    const groups = Math.ceil(bytes.length / GROUP_BYTES)
    let read: { bytes: Uint8Array; damaged: number[] }
    try {
      read = await store.readGroups(fromHex(rootHex), 0, groups)
    } catch (error) {
      // Swept away meanwhile by another worker.
      if (leaseEnd <= this.tick && (error as { code?: string }).code === 'PIECE_NOT_FOUND') return
      throw error
    }
    assert.deepEqual(read.damaged, [])
    assert.ok(equal(read.bytes, bytes), `${rootHex} is whole`)
    assert.ok(equal(await store.groupCvs(fromHex(rootHex)), outboardOf(bytes)))
  }

  /** Everything acknowledged is there and nothing that was removed; counters agree with each other and the disk. */
  async assertTrue(store: DiskPieceStore, disk: FaultDisk): Promise<void> {
    await store.settled()
    for (const rootHex of this.#known.keys()) await this.assertPiece(store, rootHex)
    const listed = await listedIn(store)
    for (const [rootHex, known] of this.#known) {
      if (known.state !== 'either' || known.leaseEnd <= this.tick) continue
      known.state = listed.has(rootHex) ? 'stored' : 'removed'
    }
    for (const rootHex of listed.keys()) assert.ok(this.#known.has(rootHex), `${rootHex} is known`)
    const { usedBytes, pieces, diskBytes, garbageBytes, reservedBytes } = store.usage()
    const bytes = [...listed.values()].reduce((sum, length) => sum + length, 0)
    assert.deepEqual(
      { usedBytes, pieces, reservedBytes },
      { usedBytes: bytes, pieces: listed.size, reservedBytes: 0 }
    )
    assert.equal(diskBytes, disk.totalBytes())
    assert.ok(garbageBytes >= 0)
  }
}

/** Roots in hexadecimal, and lengths. */
export async function listedIn(store: PieceStore): Promise<Map<string, number>> {
  const listed = new Map<string, number>()
  let last: Uint8Array | undefined
  for await (const { root, bytes } of store.roots()) {
    assert.ok(last === undefined || compare(last, root) < 0)
    last = root
    listed.set(toHex(root), bytes)
  }
  return listed
}
