/** What a replica gives to light clients. */
import type { ChainStore } from '../chain-store.ts'
import { setAt } from '../machine/validator-sets.ts'
import { appHeadOf } from '../state/app-head.ts'
import { Overlay } from '../state/overlay.ts'
import type { StateStore } from '../state/store.ts'
import { type ProvenRecord, proveRecord } from './record.ts'
import type { LightBlock } from './types.ts'

export interface ServedRecord {
  /** Of the header that carries the state hash: the newest. */
  headerHeight: bigint
  record: ProvenRecord
}

export class LightServer {
  readonly #store: StateStore
  readonly #chain: ChainStore

  constructor(store: StateStore, chain: ChainStore) {
    this.#store = store
    this.#chain = chain
  }

  /** Undefined when the block is not here, or its set is further back than the state remembers. */
  block(height: bigint): LightBlock | undefined {
    const block = this.#chain.block(height)
    const cert = this.#chain.certificate(height)
    if (block === undefined || cert === undefined) return undefined
    const newest = appHeadOf(this.#store.newest).height
    const set = setAt(new Overlay(this.#store), newest, height)
    return set && { header: block.header, cert, validators: set }
  }

  /**
   * A record, or its absence, under the newest header: as it was before the newest block, since a header carries the
   * state of the block below. Undefined right after a start, until there is a new block.
   * @throws HoldfastError INVALID_ARGUMENT for an unknown table
   */
  record(table: string, key: Uint8Array): ServedRecord | undefined {
    const { newest, previous } = this.#store
    const { height } = appHeadOf(newest)
    if (previous === undefined || height < 1n || appHeadOf(previous).height !== height - 1n) {
      return undefined
    }
    return { headerHeight: height, record: proveRecord(previous, table, key) }
  }
}
