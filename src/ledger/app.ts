/** LedgerApp: the machine over its store. See engine.ts for the seam. */
import { assert } from '../base/assert.ts'
import { concat, equal } from '../base/bytes.ts'
import { HoldfastError, messageOf } from '../base/errors.ts'
import type { Hash } from '../base/hash.ts'
import type { Units } from '../base/money.ts'
import { initialMix, revealDue, verifyReveal } from './beacon.ts'
import type {
  BlockRequest,
  CheckResult,
  FinalizeRequest,
  FinalizeResult,
  LedgerApp,
  ProposalRequest,
  QueryResult
} from './engine.ts'
import { type Genesis, genesisHashOf, supplyOfGenesis } from './genesis.ts'
import { admit, applyTx } from './machine/apply.ts'
import { beginBlock, mixOf } from './machine/begin-block.ts'
import { type BlockContext, newBudget } from './machine/context.ts'
import { endBlock } from './machine/end-block.ts'
import { genesisState } from './machine/genesis-state.ts'
import { assertSupply } from './machine/money.ts'
import { type Outcome, outcomeOf } from './machine/outcomes.ts'
import { periodAt } from './params.ts'
import { type AppHead, appHeadType } from './state/app-head.ts'
import { APP_HEAD_KEY, GENESIS_KEY } from './state/keys.ts'
import { Overlay } from './state/overlay.ts'
import { type StateStore, treeKeyOf, type Write } from './state/store.ts'
import { AUTHENTICATED_TABLES, ONLY, paramsTable, recordKey, validators } from './state/tables.ts'
import { proveKey } from './state/tree-proof.ts'
import { BLOCK_TXS_MAX, type TxOutcome, txOutcomesType } from './types/block.ts'
import type { NetworkId } from './types/network.ts'
import type { Validator } from './types/records.ts'

/** Bytes a transaction takes in a block beyond its own. */
const TX_OFFSET_BYTES = 4

export class Ledger implements LedgerApp {
  readonly network: NetworkId
  readonly #genesis: Genesis
  readonly #store: StateStore
  readonly #supplyUnits: Units
  #head: AppHead | undefined
  #pending: { head: AppHead; writes: Write[] } | undefined

  constructor(genesis: Genesis, store: StateStore) {
    this.#genesis = genesis
    this.#store = store
    this.#supplyUnits = supplyOfGenesis(genesis)
    this.network = { chainId: genesis.chainId, genesisHash: genesisHashOf(genesis) }
  }

