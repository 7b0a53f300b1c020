/** What light clients take and give. */
import { HASH_BYTES } from '../../base/limits.ts'
import type { StateProof } from '../state/tree-proof.ts'
import { type Certificate, certificateType, type Header, headerType } from '../types/block.ts'
import { type Validator, validatorsType } from '../types/records.ts'
import { bytes32, container, decodeStrict, listOf, type Ssz } from '../types/ssz.ts'

/** A header with all that shows that it is final. */
export interface LightBlock {
  header: Header
  /** Finalization of the header. */
  cert: Certificate
  /** The set in force at its height, in the order of the certificate. */
  validators: Validator[]
}

export const lightBlockType: Ssz<LightBlock> = container<LightBlock>('LightBlock', {
  header: headerType,
  cert: certificateType,
  validators: validatorsType
})

export const LIGHT_BLOCK_BYTES_MAX: number = lightBlockType.maxSize

export function encodeLightBlock(block: LightBlock): Uint8Array {
  return lightBlockType.serialize(block)
}

/** @throws HoldfastError BLOCK_INVALID above LIGHT_BLOCK_BYTES_MAX or not canonical */
export function decodeLightBlock(bytes: Uint8Array): LightBlock {
  return decodeStrict(lightBlockType, bytes, 'light block', 'BLOCK_INVALID')
}

/** A state proof on the wire; `leaf` has one element or none. */
interface WireStateProof {
  siblings: Uint8Array[]
  leaf: { key: Uint8Array; valueHash: Uint8Array }[]
}

export const stateProofType: Ssz<WireStateProof> = container<WireStateProof>('StateProof', {
  siblings: listOf(bytes32, HASH_BYTES * 8),
  leaf: listOf(
    container<WireStateProof['leaf'][0]>('TreeLeaf', { key: bytes32, valueHash: bytes32 }),
    1
  )
})

export function toWireProof({ siblings, leaf }: StateProof): WireStateProof {
  return { siblings, leaf: leaf === undefined ? [] : [leaf] }
}

export function fromWireProof({ siblings, leaf: [leaf] }: WireStateProof): StateProof {
  return leaf === undefined ? { siblings } : { siblings, leaf }
}
