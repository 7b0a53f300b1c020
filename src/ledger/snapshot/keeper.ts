/**
 * Snapshots that a replica keeps for others: made from a view while blocks go on, chunk by chunk, and listed once
 * they are whole. They are in the database of the ledger, under keys of their own.
 */
import { assert } from '../../base/assert.ts'
import { messageOf } from '../../base/errors.ts'
import type { Hash } from '../../base/hash.ts'
import type { Logger } from '../../base/ports.ts'
import { appHeadOf } from '../state/app-head.ts'
import {
  CHUNK_RANGE,
  chunkKey,
  chunkRange,
  type KeyRange,
  SNAPSHOT_RANGE,
  snapshotKey
} from '../state/keys.ts'
import { ENCODINGS, type LedgerDb, StateView } from '../state/view.ts'
import { bytes32, container, plainBytes, type Ssz, u32, u64 } from '../types/ssz.ts'
import { encodeChunk } from './chunk.ts'
import { chunksOf } from './make.ts'

export interface SnapshotInfo {
  /** The state is that after this height. */
  height: bigint
  /** Its hash: `appHash` of the header above. */
  appHash: Hash
  chunks: number
  records: bigint
  /** Of all chunks. */
  bytes: bigint
}

export const infoType: Ssz<SnapshotInfo> = container<SnapshotInfo>('SnapshotInfo', {
  height: u64,
  appHash: bytes32,
  chunks: u32,
  records: u64,
  bytes: u64
})

export interface SnapshotPolicy {
  /** One at every multiple of this height; absent: on demand only. */
  everyHeights?: bigint
  /** Newest ones that are kept, at least 1. @default 2 */
  keep?: number
}

const KEEP_DEFAULT = 2
const END: KeyRange = { gte: CHUNK_RANGE.lt, lt: CHUNK_RANGE.lt }

export class SnapshotKeeper {
  readonly #db: LedgerDb
  readonly #policy: SnapshotPolicy
  readonly #logger: Logger
  readonly #stop = new AbortController()
  #infos: SnapshotInfo[] = []
  #making: Promise<unknown> | undefined

  constructor(db: LedgerDb, policy: SnapshotPolicy, logger: Logger) {
    assert((policy.keep ?? KEEP_DEFAULT) >= 1, 'a snapshot is kept at least until the next')
    this.#db = db
    this.#policy = policy
    this.#logger = logger
  }

  /** Finds what is there, and removes chunks of a snapshot that did not get whole. */
  async open(): Promise<void> {
    this.#infos = []
    for await (const value of this.#db.values({ ...SNAPSHOT_RANGE, ...ENCODINGS })) {
      this.#infos.push(infoType.deserialize(plainBytes(value)))
    }
    let { gte } = CHUNK_RANGE
    for (const range of [...this.#infos.map(({ height }) => chunkRange(height)), END]) {
      await this.#db.clear({ gte, lt: range.gte, ...ENCODINGS })
      gte = range.lt
    }
  }

  /** Whole snapshots, oldest first. */
  list(): SnapshotInfo[] {
    return [...this.#infos]
  }

  /** An encoded chunk of a listed snapshot. */
  async chunk(height: bigint, index: number): Promise<Uint8Array | undefined> {
    const info = this.#infos.find(known => known.height === height)
    if (info === undefined || index < 0 || index >= info.chunks) return undefined
    const bytes = await this.#db.get(chunkKey(height, index), ENCODINGS)
    return bytes && plainBytes(bytes)
  }

  /** Right after the commit of a height: starts a snapshot if one is due. Blocks do not wait for it. */
  afterCommit(height: bigint): void {
    const { everyHeights } = this.#policy
    if (everyHeights === undefined || height % everyHeights !== 0n) return
    if (this.#making !== undefined) {
      this.#logger.warn('snapshot.skipped', { height, reason: 'the one before is not done' })
      return
    }
    this.make().catch((error: unknown) => {
      if (this.#stop.signal.aborted) return
      this.#logger.error('snapshot.failed', { height, reason: messageOf(error) })
    })
  }

  /** Makes a snapshot of the newest commit, and drops those above the number to keep. */
  async make(): Promise<SnapshotInfo> {
    assert(this.#making === undefined, 'one snapshot at a time')
    const view = new StateView(this.#db)
    const made = this.#makeAndRelease(view)
    this.#making = made
    return await made
  }

  /** Resolves when none is being made, whatever became of it. */
  async idle(): Promise<void> {
    await this.#making?.catch(() => undefined)
  }

  /** Breaks off the one that is being made. */
  async close(): Promise<void> {
    this.#stop.abort()
    await this.idle()
  }

  async #makeAndRelease(view: StateView): Promise<SnapshotInfo> {
    try {
      return await this.#make(view)
    } finally {
      this.#making = undefined
      await view.close()
    }
  }

  async #make(view: StateView): Promise<SnapshotInfo> {
    const { signal } = this.#stop
    const { height, appHash } = appHeadOf(view)
    const info = { height, appHash, chunks: 0, records: 0n, bytes: 0n }
    for await (const chunk of chunksOf(view, height)) {
      signal.throwIfAborted()
      const bytes = encodeChunk(chunk)
      await this.#db.put(chunkKey(height, chunk.index), bytes, { ...ENCODINGS, sync: true })
      info.chunks++
      info.records += BigInt(chunk.records.length)
      info.bytes += BigInt(bytes.length)
    }
    const value = infoType.serialize(info)
    await this.#db.put(snapshotKey(height), value, { ...ENCODINGS, sync: true })
    this.#infos = [...this.#infos.filter(known => known.height !== height), info]
    await this.#dropOld()
    this.#logger.info('snapshot.made', { height, chunks: info.chunks, bytes: info.bytes })
    return info
  }

  async #dropOld(): Promise<void> {
    while (this.#infos.length > (this.#policy.keep ?? KEEP_DEFAULT)) {
      const { height } = this.#infos.shift()!
      await this.#db.del(snapshotKey(height), { ...ENCODINGS, sync: true })
      await this.#db.clear({ ...chunkRange(height), ...ENCODINGS })
    }
  }
}
