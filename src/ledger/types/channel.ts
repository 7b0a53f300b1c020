/**
 * Retrieval channels: a payer locks a deposit for one payee and signs vouchers off-ledger. A voucher carries the sum of
 * all payments so far, so only the greatest counts: lost, repeated and reordered ones do no harm.
 */
import { domainHash, type Hash } from '../../base/hash.ts'
import { type SigningKey, verifySignature } from '../../base/keys.ts'
import type { Units } from '../../base/money.ts'
import { chainIdType, type NetworkId } from './network.ts'
import { bytes32, container, type Ssz, u32, u64 } from './ssz.ts'
import { signatureType } from './tx.ts'

export interface ChannelOpen {
  /** 32-byte account that is paid. */
  payee: Uint8Array
  depositUnits: Units
  /** From here on the payee should have redeemed. */
  expiryHeight: bigint
  /** Chosen by the payer: tells otherwise equal channels apart. */
  openNonce: bigint
}

export const channelOpenType: Ssz<ChannelOpen> = container<ChannelOpen>('ChannelOpen', {
  payee: bytes32,
  depositUnits: u64,
  expiryHeight: u64,
  openNonce: u64
})

export interface ChannelTopUp {
  channelId: Uint8Array
  /** Added to the deposit; may be 0 when the expiry moves. */
  amountUnits: Units
  /** Not below the one before. */
  expiryHeight: bigint
}

export const channelTopUpType: Ssz<ChannelTopUp> = container<ChannelTopUp>('ChannelTopUp', {
  channelId: bytes32,
  amountUnits: u64,
  expiryHeight: u64
})

export interface ChannelRedeem {
  channelId: Uint8Array
  cumulativeUnits: Units
  /** 64 bytes by the payer over the Voucher. */
  signature: Uint8Array
}

export const channelRedeemType: Ssz<ChannelRedeem> = container<ChannelRedeem>('ChannelRedeem', {
  channelId: bytes32,
  cumulativeUnits: u64,
  signature: signatureType
})

/** Payload of channelClose. */
export interface ChannelRef {
  channelId: Uint8Array
}

export const channelRefType: Ssz<ChannelRef> = container<ChannelRef>('ChannelRef', {
  channelId: bytes32
})

export interface ChannelRecord {
  payer: Uint8Array
  payee: Uint8Array
  /** All that was ever put in. */
  depositUnits: Units
  /** Paid out so far; the rest is escrow of the payer. */
  redeemedUnits: Units
  expiryHeight: bigint
  /** Above it the payer may close. */
  settledHeight: bigint
  /** Place in the payer's list. */
  index: number
}

export const channelType: Ssz<ChannelRecord> = container<ChannelRecord>('Channel', {
  payer: bytes32,
  payee: bytes32,
  depositUnits: u64,
  redeemedUnits: u64,
  expiryHeight: u64,
  settledHeight: u64,
  index: u32
})

/** The promise that the payee may have `cumulativeUnits` out of the channel, all earlier payments included. */
export interface Voucher extends NetworkId {
  channelId: Uint8Array
  cumulativeUnits: Units
}

export const voucherType: Ssz<Voucher> = container<Voucher>('Voucher', {
  chainId: chainIdType,
  genesisHash: bytes32,
  channelId: bytes32,
  cumulativeUnits: u64
})

interface ChannelName extends NetworkId {
  payer: Uint8Array
  payee: Uint8Array
  openNonce: bigint
}

export const channelNameType: Ssz<ChannelName> = container<ChannelName>('ChannelName', {
  chainId: chainIdType,
  genesisHash: bytes32,
  payer: bytes32,
  payee: bytes32,
  openNonce: u64
})

const VOUCHER_LABEL = 'ledger/voucher/v1'

/** 32-byte id of the channel that a payer opens. */
export function channelIdOf(
  { chainId, genesisHash }: NetworkId,
  payer: Uint8Array,
  { payee, openNonce }: Pick<ChannelOpen, 'payee' | 'openNonce'>
): Hash {
  const root = channelNameType.hashTreeRoot({ chainId, genesisHash, payer, payee, openNonce })
  return domainHash('ledger/channel-id/v1', root)
}

/** 64-byte signature by the payer's wallet key. */
export function signVoucher(key: SigningKey, voucher: Voucher): Uint8Array {
  return key.sign(VOUCHER_LABEL, voucherType.hashTreeRoot(voucher))
}

export function verifyVoucher(payer: Uint8Array, voucher: Voucher, signature: Uint8Array): boolean {
  return verifySignature(payer, VOUCHER_LABEL, voucherType.hashTreeRoot(voucher), signature)
}
