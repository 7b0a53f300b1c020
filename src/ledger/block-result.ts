/** What came of a block and of its transactions, as listeners are told. */
import type { Hash } from '../base/hash.ts'
import type { Units } from '../base/money.ts'
import { type Outcome, outcomeOf } from './machine/outcomes.ts'
import type { Block, TxOutcome } from './types/block.ts'

/** Where a transaction ended up. */
export interface TxResult {
  hash: Hash
  height: bigint
  /** Position in the block. */
  index: number
  ok: boolean
  outcome: Outcome
  feeUnits: Units
}

export interface BlockResult {
  height: bigint
  blockHash: Hash
  appHash: Hash
  txs: TxResult[]
}

export type BlockListener = (result: BlockResult, block: Block) => void

/** @param outcomes of all transactions, in their order */
export function resultsOf(height: bigint, outcomes: readonly TxOutcome[]): TxResult[] {
  return outcomes.map(({ txHash: hash, code, feeUnits }, index) => {
    const outcome = outcomeOf(code)
    return { hash, height, index, ok: outcome === 'ok', outcome, feeUnits }
  })
}
