/**
 * Builds a ledger from a snapshot: the header first, by the light client; then chunk by chunk, each verified before
 * it is written; in the end the head, in one batch that makes a ledger of it. The blocks above follow as in any
 * replica. Until then a mark in the database says that what is there is not a ledger, and a replica that opens it
 * starts anew.
 */
import { assert } from '../../base/assert.ts'
import { equal, u64be } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Hash } from '../../base/hash.ts'
import { blockHashOf } from '../block.ts'
import { certificateWrite, factsWrite } from '../chain-store.ts'
import { checkLightBlock } from '../light/check.ts'
import type { Trusted } from '../light/trust.ts'
import type { LightBlock } from '../light/types.ts'
import { appHeadType } from '../state/app-head.ts'
import { APP_HEAD_KEY, EARLIEST_KEY, GENESIS_KEY, RESTORING_KEY } from '../state/keys.ts'
import { StateStore } from '../state/store.ts'
import { ENCODINGS, type LedgerDb } from '../state/view.ts'
import { plainBytes } from '../types/ssz.ts'
import { decodeChunk, verifyChunk } from './chunk.ts'

export interface RestoreBase {
  /** The block above the snapshot, as a light client trusts it (LightClient.trusted). */
  above: Trusted
  /** The block of the snapshot's height. */
  block: LightBlock
}

export interface RestoreProgress {
  height: bigint
  /** Chunks that are in; also the index of the next one. */
  chunks: number
  records: bigint
  /** The last chunk is in. */
  complete: boolean
}

export class SnapshotRestore {
  readonly #db: LedgerDb
  #base: RestoreBase | undefined
  #store: StateStore | undefined
  #after: Hash | undefined
  #progress: RestoreProgress = { height: 0n, chunks: 0, records: 0n, complete: false }

  /**
   * @param db open, without a block in it; a replica that has it open is reopened afterwards, and applies nothing until
   *   then; stays the caller's to close
   */
  constructor(db: LedgerDb) {
    this.#db = db
  }

  get progress(): RestoreProgress {
    return this.#progress
  }

  /**
   * Checks that the block of the snapshot is the one below the trusted block, and clears the database, in which a
   * genesis may be.
   * @throws HoldfastError BLOCK_INVALID, ALREADY_EXISTS when there is a ledger with blocks
   */
  async begin(base: RestoreBase): Promise<void> {
    assert(this.#base === undefined, 'a restore begins once')
    checkBase(base)
    const head = await this.#db.get(APP_HEAD_KEY, ENCODINGS)
    if (head !== undefined && appHeadType.deserialize(plainBytes(head)).height > 0n) {
      throw new HoldfastError('ALREADY_EXISTS', 'there is a ledger already', {
        hint: 'a snapshot is restored into an empty ledger folder'
      })
    }
    await this.#db.clear()
    const store = new StateStore(this.#db)
    await store.commit([{ key: RESTORING_KEY, value: u64be(base.block.header.height) }])
    this.#store = store
    this.#base = base
    this.#progress = { ...this.#progress, height: base.block.header.height }
  }

  /**
   * Verifies the next chunk and writes it.
   * @throws HoldfastError SNAPSHOT_INVALID: whoever sent it lies; nothing was written, and another copy can follow
   */
  async addChunk(bytes: Uint8Array): Promise<RestoreProgress> {
    const { base, store } = this.#begun()
    const { height, chunks, records, complete } = this.#progress
    if (complete) throw new HoldfastError('SNAPSHOT_INVALID', 'a chunk after the last one')
    const chunk = decodeChunk(bytes)
    const after = this.#after
    const { appHash } = base.above.block!.header
    const end = verifyChunk(chunk, { height, index: chunks, appHash, ...(after && { after }) })
    await store.commit(store.prepare(chunk.records).writes)
    this.#after = end
    this.#progress = {
      height,
      chunks: chunks + 1,
      records: records + BigInt(chunk.records.length),
      complete: chunk.proof.above === undefined
    }
    return this.#progress
  }

  /** Makes a ledger of it, which a replica can open. All chunks are in. */
  async finish(): Promise<void> {
    const { base, store } = this.#begun()
    assert(this.#progress.complete, 'all chunks are in')
    const { header, cert } = base.block
    const { appHash, resultsHash } = base.above.block!.header
    assert(equal(store.root(), appHash), 'the records have the state hash')
    const { height, timeMs } = header
    await store.commit([
      { key: GENESIS_KEY, value: base.above.network.genesisHash },
      { key: APP_HEAD_KEY, value: appHeadType.serialize({ height, appHash, resultsHash }) },
      { key: EARLIEST_KEY, value: u64be(height + 1n) },
      { key: RESTORING_KEY },
      factsWrite({ height, blockHash: blockHashOf(header), timeMs, appHash, resultsHash }),
      certificateWrite(cert)
    ])
    await this.close()
  }

  /** Gives the database back; without `finish`, what is in it is thrown away by the next that opens it. */
  async close(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    await store?.close()
  }

  #begun(): { base: RestoreBase; store: StateStore } {
    assert(this.#base !== undefined && this.#store !== undefined, 'the restore has begun')
    return { base: this.#base, store: this.#store }
  }
}

function checkBase({ above, block }: RestoreBase): void {
  const header = above.block?.header
  if (
    header === undefined ||
    block.header.height !== above.height - 1n ||
    !equal(blockHashOf(block.header), header.parentHash)
  ) {
    throw new HoldfastError('BLOCK_INVALID', 'the snapshot is not of the block below the header')
  }
  checkLightBlock(block, above.network)
}
