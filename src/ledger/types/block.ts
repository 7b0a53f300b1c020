/** Blocks, votes and certificates. The hash of a block is hash_tree_root(header). */
import { SIGNATURE_BYTES } from '../../base/keys.ts'
import { BLOCK_BYTES_MAX, TX_BYTES_MAX, VALIDATORS_MAX } from '../../base/limits.ts'
import type { Units } from '../../base/money.ts'
import { CHAIN_ID_BYTES_MAX, chainIdType } from './network.ts'
import {
  type BitArray,
  bitList,
  byteList,
  bytes32,
  bytesOf,
  container,
  listOf,
  type Ssz,
  u8,
  u16,
  u32,
  u64
} from './ssz.ts'

export const BLOCK_VERSION = 1
export const REVEAL_BYTES = 96
/** No transaction is smaller than its envelope, so no block holds more. */
export const BLOCK_TXS_MAX = 8_192

/** Kinds of votes; a certificate carries the kind of its votes. */
export const VOTE_KINDS = { notarize: 1, nullify: 2, finalize: 3 } as const
export type VoteKind = (typeof VOTE_KINDS)[keyof typeof VOTE_KINDS]

/** What a validator signs. */
export interface Vote {
  chainId: string
  genesisHash: Uint8Array
  kind: number
  height: bigint
  view: bigint
  /** 32 bytes; zero for nullify. */
  blockHash: Uint8Array
}

export const voteType: Ssz<Vote> = container<Vote>('Vote', {
  chainId: chainIdType,
  genesisHash: bytes32,
  kind: u8,
  height: u64,
  view: u64,
  blockHash: bytes32
})

/** Votes of one kind on one thing whose weight reaches the quorum. */
export interface Certificate {
  kind: number
  height: bigint
  view: bigint
  blockHash: Uint8Array
  /** One bit per validator, in the order of the set. */
  signers: BitArray
  /** One 64-byte signature per set bit, in the same order. */
  signatures: Uint8Array[]
}

export const certificateType: Ssz<Certificate> = container<Certificate>('Certificate', {
  kind: u8,
  height: u64,
  view: u64,
  blockHash: bytes32,
  signers: bitList(VALIDATORS_MAX),
  signatures: listOf(bytesOf(SIGNATURE_BYTES), VALIDATORS_MAX)
})

export interface Header {
  version: number
  chainId: string
  height: bigint
  /** View in which the block was first proposed; carried blocks keep it. */
  originView: bigint
  timeMs: bigint
  /** Hash of the block below; of the genesis at height 1. */
  parentHash: Uint8Array
  lastCertRoot: Uint8Array
  txRoot: Uint8Array
  /** Root of the set in force at this height: it votes on this block. */
  validatorsHash: Uint8Array
  /** Root of the set in force at the next height. */
  nextValidatorsHash: Uint8Array
  paramsHash: Uint8Array
  /** State root after the block below. */
  appHash: Uint8Array
  /** Root of the results of the block below. */
  resultsHash: Uint8Array
  /** Vote key of the proposer. */
  proposer: Uint8Array
  /** Beacon reveal: 96 bytes where one is due, else empty. */
  reveal: Uint8Array
}

export const headerType: Ssz<Header> = container<Header>('Header', {
  version: u32,
  chainId: chainIdType,
  height: u64,
  originView: u64,
  timeMs: u64,
  parentHash: bytes32,
  lastCertRoot: bytes32,
  txRoot: bytes32,
  validatorsHash: bytes32,
  nextValidatorsHash: bytes32,
  paramsHash: bytes32,
  appHash: bytes32,
  resultsHash: bytes32,
  proposer: bytes32,
  reveal: byteList(REVEAL_BYTES)
})

export interface Block {
  header: Header
  /** Finalization of the block below. */
  lastCert: Certificate
  /** Encoded signed transactions. */
  txs: Uint8Array[]
}

export const blockType: Ssz<Block> = container<Block>('Block', {
  header: headerType,
  lastCert: certificateType,
  txs: listOf(byteList(TX_BYTES_MAX), BLOCK_TXS_MAX)
})

/** Everything in an encoded block that is not transactions. */
export const BLOCK_OVERHEAD_BYTES_MAX: number =
  4 * 6 +
  (4 + CHAIN_ID_BYTES_MAX + 8 * 3 + 32 * 9 + REVEAL_BYTES) +
  (1 + 8 * 2 + 32 + VALIDATORS_MAX + SIGNATURE_BYTES * VALIDATORS_MAX)

export const TXS_BYTES_MAX: number = BLOCK_BYTES_MAX - BLOCK_OVERHEAD_BYTES_MAX

/** Transaction hashes, in order: txRoot is the root of this list. */
export const txHashesType: Ssz<Uint8Array[]> = listOf(bytes32, BLOCK_TXS_MAX)

export interface TxOutcome {
  txHash: Uint8Array
  /** Index into `OUTCOMES` of machine/outcomes.ts; 0 is success. */
  code: number
  feeUnits: Units
}

const txOutcomeType: Ssz<TxOutcome> = container<TxOutcome>('TxOutcome', {
  txHash: bytes32,
  code: u16,
  feeUnits: u64
})

export const txOutcomesType: Ssz<TxOutcome[]> = listOf(txOutcomeType, BLOCK_TXS_MAX)
