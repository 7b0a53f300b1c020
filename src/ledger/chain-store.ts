/** Blocks, certificates, what they led to, and where every transaction ended up. Written in the commit of the state. */
import type { Hash } from '../base/hash.ts'
import type { Units } from '../base/money.ts'
import { encodeBlock } from './block.ts'
import { blockKey, certificateKey, factsKey, txKey } from './state/keys.ts'
import type { StateStore, Write } from './state/store.ts'
import {
  type Block,
  blockType,
  type Certificate,
  certificateType,
  type TxOutcome
} from './types/block.ts'
import { bytes32, container, type Ssz, u16, u32, u64 } from './types/ssz.ts'

/** What is known of a height after its block. */
export interface BlockFacts {
  height: bigint
  blockHash: Hash
  timeMs: bigint
  /** After the block. */
  appHash: Hash
  resultsHash: Hash
}

export const factsType: Ssz<BlockFacts> = container<BlockFacts>('BlockFacts', {
  height: u64,
  blockHash: bytes32,
  timeMs: u64,
  appHash: bytes32,
  resultsHash: bytes32
})

export interface TxPlace {
  height: bigint
  index: number
  code: number
  feeUnits: Units
}

export const placeType: Ssz<TxPlace> = container<TxPlace>('TxPlace', {
  height: u64,
  index: u32,
  code: u16,
  feeUnits: u64
})

export class ChainStore {
  readonly #store: StateStore

  constructor(store: StateStore) {
    this.#store = store
  }

  block(height: bigint): Block | undefined {
    return this.#decode(blockType, blockKey(height))
  }

  certificate(height: bigint): Certificate | undefined {
    return this.#decode(certificateType, certificateKey(height))
  }

  facts(height: bigint): BlockFacts | undefined {
    return this.#decode(factsType, factsKey(height))
  }

  txPlace(hash: Hash): TxPlace | undefined {
    return this.#decode(placeType, txKey(hash))
  }

  #decode<T>(type: Ssz<T>, key: Uint8Array): T | undefined {
    const bytes = this.#store.raw(key)
    return bytes === undefined ? undefined : type.deserialize(bytes)
  }
}

export function factsWrite(facts: BlockFacts): Write {
  return { key: factsKey(facts.height), value: factsType.serialize(facts) }
}

export function certificateWrite(cert: Certificate): Write {
  return { key: certificateKey(cert.height), value: certificateType.serialize(cert) }
}

export function blockWrites(
  block: Block,
  cert: Certificate,
  facts: BlockFacts,
  outcomes: readonly TxOutcome[]
): Write[] {
  const { height } = facts
  const places = outcomes.map(({ txHash, code, feeUnits }, index) => ({
    key: txKey(txHash),
    value: placeType.serialize({ height, index, code, feeUnits })
  }))
  return [
    { key: blockKey(height), value: encodeBlock(block) },
    certificateWrite(cert),
    factsWrite(facts),
    ...places
  ]
}
