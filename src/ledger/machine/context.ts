/** What a rule may see and touch: the state, the block it runs in and who sent the transaction. Nothing else. */
import type { Params } from '../params.ts'
import type { Overlay } from '../state/overlay.ts'
import type { NetworkId } from '../types/network.ts'

export interface BlockContext {
  state: Overlay
  params: Params
  network: NetworkId
  height: bigint
  /** Proving period of `height`. */
  period: bigint
  /** 32-byte account that is credited with fees. */
  feeAccount: Uint8Array
}

export interface TxContext extends BlockContext {
  /** 32-byte account. */
  sender: Uint8Array
}
