/**
 * Transactions: the signed envelope and the payloads of accounts, providers and deals. Those of `proof` are in
 * proof.ts, those of validators in validator-tx.ts, those of channels in channel.ts.
 */
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../../base/keys.ts'
import { TX_BYTES_MAX } from '../../base/limits.ts'
import type { Units } from '../../base/money.ts'
import {
  type DealTerms,
  dealTermsType,
  type Extension,
  extensionType,
  type Revision,
  revisionType
} from './deal.ts'
import { CHAIN_ID_BYTES_MAX, chainIdType } from './network.ts'
import { byteList, bytes32, bytesOf, container, type Ssz, u8, u32, u64 } from './ssz.ts'

export interface Tx {
  chainId: string
  /** 32-byte genesis hash: two networks may share a name. */
  genesisHash: Uint8Array
  /** 32-byte account (Ed25519 public key). */
  sender: Uint8Array
  nonce: bigint
  /** The sender accepts any fee up to this. */
  maxFeeUnits: Units
  /** Last height at which the transaction is valid. */
  expiryHeight: bigint
  /** One of `txKinds`. */
  kind: number
  payload: Uint8Array
}

export interface SignedTx {
  tx: Tx
  /** 64 bytes by the sender over hash_tree_root(tx). */
  signature: Uint8Array
}

/** Names of kinds; the index is the number on the wire. */
export const TX_KINDS = [
  'transfer',
  'providerRegister',
  'dealOpen',
  'dealTopUp',
  'dealRevise',
  'dealSettle',
  'dealClose',
  'proof',
  'validatorRegister',
  'validatorBond',
  'validatorUnbond',
  'validatorWithdraw',
  'validatorUnjail',
  'evidence',
  'govPropose',
  'govVote',
  'providerMaintenance',
  'dealExtend',
  'dealTerminate',
  'dealFail',
  'channelOpen',
  'channelTopUp',
  'channelRedeem',
  'channelClose'
] as const

export type TxKindName = (typeof TX_KINDS)[number]

/** Everything of an encoded transaction that is not its openings. */
export const TX_OVERHEAD_BYTES_MAX: number =
  4 * 3 + CHAIN_ID_BYTES_MAX + 32 + PUBLIC_KEY_BYTES + 8 * 3 + 1 + SIGNATURE_BYTES + 8 + 4

export const txType: Ssz<Tx> = container<Tx>('Tx', {
  chainId: chainIdType,
  genesisHash: bytes32,
  sender: bytes32,
  nonce: u64,
  maxFeeUnits: u64,
  expiryHeight: u64,
  kind: u8,
  payload: byteList(TX_BYTES_MAX)
})

export const signatureType: Ssz<Uint8Array> = bytesOf(SIGNATURE_BYTES)

export const signedTxType: Ssz<SignedTx> = container<SignedTx>('SignedTx', {
  tx: txType,
  signature: signatureType
})

export interface Transfer {
  to: Uint8Array
  amountUnits: Units
}

export const transferType: Ssz<Transfer> = container<Transfer>('Transfer', {
  to: bytes32,
  amountUnits: u64
})

/** What a peer key signs to belong to an account. */
export interface PeerBinding {
  chainId: string
  genesisHash: Uint8Array
  account: Uint8Array
  peerKey: Uint8Array
}

export const peerBindingType: Ssz<PeerBinding> = container<PeerBinding>('PeerBinding', {
  chainId: chainIdType,
  genesisHash: bytes32,
  account: bytes32,
  peerKey: bytes32
})

export interface ProviderRegister {
  /** 32-byte Ed25519 libp2p identity. */
  peerKey: Uint8Array
  /** 64 bytes by the peer key over the PeerBinding. */
  peerSignature: Uint8Array
}

export const providerRegisterType: Ssz<ProviderRegister> = container<ProviderRegister>(
  'ProviderRegister',
  { peerKey: bytes32, peerSignature: signatureType }
)

export interface DealOpen {
  terms: DealTerms
  clientSignature: Uint8Array
  providerSignature: Uint8Array
}

export const dealOpenType: Ssz<DealOpen> = container<DealOpen>('DealOpen', {
  terms: dealTermsType,
  clientSignature: signatureType,
  providerSignature: signatureType
})

export interface DealTopUp {
  dealId: Uint8Array
  amountUnits: Units
}

export const dealTopUpType: Ssz<DealTopUp> = container<DealTopUp>('DealTopUp', {
  dealId: bytes32,
  amountUnits: u64
})

export interface DealRevise {
  revision: Revision
  clientSignature: Uint8Array
  providerSignature: Uint8Array
}

export const dealReviseType: Ssz<DealRevise> = container<DealRevise>('DealRevise', {
  revision: revisionType,
  clientSignature: signatureType,
  providerSignature: signatureType
})

export interface DealExtend {
  extension: Extension
  clientSignature: Uint8Array
  providerSignature: Uint8Array
}

export const dealExtendType: Ssz<DealExtend> = container<DealExtend>('DealExtend', {
  extension: extensionType,
  clientSignature: signatureType,
  providerSignature: signatureType
})

/** The sender's misses in [fromPeriod, fromPeriod + periods) do not count. */
export interface ProviderMaintenance {
  fromPeriod: bigint
  periods: number
}

export const providerMaintenanceType: Ssz<ProviderMaintenance> = container<ProviderMaintenance>(
  'ProviderMaintenance',
  { fromPeriod: u64, periods: u32 }
)

/** Payload of dealSettle, dealTerminate, dealFail and dealClose. */
export interface DealRef {
  dealId: Uint8Array
}

export const dealRefType: Ssz<DealRef> = container<DealRef>('DealRef', { dealId: bytes32 })
