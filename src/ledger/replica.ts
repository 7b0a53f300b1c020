/**
 * One node's copy of the ledger: takes finalized blocks in order, verifies and re-executes them, commits each in one
 * synced batch, and answers questions about the newest height.
 */

import { assert } from '../base/assert.ts'
import { HoldfastError, messageOf } from '../base/errors.ts'
import type { Hash } from '../base/hash.ts'
import { KeyedMutex } from '../base/mutex.ts'
import type { Logger } from '../base/ports.ts'
import { Ledger } from './app.ts'
import { blockHashOf, checkBlock, type Parent, type Rules } from './block.ts'
import { checkFinalized } from './block-check.ts'
import { type BlockListener, type BlockResult, resultsOf, type TxResult } from './block-result.ts'
import { genesisCertificate } from './certificate.ts'
import { type BlockFacts, blockWrites, ChainStore, factsWrite } from './chain-store.ts'
import type { LedgerApp } from './engine.ts'
import { type Genesis, supplyOfGenesis } from './genesis.ts'
import { leaderOf } from './leader.ts'
import { LightServer } from './light/serve.ts'
import { auditSupply } from './machine/audit.ts'
import { type Outcome, outcomeOf } from './machine/outcomes.ts'
import { StateQueries } from './query.ts'
import { SnapshotKeeper, type SnapshotPolicy } from './snapshot/keeper.ts'
import { Retention } from './snapshot/retention.ts'
import { type LedgerDb, StateStore } from './state/store.ts'
import type { Block, Certificate } from './types/block.ts'
import type { NetworkId } from './types/network.ts'
import type { Totals } from './types/records.ts'

export interface ReplicaInit {
  /** Open, from openLedgerDb; stays the caller's to close, after Replica.close. */
  db: LedgerDb
  genesis: Genesis
  logger: Logger
  /** Snapshots for others. @default on demand only */
  snapshots?: SnapshotPolicy
  /** Newest blocks to keep. @default all */
  retainHeights?: bigint
}

export interface Head {
  height: bigint
  blockHash: Hash
  /** State root after the block. */
  appHash: Hash
  timeMs: number
}

export function createReplica(init: ReplicaInit): Replica {
  return new Replica(init)
}

export class Replica extends StateQueries {
  readonly network: NetworkId
  readonly genesis: Genesis
  /** For others who want to start from the newest state. */
  readonly snapshots: SnapshotKeeper
  /** For light clients. */
  readonly light: LightServer
  readonly #ledger: Ledger
  readonly #store: StateStore
  readonly #chain: ChainStore
  readonly #retention: Retention
  readonly #logger: Logger
  readonly #mutex = new KeyedMutex()
  readonly #listeners = new Set<BlockListener>()
  #head: BlockFacts | undefined
  #halted: Error | undefined
  #isCommitting = false

