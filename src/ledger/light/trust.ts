/** What a light client starts from: the genesis, or a block that somebody it trusts has named. */
import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Hash } from '../../base/hash.ts'
import { blockHashOf } from '../block.ts'
import { type Genesis, genesisHashOf } from '../genesis.ts'
import type { NetworkId } from '../types/network.ts'
import { type Validator, validatorsType } from '../types/records.ts'
import { checkLightBlock } from './check.ts'
import type { LightBlock } from './types.ts'

/** A final block as a light client remembers it. */
export interface Trusted {
  network: NetworkId
  height: bigint
  /** Of the genesis at height 0. */
  blockHash: Hash
  timeMs: bigint
  /** In force at the height. */
  validators: readonly Validator[]
  /** Root of the set in force at the next height. */
  nextValidatorsHash: Hash
  /** The block; absent at height 0. */
  block?: LightBlock
}

export interface Checkpoint {
  height: bigint
  blockHash: Hash
}

/** Height 0, of a genesis that is trusted as a whole. */
export function trustGenesis(genesis: Genesis): Trusted {
  const { chainId, genesisTimeMs: timeMs, validators } = genesis
  const blockHash = genesisHashOf(genesis)
  return {
    network: { chainId, genesisHash: blockHash },
    ...{ height: 0n, blockHash, timeMs, validators },
    nextValidatorsHash: validatorsType.hashTreeRoot(validators)
  }
}

/**
 * The block of a checkpoint.
 * @throws HoldfastError BLOCK_INVALID when it is another one, or not final
 */
export function trustCheckpoint(
  network: NetworkId,
  { height, blockHash }: Checkpoint,
  block: LightBlock
): Trusted {
  if (block.header.height !== height || !equal(blockHashOf(block.header), blockHash)) {
    throw new HoldfastError('BLOCK_INVALID', `the block is not that of the checkpoint at ${height}`)
  }
  checkLightBlock(block, network)
  return trustedOf(network, block)
}

/** A light block that was verified. */
export function trustedOf(network: NetworkId, block: LightBlock): Trusted {
  const { header, validators } = block
  return {
    network,
    height: header.height,
    blockHash: blockHashOf(header),
    timeMs: header.timeMs,
    validators,
    nextValidatorsHash: header.nextValidatorsHash,
    block
  }
}
