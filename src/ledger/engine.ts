/**
 * The seam between the machine and whatever orders its blocks: ABCI 2.0 (CometBFT `spec/abci`) in TypeScript. The app
 * is deterministic and touches nothing but its own store; the engine knows nothing of what transactions mean.
 */
import type { Hash } from '../base/hash.ts'
import type { Write } from './state/store.ts'
import type { StateProof } from './state/tree-proof.ts'
import type { Block, Certificate, TxOutcome } from './types/block.ts'
import type { Validator } from './types/records.ts'

export interface CheckResult {
  ok: boolean
  /** Why not, for people. */
  reason?: string
}

/** A block as the app sees it. */
export interface BlockRequest {
  height: bigint
  timeMs: bigint
  /** 32-byte vote key. */
  proposer: Uint8Array
  /** 96 bytes where a reveal is due, else empty. */
  reveal: Uint8Array
  txs: readonly Uint8Array[]
}

export interface ProposalRequest extends Omit<BlockRequest, 'txs'> {
  /** Transactions to choose from, in order. */
  candidates: readonly Uint8Array[]
  /** Room for their encodings. */
  bytesMax: number
}

/** A block that is final, with who signed the one below. */
export interface FinalizeRequest extends BlockRequest {
  /** One per member of the set of the block below: whether lastCert has its signature; none at height 1. */
  lastSigners: readonly boolean[]
}

export interface FinalizeResult {
  appHash: Hash
  resultsHash: Hash
  outcomes: TxOutcome[]
  /** Changes of the set, in force two heights later; power 0 for who leaves. */
  validatorUpdates: Validator[]
}

export interface QueryResult {
  height: bigint
  appHash: Hash
  /** SSZ of the record; absent when there is none. */
  value?: Uint8Array
  /** Shows presence or absence under appHash. */
  proof?: StateProof
}

export interface LedgerApp {
  info(): { height: bigint; appHash: Hash }
  /** Once, on an empty store: makes the genesis state durable. */
  initChain(): Promise<{ appHash: Hash; validators: Validator[] }>
  /** Admission to a mempool; not consensus. */
  checkTx(tx: Uint8Array): CheckResult
  /** The candidates that apply, one after the other. */
  prepareProposal(request: ProposalRequest): Uint8Array[]
  /** True if a validator may vote for the block. */
  processProposal(request: BlockRequest): boolean
  /**
   * Executes the next block; nothing is durable before commit.
   * @throws HoldfastError BLOCK_INVALID
   */
  finalizeBlock(request: FinalizeRequest): FinalizeResult
  /** One synced batch: state, height, hash, and `records` of the caller. */
  commit(records?: readonly Write[]): Promise<{ retainHeight: bigint }>
  /** A record of a table at the newest height. @throws HoldfastError INVALID_ARGUMENT for an unknown table */
  query(table: string, key: Uint8Array, prove: boolean): QueryResult
}

export interface FinalizedBlock {
  block: Block
  cert: Certificate
}

/** What puts blocks in order. `finalized` yields every height from `from` on, without gaps and without going back. */
export interface OrderingEngine {
  readonly name: 'embedded' | 'cometbft' | 'evm-inbox'
  submit(tx: Uint8Array): { hash: Hash }
  finalized(from: bigint): AsyncIterable<FinalizedBlock>
}