  /** Use createReplica. */
  constructor(init: ReplicaInit) {
    const { db, genesis, logger } = init
    const store = new StateStore(db)
    super(store, genesis.params, () => this.height)
    this.genesis = genesis
    this.#store = store
    this.#ledger = new Ledger(genesis, store)
    this.#chain = new ChainStore(store)
    this.#retention = new Retention(store, this.#chain, init.retainHeights)
    this.snapshots = new SnapshotKeeper(db, init.snapshots ?? {}, logger)
    this.light = new LightServer(store, this.#chain)
    this.#logger = logger
    this.network = this.#ledger.network
  }

  /**
   * Loads the ledger, or makes the genesis state durable.
   * @throws HoldfastError WRONG_NETWORK, REPLICA_DIVERGED
   */
  async open(): Promise<void> {
    await this.#store.discardRestore()
    await this.#load()
  }

  /**
   * Goes on from a snapshot that was restored into the database, or from the genesis again when that broke off. Until
   * then answers are those of height 0, and nothing may be applied.
   * @throws HoldfastError like `open`
   */
  async reopen(): Promise<void> {
    await this.#mutex.run('apply', async () => {
      assert(this.height === 0n, 'snapshots are restored below the first block only')
      this.#store.refresh()
      await this.#store.discardRestore()
      await this.#load()
    })
  }

  async #load(): Promise<void> {
    await this.snapshots.open()
    if (!this.#ledger.load()) await this.#ledger.initChain()
    const { height } = this.#ledger.head
    if (height === 0n) await this.#store.commit([factsWrite(this.#genesisFacts())])
    this.#head = this.#chain.facts(height)
    assert(this.#head !== undefined, 'the head has its facts')
  }

  /** Ends reading; waits for a commit under way. */
  async close(): Promise<void> {
    await this.snapshots.close()
    await this.#mutex.run('apply', () => this.#store.close())
  }

  get height(): bigint {
    return this.#headFacts().height
  }

  head(): Head {
    const { height, blockHash, appHash, timeMs } = this.#headFacts()
    return { height, blockHash, appHash, timeMs: Number(timeMs) }
  }

  /** True while a block goes in: what is read then may be of two heights. An onBlock follows. */
  get isCommitting(): boolean {
    return this.#isCommitting
  }

  /** What an ordering engine drives. */
  get app(): LedgerApp {
    return this.#ledger
  }

  /** What the next block builds on. */
  parent(): Parent {
    const facts = this.#headFacts()
    return { ...facts, timeMs: Number(facts.timeMs) }
  }

  /** What the next block has to say of its network. */
  rules(): Rules {
    return {
      chainId: this.network.chainId,
      params: this.params,
      validators: this.validators(),
      nextValidators: this.nextValidators()
    }
  }

  /** Position of the leader of a view (1, 2, …) of the next height in the validator set. */
  leader(view: bigint): number {
    const height = this.height + 1n
    return leaderOf(this.validators(), { mix: this.mix(), height, view })
  }

  /**
   * Verifies and executes the next block and makes it durable.
   * @throws HoldfastError BLOCK_INVALID; REPLICA_DIVERGED when what was agreed on differs from this replica's state,
   *   after which it takes no more blocks
   */
  async applyFinalized(block: Block, cert: Certificate): Promise<BlockResult> {
    return await this.#mutex.run('apply', async () => {
      if (this.#halted !== undefined) throw this.#halted
      try {
        return await this.#apply(block, cert)
      } catch (error) {
        if (!HoldfastError.is(error, 'BLOCK_INVALID')) this.#halt(error)
        throw error
      }
    })
  }

  /** Whether a transaction may wait for a block. @throws HoldfastError TX_INVALID, TX_EXPIRED, INSUFFICIENT_FUNDS */
  admit(tx: Uint8Array): void {
    this.#ledger.admit(tx)
  }

  /** What it would come to as the first of the next block. @throws HoldfastError like `admit` */
  simulate(tx: Uint8Array): Outcome {
    return this.#ledger.simulate(tx)
  }

  /** The first height whose block is kept; the blocks below it were pruned, or never here. */
  get earliestHeight(): bigint {
    return this.#retention.earliest
  }

  block(height: bigint): Block | undefined {
    return this.#chain.block(height)
  }

  /** The finalization of a height; height 0 has the genesis certificate. */
  certificate(height: bigint): Certificate | undefined {
    if (height === 0n) return genesisCertificate(this.network.genesisHash)
    return this.#chain.certificate(height)
  }

  txResult(hash: Hash): TxResult | undefined {
    const place = this.#chain.txPlace(hash)
    if (place === undefined) return undefined
    const { height, index, feeUnits } = place
    const outcome = outcomeOf(place.code)
    return { hash, height, index, ok: outcome === 'ok', outcome, feeUnits }
  }

  /** State root after a height. */
  stateHashAt(height: bigint): Hash | undefined {
    return this.#chain.facts(height)?.appHash
  }

  /** Called after every commit, in order. Returns the way to end it. */
  onBlock(listener: BlockListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Adds up every record; fails with AssertionError unless it is the supply. */
  async audit(): Promise<Totals> {
    return await auditSupply(this.#store, supplyOfGenesis(this.genesis))
  }

  async #apply(block: Block, cert: Certificate): Promise<BlockResult> {
    const { header } = block
    const blockHash = blockHashOf(header)
    checkFinalized(this, block, cert)
    checkBlock(this.rules(), this.parent(), block)
    const { height, timeMs, proposer, reveal } = header
    const lastSigners = block.lastCert.signers.toBoolArray()
    const request = { height, timeMs, proposer, reveal, txs: block.txs, lastSigners }
    const { appHash, resultsHash, outcomes } = this.#ledger.finalizeBlock(request)
    const facts = { height, blockHash, timeMs, appHash, resultsHash }
    this.#isCommitting = true
    try {
      const pruned = this.#retention.writes(height, this.snapshots.list()[0]?.height)
      await this.#ledger.commit([...blockWrites(block, cert, facts, outcomes), ...pruned])
      this.#head = facts
      this.snapshots.afterCommit(height)
    } finally {
      this.#isCommitting = false
    }
    const result = { height, blockHash, appHash, txs: resultsOf(height, outcomes) }
    this.#notify(result, block)
    return result
  }

  #genesisFacts(): BlockFacts {
    const { appHash, resultsHash } = this.#ledger.head
    const { genesisHash: blockHash } = this.network
    return { height: 0n, blockHash, timeMs: this.genesis.genesisTimeMs, appHash, resultsHash }
  }

  #headFacts(): BlockFacts {
    assert(this.#head !== undefined, 'the replica is open')
    return this.#head
  }

  #halt(error: unknown): void {
    this.#halted = error instanceof Error ? error : new Error(messageOf(error))
    this.#logger.error('ledger.halted', { height: this.height, reason: messageOf(error) })
  }

  #notify(result: BlockResult, block: Block): void {
    for (const listener of this.#listeners) {
      try {
        listener(result, block)
      } catch (error) {
        this.#logger.error('ledger.listener-failed', { reason: messageOf(error) })
      }
    }
  }
}
