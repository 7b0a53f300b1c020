/** PieceStore in memory, for tests, simulations and short-lived nodes. Durable until the process ends. */
import { assert } from '../base/assert.ts'
import { compare, fromHex, toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { MemoryStagedPiece } from './memory-staged-piece.ts'
import { damagedGroups, groupExtent } from './piece-checksums.ts'
import { PieceSpace } from './piece-space.ts'
import type {
  LeaseRenewal,
  PieceGroups,
  PieceStore,
  PieceUsage,
  ScrubInit,
  ScrubProgress,
  StagedPiece,
  StoredPiece,
  SweepReport
} from './piece-store.ts'

interface HeldPiece {
  readonly bytes: Uint8Array
  readonly checksums: Uint8Array
  readonly outboard: Uint8Array
  readonly leaseEnd: number
  /** 0 when it is not in the trash. */
  readonly purgeAt: number
}

export interface MemoryPieceStoreInit {
  /** Limit of stored, trashed and staged piece bytes together. */
  readonly quotaBytes: number
  /** How long a removed or expired piece can still be taken back. @default 0, not at all */
  readonly trashTicks?: number
}

export function createMemoryPieceStore(init: MemoryPieceStoreInit): PieceStore {
  return new MemoryStore(init)
}

class MemoryStore implements PieceStore {
  readonly #space: PieceSpace
  readonly #trashTicks: number
  readonly #pieces = new Map<string, HeldPiece>()
  readonly #staged = new Set<MemoryStagedPiece>()
  #state: 'new' | 'open' | 'closed' = 'new'
  #tick = 0
  #progress: ScrubProgress = { checkedBytes: 0, totalBytes: 0, damagedPieces: 0, passes: 0 }

  constructor({ quotaBytes, trashTicks = 0 }: MemoryPieceStoreInit) {
    this.#space = new PieceSpace(quotaBytes)
    this.#trashTicks = trashTicks
  }

  async open(): Promise<void> {
    assert(this.#state === 'new', 'a piece store is opened once')
    this.#state = 'open'
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'closed'
    await Promise.all(Array.from(this.#staged, piece => piece.abort()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async stage(bytes: number, leaseEnd: number = Infinity): Promise<StagedPiece> {
    this.#assertOpen()
    this.#space.reserve(bytes)
    const piece = new MemoryStagedPiece(bytes, {
      ended: () => {
        this.#staged.delete(piece)
        this.#space.release(bytes)
      },
      store: (root, held) => this.#store(root, { ...held, leaseEnd, purgeAt: 0 })
    })
    this.#staged.add(piece)
    return piece
  }

  async has(root: Uint8Array): Promise<boolean> {
    return (await this.stat(root)) !== undefined
  }

  async stat(root: Uint8Array): Promise<{ bytes: number } | undefined> {
    this.#assertOpen()
    const held = this.#find(root)
    return held && { bytes: held.bytes.length }
  }

  async groupCvs(root: Uint8Array): Promise<Uint8Array> {
    return this.#held(root).outboard.slice()
  }

  async readGroups(root: Uint8Array, firstGroup: number, groups: number): Promise<PieceGroups> {
    const held = this.#held(root)
    const extent = groupExtent(held.bytes.length, firstGroup, groups)
    const bytes = held.bytes.slice(extent.offset, extent.offset + extent.bytes)
    return { bytes, damaged: damagedGroups(bytes, firstGroup, held.checksums) }
  }

  async remove(root: Uint8Array): Promise<boolean> {
    this.#assertOpen()
    const held = this.#find(root)
    if (held !== undefined) this.#discard(toHex(root), held, this.#tick + this.#trashTicks)
    return held !== undefined
  }

  async keep(root: Uint8Array, leaseEnd: number): Promise<boolean> {
    this.#assertOpen()
    const held = this.#pieces.get(toHex(root))
    if (held === undefined) return false
    if (held.purgeAt > 0) {
      this.#space.untrash(held.bytes.length)
      this.#space.add(held.bytes.length)
    }
    const longer = Math.max(held.leaseEnd, leaseEnd)
    this.#pieces.set(toHex(root), { ...held, leaseEnd: longer, purgeAt: 0 })
    return true
  }

  async sweep(tick: number, renew?: LeaseRenewal): Promise<SweepReport> {
    this.#assertOpen()
    this.#tick = Math.max(this.#tick, tick)
    let [expiredPieces, purgedPieces] = [0, 0]
    for (const [rootHex, held] of this.#pieces) {
      if (held.purgeAt > this.#tick || (held.purgeAt === 0 && held.leaseEnd > this.#tick)) continue
      const until = held.purgeAt === 0 ? await renew?.(fromHex(rootHex)) : undefined
      if (until !== undefined && until > this.#tick) {
        await this.keep(fromHex(rootHex), until)
        continue
      }
      if (held.purgeAt === 0) expiredPieces += 1
      this.#discard(rootHex, held, held.purgeAt || held.leaseEnd + this.#trashTicks)
      if (!this.#pieces.has(rootHex)) purgedPieces += 1
    }
    return { expiredPieces, purgedPieces }
  }

  async scrub({ pacer, onDamage, signal }: ScrubInit): Promise<ScrubProgress> {
    this.#assertOpen()
    let [checkedBytes, damagedPieces] = [0, 0]
    for await (const { root, bytes } of this.roots()) {
      signal?.throwIfAborted()
      await pacer.take(bytes, signal)
      const held = this.#find(root)
      if (held === undefined) continue
      const damaged = damagedGroups(held.bytes, 0, held.checksums)
      checkedBytes += bytes
      if (damaged.length === 0) continue
      damagedPieces += 1
      await onDamage(root, damaged)
    }
    const { usedBytes: totalBytes } = this.#space
    const passes = this.#progress.passes + 1
    this.#progress = { checkedBytes: 0, totalBytes, damagedPieces: 0, passes }
    return { checkedBytes, totalBytes, damagedPieces, passes }
  }

  scrubProgress(): ScrubProgress {
    return this.#progress
  }

  async *roots(): AsyncGenerator<StoredPiece, void, undefined> {
    this.#assertOpen()
    const held = [...this.#pieces].filter(([, { purgeAt }]) => purgeAt === 0)
    const entries = held.map(([rootHex, { bytes }]) => ({
      root: fromHex(rootHex),
      bytes: bytes.length
    }))
    yield* entries.sort((a, b) => compare(a.root, b.root))
  }

  usage(): PieceUsage {
    const { usedBytes, reservedBytes, trashBytes, quotaBytes, pieces } = this.#space
    const diskBytes = usedBytes + trashBytes
    const space = { usedBytes, reservedBytes, trashBytes, quotaBytes, pieces }
    return { ...space, garbageBytes: 0, diskBytes, readOnly: false }
  }

  #store(root: Uint8Array, held: HeldPiece): void {
    const before = this.#pieces.get(toHex(root))
    assert(
      before === undefined || before.bytes.length === held.bytes.length,
      'one root, one length'
    )
    const stored = before?.purgeAt === 0 ? before : undefined
    const leaseEnd = Math.max(held.leaseEnd, stored?.leaseEnd ?? 0)
    this.#pieces.set(toHex(root), { ...held, leaseEnd })
    if (stored !== undefined) return
    if (before !== undefined) this.#space.untrash(held.bytes.length)
    this.#space.add(held.bytes.length)
  }

  /** To the trash until `purgeAt`; if that has passed, for good. */
  #discard(rootHex: string, held: HeldPiece, purgeAt: number): void {
    const { length } = held.bytes
    const keeps = purgeAt > this.#tick
    if (held.purgeAt === 0) {
      this.#space.drop(length)
      if (keeps) this.#space.trash(length)
    } else if (!keeps) {
      this.#space.untrash(length)
    }
    if (keeps) this.#pieces.set(rootHex, { ...held, purgeAt })
    else this.#pieces.delete(rootHex)
  }

  #find(root: Uint8Array): HeldPiece | undefined {
    const held = this.#pieces.get(toHex(root))
    return held?.purgeAt === 0 ? held : undefined
  }

  #held(root: Uint8Array): HeldPiece {
    this.#assertOpen()
    const held = this.#find(root)
    if (held === undefined) throw new HoldfastError('PIECE_NOT_FOUND', `no piece ${toHex(root)}`)
    return held
  }

  #assertOpen(): void {
    assert(this.#state === 'open', 'the piece store is open')
  }
}
