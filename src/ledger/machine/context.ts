/** What a rule may see and touch: the state, the block it runs in and who sent the transaction. Nothing else. */
import type { Params } from '../params.ts'
import type { Overlay } from '../state/overlay.ts'
import type { NetworkId } from '../types/network.ts'

/** Checks of proofs of possession per block: some 16 ms each. */
export const PROOF_CHECKS_PER_BLOCK = 4

/** What is left of the slow work that a block may ask for; it is spent also by transactions that fail. */
export interface BlockBudget {
  proofChecks: number
}

export function newBudget(): BlockBudget {
  return { proofChecks: PROOF_CHECKS_PER_BLOCK }
}

export interface BlockContext {
  state: Overlay
  params: Params
  network: NetworkId
  height: bigint
  /** Proving period of `height`. */
  period: bigint
  /** 32-byte account that is credited with fees. */
  feeAccount: Uint8Array
  budget: BlockBudget
}

export interface TxContext extends BlockContext {
  /** 32-byte account. */
  sender: Uint8Array
}
