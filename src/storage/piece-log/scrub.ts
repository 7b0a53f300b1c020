/**
 * Reads every stored piece and checks it, log after log, at a pace that leaves the disk to its users. It goes on where
 * it stopped, over restarts. A damaged piece is reported, not touched: its bytes may still be partly good.
 */
import { toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { GROUP_BYTES, MIB } from '../../base/limits.ts'
import type { Logger } from '../../base/ports.ts'
import { errorCodeOf } from '../disk-trouble.ts'
import { groupsOf } from '../piece-checksums.ts'
import type { ScrubInit, ScrubProgress } from '../piece-store.ts'
import type { Catalog } from './catalog.ts'
import type { ScrubCursor } from './catalog-format.ts'
import type { Disks } from './disks.ts'
import type { DiskFile } from './file-system.ts'
import type { LogWalk } from './log-walk.ts'
import type { Pacer } from './pacer.ts'
import type { Located, PieceReader } from './piece-reader.ts'
import type { ReadHandles } from './read-handles.ts'

const STEP_GROUPS: number = MIB / GROUP_BYTES
/** After so much the place is noted; a process that is killed does that much again. */
const SAVE_BYTES: number = 64 * MIB
const START: ScrubCursor = { log: 0, offset: 0, checkedBytes: 0, damagedPieces: 0, passes: 0 }

export interface ScrubberInit {
  readonly catalog: Catalog
  readonly disks: Disks
  readonly handles: ReadHandles
  readonly reader: PieceReader
  readonly walk: LogWalk
  readonly logger: Logger
}

export class Scrubber {
  readonly #init: ScrubberInit
  #cursor: ScrubCursor = START
  #unsavedBytes = 0
  #isRunning = false

  constructor(init: ScrubberInit) {
    this.#init = init
  }

  async load(): Promise<void> {
    this.#cursor = (await this.#init.catalog.cursor()) ?? START
  }

  progress(): ScrubProgress {
    const { checkedBytes, damagedPieces, passes } = this.#cursor
    const { catalog, disks } = this.#init
    const totalBytes = disks.all.reduce(
      (sum, { index }) => sum + catalog.totals(index).liveBytes,
      0
    )
    return { checkedBytes, totalBytes, damagedPieces, passes }
  }

  /** From the cursor to the end: the rest of one pass. Resolves with what that pass found. */
  async pass(init: ScrubInit): Promise<ScrubProgress> {
    if (this.#isRunning) {
      throw new HoldfastError('INVALID_ARGUMENT', 'the pieces are being scrubbed already')
    }
    this.#isRunning = true
    try {
      const ids = this.#init.catalog
        .logs()
        .map(log => log.id)
        .sort((a, b) => a - b)
      for (const id of ids) {
        if (id < this.#cursor.log) continue
        await this.#checkLog(id, id === this.#cursor.log ? this.#cursor.offset : 0, init)
        await this.#moveTo(id + 1, 0)
      }
      const found = this.progress()
      this.#cursor = { ...START, passes: this.#cursor.passes + 1 }
      return { ...found, passes: this.#cursor.passes }
    } finally {
      this.#isRunning = false
      await this.#save()
    }
  }

  async #checkLog(id: number, from: number, init: ScrubInit): Promise<void> {
    for await (const places of this.#init.walk.pieces(id, from)) {
      for (const place of places) {
        init.signal?.throwIfAborted()
        if (place.entry.purgeAt === 0) await this.#checkPiece(place, init)
        await this.#cover(place, id)
      }
    }
  }

  async #cover({ entry }: Located, log: number): Promise<void> {
    const { checkedBytes, ...cursor } = this.#cursor
    const bytes = entry.purgeAt === 0 ? entry.bytes : 0
    const offset = entry.offset + entry.recordBytes
    this.#cursor = { ...cursor, log, offset, checkedBytes: checkedBytes + bytes }
    this.#unsavedBytes += bytes
    if (this.#unsavedBytes >= SAVE_BYTES) await this.#save()
  }

  async #moveTo(log: number, offset: number): Promise<void> {
    this.#cursor = { ...this.#cursor, log, offset }
    await this.#save()
  }

  async #save(): Promise<void> {
    this.#unsavedBytes = 0
    await this.#init.catalog.saveCursor(this.#cursor)
  }

  async #checkPiece(place: Located, { pacer, onDamage, signal }: ScrubInit): Promise<void> {
    const { catalog, disks, handles, logger } = this.#init
    const { root, entry } = place
    if (catalog.log(entry.log) === undefined) return
    let damaged: number[]
    try {
      damaged = await handles.use(entry.log, disks.pathOf(entry.log), file =>
        this.#damagedIn(file, place, pacer, signal)
      )
    } catch (cause) {
      if (errorCodeOf(cause) === undefined) throw cause
      damaged = allGroups(entry.bytes)
    }
    if (damaged.length === 0) return
    const now = await catalog.get(root)
    // Healed, moved or removed meanwhile.
    if (now?.log !== entry.log || now.offset !== entry.offset || now.purgeAt > 0) return
    this.#cursor = { ...this.#cursor, damagedPieces: this.#cursor.damagedPieces + 1 }
    logger.error('pieces.damaged', { root: toHex(root), groups: damaged.length })
    await onDamage(root, damaged)
  }

  async #damagedIn(
    file: DiskFile,
    { root, entry }: Located,
    pacer: Pacer,
    signal: AbortSignal | undefined
  ): Promise<number[]> {
    const { reader } = this.#init
    const trailer = await reader.freshTrailerOf(file, { root, entry })
    if (trailer === undefined) return allGroups(entry.bytes)
    const groups = groupsOf(entry.bytes)
    const damaged: number[] = []
    for (let first = 0; first < groups; first += STEP_GROUPS) {
      const count = Math.min(STEP_GROUPS, groups - first)
      await pacer.take(count * GROUP_BYTES, signal)
      damaged.push(
        ...(await reader.checked(file, entry, async () => trailer, first, count)).damaged
      )
    }
    return damaged
  }
}

function allGroups(bytes: number): number[] {
  return Array.from({ length: groupsOf(bytes) }, (_, group) => group)
}
