/** What every role needs of the ledger and the network: one of each per node. */
import type { SigningKey } from '../../base/keys.ts'
import type { NetworkId, Replica } from '../../ledger/index.ts'
import type { Net } from '../net/types.ts'
import type { TxSender } from './tx-sender.ts'

export interface ChainContext {
  net: Net
  replica: Replica
  network: NetworkId
  sender: TxSender
  wallet: SigningKey
  nodeKey: SigningKey
  /** Aborted when the node stops. */
  signal: AbortSignal
}
