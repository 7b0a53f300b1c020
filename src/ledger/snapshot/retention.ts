/** Which blocks a replica keeps. What goes, goes in the commits of new blocks, a few heights each. */
import { assert } from '../../base/assert.ts'
import { u64be, view } from '../../base/bytes.ts'
import type { ChainStore } from '../chain-store.ts'
import { blockKey, certificateKey, EARLIEST_KEY, factsKey, txKey } from '../state/keys.ts'
import type { StateStore, Write } from '../state/store.ts'
import { txHash } from '../transaction.ts'

/** Bounds the commit when a policy comes late to a long chain. */
const HEIGHTS_PER_COMMIT_MAX = 8

export class Retention {
  readonly #store: StateStore
  readonly #chain: ChainStore
  readonly #heights: bigint | undefined

  /**
   * @param heights newest blocks to keep, at least 1; undefined: all. Peers that are further behind need a snapshot,
   * and
   *   light clients and evidence reach back no further.
   */
  constructor(store: StateStore, chain: ChainStore, heights: bigint | undefined) {
    assert(heights === undefined || heights >= 1n, 'the newest block is kept')
    this.#store = store
    this.#chain = chain
    this.#heights = heights
  }

  /** The first height whose block is here, or will be. */
  get earliest(): bigint {
    const bytes = this.#store.raw(EARLIEST_KEY)
    return bytes === undefined ? 1n : view(bytes).readBigUInt64BE()
  }

  /**
   * What the commit of `height` removes.
   * @param needed this height and all above stay in any case: a snapshot that is kept builds on it
   */
  writes(height: bigint, needed: bigint = height): Write[] {
    if (this.#heights === undefined) return []
    const wanted = height - this.#heights + 1n
    const end = wanted < needed ? wanted : needed
    const { earliest } = this
    const writes: Write[] = []
    let next = earliest
    while (next < end && next - earliest < HEIGHTS_PER_COMMIT_MAX) {
      writes.push(...this.#removal(next))
      next++
    }
    if (next > earliest) writes.push({ key: EARLIEST_KEY, value: u64be(next) })
    return writes
  }

  #removal(height: bigint): Write[] {
    const txs = this.#chain.block(height)?.txs ?? []
    return [
      { key: blockKey(height) },
      { key: certificateKey(height) },
      { key: factsKey(height) },
      ...txs.map(tx => ({ key: txKey(txHash(tx)) }))
    ]
  }
}
