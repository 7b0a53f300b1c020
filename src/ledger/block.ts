/** Making, hashing, checking and encoding blocks. */
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { Hash } from '../base/hash.ts'
import { BLOCK_BYTES_MAX } from '../base/limits.ts'
import type { FinalizedBlock } from './engine.ts'
import type { Params } from './params.ts'
import { paramsType } from './params.ts'
import { txHash } from './transaction.ts'
import {
  BLOCK_VERSION,
  type Block,
  blockType,
  type Certificate,
  certificateType,
  type Header,
  headerType,
  txHashesType
} from './types/block.ts'
import { type Validator, validatorsType } from './types/records.ts'
import { container, decodeStrict, type Ssz } from './types/ssz.ts'

/** What the block below hands to the next one. */
export interface Parent {
  height: bigint
  blockHash: Hash
  timeMs: number
  appHash: Hash
  resultsHash: Hash
}

/** What the proposer decides. */
export interface Proposal {
  originView: bigint
  timeMs: number
  proposer: Uint8Array
  reveal: Uint8Array
  lastCert: Certificate
  txs: Uint8Array[]
}

/** What holds at the height of a block. */
export interface Rules {
  chainId: string
  params: Params
  /** In force at this height. */
  validators: readonly Validator[]
  /** In force at the next height. */
  nextValidators: readonly Validator[]
}

export const finalizedType: Ssz<FinalizedBlock> = container<FinalizedBlock>('FinalizedBlock', {
  block: blockType,
  cert: certificateType
})

/** Largest encoding of a block with its certificate. */
export const FINALIZED_BYTES_MAX: number = BLOCK_BYTES_MAX + certificateType.maxSize + 8

export function blockHashOf(header: Header): Hash {
  return headerType.hashTreeRoot(header)
}

export function makeBlock(rules: Rules, parent: Parent, proposal: Proposal): Block {
  const { lastCert, txs } = proposal
  return {
    header: {
      version: BLOCK_VERSION,
      chainId: rules.chainId,
      height: parent.height + 1n,
      originView: proposal.originView,
      timeMs: BigInt(proposal.timeMs),
      parentHash: parent.blockHash,
      lastCertRoot: certificateType.hashTreeRoot(lastCert),
      txRoot: txRootOf(txs),
      validatorsHash: validatorsType.hashTreeRoot([...rules.validators]),
      nextValidatorsHash: validatorsType.hashTreeRoot([...rules.nextValidators]),
      paramsHash: paramsType.hashTreeRoot(rules.params),
      appHash: parent.appHash,
      resultsHash: parent.resultsHash,
      proposer: proposal.proposer,
      reveal: proposal.reveal
    },
    lastCert,
    txs
  }
}

/**
 * Checks everything in a block that does not need execution: linkage, time, roots, set and parameters.
 * @throws HoldfastError BLOCK_INVALID, or REPLICA_DIVERGED when only the state or result hash differs: then the others
 *   computed something else than this replica
 */
export function checkBlock(rules: Rules, parent: Parent, block: Block): void {
  const { header } = block
  check(header.timeMs <= BigInt(Number.MAX_SAFE_INTEGER), 'has a time out of range')
  check(header.timeMs > BigInt(parent.timeMs), 'is not later than the block below')
  check(header.originView >= 1n, 'has no view')
  const expected = makeBlock(rules, parent, {
    originView: header.originView,
    timeMs: Number(header.timeMs),
    proposer: header.proposer,
    reveal: header.reveal,
    lastCert: block.lastCert,
    txs: block.txs
  })
  const known = { appHash: header.appHash, resultsHash: header.resultsHash }
  check(
    equal(blockHashOf({ ...expected.header, ...known }), blockHashOf(header)),
    'does not follow from the block below, its certificate and its transactions'
  )
  if (equal(parent.appHash, header.appHash) && equal(parent.resultsHash, header.resultsHash)) return
  throw new HoldfastError(
    'REPLICA_DIVERGED',
    `another state after height ${parent.height} was agreed on than this replica has`,
    { hint: 'remove the ledger folder: the node fetches and executes it again' }
  )
}

export function encodeBlock(block: Block): Uint8Array {
  return blockType.serialize(block)
}

/** @throws HoldfastError BLOCK_INVALID above BLOCK_BYTES_MAX or not canonical */
export function decodeBlock(bytes: Uint8Array): Block {
  checkBlockBytes(bytes.length)
  return decodeStrict(blockType, bytes, 'block', 'BLOCK_INVALID')
}

/** @throws HoldfastError BLOCK_INVALID above BLOCK_BYTES_MAX */
export function checkBlockBytes(length: number): void {
  check(length <= BLOCK_BYTES_MAX, `has ${length} bytes, ${BLOCK_BYTES_MAX} allowed`)
}

/** A block with its certificate, for the wire; at most FINALIZED_BYTES_MAX. */
export function encodeFinalized(finalized: FinalizedBlock): Uint8Array {
  return finalizedType.serialize(finalized)
}

/** @throws HoldfastError BLOCK_INVALID when too long or not canonical */
export function decodeFinalized(bytes: Uint8Array): FinalizedBlock {
  check(bytes.length <= FINALIZED_BYTES_MAX, `has ${bytes.length} bytes with its certificate`)
  return decodeStrict(finalizedType, bytes, 'finalized block', 'BLOCK_INVALID')
}

export function txRootOf(txs: readonly Uint8Array[]): Hash {
  return txHashesType.hashTreeRoot(txs.map(txHash))
}

function check(condition: boolean, problem: string): void {
  if (!condition) throw new HoldfastError('BLOCK_INVALID', `the block ${problem}`)
}