  /**
   * Loads the head; false when the store is empty.
   * @throws HoldfastError WRONG_NETWORK when the store belongs to another genesis, REPLICA_DIVERGED when it is damaged
   */
  load(): boolean {
    this.#head = undefined
    const stored = this.#store.raw(GENESIS_KEY)
    if (stored === undefined) return false
    if (!equal(stored, this.network.genesisHash)) {
      throw new HoldfastError('WRONG_NETWORK', 'the ledger on disk belongs to another network', {
        hint: 'use the genesis it was made with, or another home'
      })
    }
    const head = this.#store.raw(APP_HEAD_KEY)
    assert(head !== undefined, 'a ledger with a genesis has a head')
    this.#head = appHeadType.deserialize(head)
    if (!equal(this.#store.root(), this.#head.appHash)) {
      throw new HoldfastError('REPLICA_DIVERGED', 'the ledger on disk is damaged', {
        hint: 'remove the ledger folder: the node fetches it again'
      })
    }
    return true
  }

  get head(): AppHead {
    assert(this.#head !== undefined, 'the ledger is open')
    return this.#head
  }

  info(): { height: bigint; appHash: Hash } {
    const { height, appHash } = this.head
    return { height, appHash }
  }

  async initChain(): Promise<{ appHash: Hash; validators: Validator[] }> {
    assert(this.#head === undefined, 'initChain runs once')
    const state = new Overlay(this.#store)
    genesisState(state, this.#genesis, initialMix(this.network.genesisHash))
    assertSupply(state, this.#supplyUnits)
    const { writes, root } = this.#store.prepare(state.changes())
    const head = { height: 0n, appHash: root, resultsHash: txOutcomesType.hashTreeRoot([]) }
    this.#pending = { head, writes }
    await this.commit([{ key: GENESIS_KEY, value: this.network.genesisHash }])
    return { appHash: root, validators: this.#genesis.validators }
  }

  /** Admission to the next block, whatever waits before it. @throws HoldfastError like machine/apply.ts `admit` */
  admit(tx: Uint8Array): void {
    const height = this.head.height + 1n
    admit(this.#context(new Overlay(this.#store), height, ONLY), tx)
  }

  /** What the transaction would come to in the next block, if it were the first. @throws HoldfastError like `admit` */
  simulate(tx: Uint8Array): Outcome {
    const height = this.head.height + 1n
    const state = new Overlay(this.#store)
    const [validator] = state.get(validators, ONLY)!
    const ctx = this.#context(state, height, validator!.account)
    return outcomeOf(applyTx(ctx, tx).code)
  }

  checkTx(tx: Uint8Array): CheckResult {
    try {
      this.admit(tx)
      return { ok: true }
    } catch (error) {
      if (!HoldfastError.is(error)) throw error
      return { ok: false, reason: error.message }
    }
  }

  prepareProposal(request: ProposalRequest): Uint8Array[] {
    const ctx = this.#begin(request)
    const txs: Uint8Array[] = []
    let bytes = 0
    for (const tx of request.candidates) {
      const size = tx.length + TX_OFFSET_BYTES
      if (txs.length === BLOCK_TXS_MAX || bytes + size > request.bytesMax) continue
      try {
        applyTx(ctx, tx)
      } catch (error) {
        if (HoldfastError.is(error)) continue
        throw error
      }
      txs.push(tx)
      bytes += size
    }
    return txs
  }

  processProposal(request: BlockRequest): boolean {
    try {
      this.#execute(request)
      return true
    } catch (error) {
      if (HoldfastError.is(error)) return false
      throw error
    }
  }

  finalizeBlock(request: FinalizeRequest): FinalizeResult {
    const { ctx, outcomes } = this.#execute(request)
    const { state } = ctx
    const validatorUpdates = endBlock(ctx, request.lastSigners)
    assertSupply(state, this.#supplyUnits)
    const { writes, root: appHash } = this.#store.prepare(state.changes())
    const resultsHash = txOutcomesType.hashTreeRoot(outcomes)
    this.#pending = { head: { height: request.height, appHash, resultsHash }, writes }
    return { appHash, resultsHash, outcomes, validatorUpdates }
  }

  async commit(records: readonly Write[] = []): Promise<{ retainHeight: bigint }> {
    assert(this.#pending !== undefined, 'commit follows finalizeBlock')
    const { head, writes } = this.#pending
    this.#pending = undefined
    const value = appHeadType.serialize(head)
    await this.#store.commit([...writes, ...records, { key: APP_HEAD_KEY, value }])
    this.#head = head
    return { retainHeight: 0n }
  }

  query(table: string, key: Uint8Array, prove: boolean): QueryResult {
    const found = AUTHENTICATED_TABLES.get(table)
    if (found === undefined) throw new HoldfastError('INVALID_ARGUMENT', `no table ${table}`)
    const { height, appHash } = this.head
    const record = recordKey(found, key)
    const value = this.#store.read(record)
    return {
      height,
      appHash,
      ...(value === undefined ? {} : { value }),
      ...(prove ? { proof: proveKey(this.#store.newest.nodes(), treeKeyOf(record)) } : {})
    }
  }

  #execute(request: BlockRequest): { ctx: BlockContext; outcomes: TxOutcome[] } {
    const ctx = this.#begin(request)
    const outcomes = request.txs.map((tx, index) => {
      try {
        return applyTx(ctx, tx)
      } catch (cause) {
        if (!HoldfastError.is(cause)) throw cause
        throw invalid(`transaction ${index} cannot be in the block: ${messageOf(cause)}`, cause)
      }
    })
    return { ctx, outcomes }
  }

  /** Checks proposer and reveal, and moves the beacon on. */
  #begin(request: Omit<BlockRequest, 'txs'>): BlockContext {
    const { height, proposer, reveal } = request
    if (height !== this.head.height + 1n) throw invalid(`height ${height} is not the next one`)
    const state = new Overlay(this.#store)
    const set = state.get(validators, ONLY) ?? []
    const validator = set.find(({ publicKey }) => equal(publicKey, proposer))
    if (validator === undefined) throw invalid('the proposer is not a validator')
    const ctx = this.#context(state, height, validator.account)
    this.#checkReveal(ctx, validator, reveal)
    beginBlock(ctx, reveal)
    return ctx
  }

  #checkReveal({ state, params, height }: BlockContext, by: Validator, reveal: Uint8Array): void {
    if (!revealDue(params, height)) {
      if (reveal.length > 0) throw invalid('no reveal is due at this height')
      return
    }
    const body = { ...this.network, height, mix: mixOf(state) }
    if (
      !this.#isReveal(concat(by.beaconKey, body.mix, reveal), () =>
        verifyReveal(by.beaconKey, body, reveal)
      )
    ) {
      throw invalid('the beacon reveal does not verify')
    }
  }

  /** The last reveal found valid: proposing, checking and finalizing a block ask for the same one. */
  #lastReveal: Uint8Array = ONLY

  #isReveal(id: Uint8Array, verify: () => boolean): boolean {
    if (equal(id, this.#lastReveal)) return true
    if (!verify()) return false
    this.#lastReveal = id
    return true
  }

  #context(state: Overlay, height: bigint, feeAccount: Uint8Array): BlockContext {
    const params = state.get(paramsTable, ONLY)!
    const period = periodAt(params, height)
    const budget = newBudget()
    return { state, params, network: this.network, height, period, feeAccount, budget }
  }
}

function invalid(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('BLOCK_INVALID', message, cause === undefined ? {} : { cause })
}
