/** Lets go of pieces when time says so: leases that have ended go to the trash, what was there long enough goes. */
import { toHex } from '../../base/bytes.ts'
import type { KeyedMutex } from '../../base/mutex.ts'
import type { LeaseRenewal, SweepReport } from '../piece-store.ts'
import type { Catalog } from './catalog.ts'
import type { Entry } from './catalog-format.ts'
import { type Cleaner, MAINTENANCE } from './cleaner.ts'
import type { LogWalk } from './log-walk.ts'
import type { Located } from './piece-reader.ts'

export interface SweeperInit {
  readonly catalog: Catalog
  readonly walk: LogWalk
  readonly cleaner: Cleaner
  readonly locks: KeyedMutex
  readonly trashTicks: number
}

/** Who is asked before a lease ends, and how the answer is noted. */
export interface Renewal {
  readonly renew: LeaseRenewal
  keep(root: Uint8Array, until: number): Promise<boolean>
}

export class Sweeper {
  readonly #init: SweeperInit

  constructor(init: SweeperInit) {
    this.#init = init
  }

  /** Sweeps one after the other, and not while compaction carries trash from log to log. */
  async sweep(tick: number, renewal?: Renewal): Promise<SweepReport> {
    const { catalog, locks } = this.#init
    catalog.advanceTo(tick)
    return await locks.run(MAINTENANCE, () => this.#sweep(renewal))
  }

  async #sweep(renewal: Renewal | undefined): Promise<SweepReport> {
    const { catalog, cleaner } = this.#init
    const now = catalog.tick
    const report = { expiredPieces: 0, purgedPieces: 0 }
    for (const { id, endTick, livePieces, trashPieces, purgeAt } of catalog.logs()) {
      const isOver = endTick <= now && livePieces > 0
      if (!isOver && (trashPieces === 0 || purgeAt > now)) continue
      await this.#sweepLog(id, report, renewal)
      // What is left there has a longer lease than its neighbours: it moves to others like it.
      if (isOver && (catalog.log(id)?.livePieces ?? 0) > 0) cleaner.empty(id)
      else cleaner.look(id)
    }
    return report
  }

  async #sweepLog(
    id: number,
    report: { expiredPieces: number; purgedPieces: number },
    renewal: Renewal | undefined
  ): Promise<void> {
    const { catalog, walk, trashTicks } = this.#init
    const now = catalog.tick
    let nextPurge = now + trashTicks
    for await (const places of walk.pieces(id)) {
      const entries = await Promise.all(places.map(place => this.#sweepPiece(place, now, renewal)))
      for (const [i, after] of entries.entries()) {
        const wasLive = places[i]!.entry.purgeAt === 0
        if (after === 'same') continue
        if (wasLive) report.expiredPieces += 1
        if (after === undefined) report.purgedPieces += 1
      }
      for (const [i, after] of entries.entries()) {
        const entry = after === 'same' ? places[i]!.entry : after
        if (entry !== undefined && entry.purgeAt > 0) nextPurge = Math.min(nextPurge, entry.purgeAt)
      }
    }
    await catalog.apply([{ swept: { log: id, purgeAt: nextPurge } }])
  }

  /** The entry afterwards; undefined when the piece is gone. */
  async #sweepPiece(
    { root, entry }: Located,
    now: number,
    renewal: Renewal | undefined
  ): Promise<Entry | 'same' | undefined> {
    const isDue = entry.purgeAt === 0 ? entry.leaseEnd <= now : entry.purgeAt <= now
    if (!isDue) return 'same'
    if (entry.purgeAt === 0 && (await renewed(root, now, renewal))) return 'same'
    const { catalog, locks } = this.#init
    return await locks.run(toHex(root), async () => {
      const before = await catalog.get(root)
      if (before?.seq !== entry.seq || before.purgeAt !== entry.purgeAt) return 'same'
      const after = this.#afterDue(before, now)
      await catalog.apply([{ root, before, after }])
      return after
    })
  }

  #afterDue(before: Entry, now: number): Entry | undefined {
    if (before.purgeAt > 0) return undefined
    const purgeAt = before.leaseEnd + this.#init.trashTicks
    return purgeAt <= now ? undefined : { ...before, purgeAt }
  }
}

async function renewed(
  root: Uint8Array,
  now: number,
  renewal: Renewal | undefined
): Promise<boolean> {
  const until = await renewal?.renew(root)
  if (renewal === undefined || until === undefined || until <= now) return false
  return await renewal.keep(root, until)
}
