/** What of the ledger crosses the control API. */
import type { Units } from '../../base/money.ts'

export interface LedgerStatus {
  chainId: string
  height: number
  blockHash: string
  appHash: string
  validators: number
  /** Byzantine validators tolerated; 0 below four. */
  faultsTolerated: number
  period: number
}

export interface LedgerBlock {
  height: number
  blockHash: string
  appHash: string
  time: string
  proposer: string
  txs: { hash: string; kind: string; sender: string; ok: boolean; error?: string }[]
}

export interface ValidatorRow {
  publicKey: string
  address: string
  power: number
}

/** Where a transaction ended up. */
export interface LedgerTx {
  hash: string
  height: number
  /** Position in the block. */
  index: number
  time: string
  kind: string
  sender: string
  feeUnits: Units
  ok: boolean
  error?: string
}

export interface LedgerAccount {
  address: string
  /** The account is as after this height. */
  height: number
  nonce: number
  available: Units
  escrow: Units
  collateral: Units
}

export type ProvenKind = 'account' | 'deal' | 'provider'

export interface LedgerProof {
  kind: ProvenKind
  key: string
  /** The record is that after this height. */
  height: number
  /** False when the proof shows that there is no such record. */
  exists: boolean
  genesisHash: string
  /** What a reader has to trust instead of the genesis. */
  checkpoint?: { height: number; blockHash: string }
  bytes: number
  /** The proof file, base64. */
  file: string
}
