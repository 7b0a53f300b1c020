/**
 * A proof that can be checked offline: the light blocks that lead from what the reader trusts to a header, and a record
 * under it. Nothing in the file is trusted; where the trust starts is an argument of the check.
 */
import { HoldfastError } from '../../base/errors.ts'
import type { Hash } from '../../base/hash.ts'
import { RECORD_KEY_BYTES_MAX, RECORD_VALUE_BYTES_MAX } from '../state/tables.ts'
import type { NetworkId } from '../types/network.ts'
import { asciiList, byteList, container, decodeStrict, listOf, type Ssz, u8 } from '../types/ssz.ts'
import { type GenesisSummary, genesisSummaryType, trustGenesisHash } from './genesis-summary.ts'
import { type ProvenRecord, type VerifiedRecord, verifyRecord } from './record.ts'
import { type Checkpoint, type Trusted, trustCheckpoint } from './trust.ts'
import {
  fromWireProof,
  type LightBlock,
  lightBlockType,
  stateProofType,
  toWireProof
} from './types.ts'
import { type TimeRules, verifyStep } from './verify.ts'

export const PROOF_FILE_VERSION = 1
/** Of bisection between a trusted block and the newest. */
export const PROOF_FILE_BLOCKS_MAX = 64
const TABLE_NAME_BYTES_MAX = 32

export interface ProofFile {
  /** Needed when the check starts from a genesis hash. */
  genesis?: GenesisSummary
  /** Ascending; the first is the checkpoint's when the check starts from one, the last is the header of the record. */
  blocks: LightBlock[]
  record: ProvenRecord
}

interface WireFile {
  version: number
  /** One or none. */
  genesis: GenesisSummary[]
  blocks: LightBlock[]
  table: string
  key: Uint8Array
  /** One or none. */
  value: Uint8Array[]
  proof: ReturnType<typeof toWireProof>
}

export const fileType: Ssz<WireFile> = container<WireFile>('ProofFile', {
  version: u8,
  genesis: listOf(genesisSummaryType, 1),
  blocks: listOf(lightBlockType, PROOF_FILE_BLOCKS_MAX),
  table: asciiList(TABLE_NAME_BYTES_MAX),
  key: byteList(RECORD_KEY_BYTES_MAX),
  value: listOf(byteList(RECORD_VALUE_BYTES_MAX), 1),
  proof: stateProofType
})

export const PROOF_FILE_BYTES_MAX: number = fileType.maxSize

/** @throws HoldfastError INVALID_ARGUMENT when there are too many blocks */
export function encodeProofFile({ genesis, blocks, record }: ProofFile): Uint8Array {
  if (blocks.length > PROOF_FILE_BLOCKS_MAX) {
    throw new HoldfastError('INVALID_ARGUMENT', `at most ${PROOF_FILE_BLOCKS_MAX} light blocks`)
  }
  return fileType.serialize({
    version: PROOF_FILE_VERSION,
    genesis: genesis === undefined ? [] : [genesis],
    blocks,
    table: record.table,
    key: record.key,
    value: record.value === undefined ? [] : [record.value],
    proof: toWireProof(record.proof)
  })
}

/** @throws HoldfastError PROOF_INVALID above PROOF_FILE_BYTES_MAX, not canonical, or of another version */
export function decodeProofFile(bytes: Uint8Array): ProofFile {
  const file = decodeStrict(fileType, bytes, 'proof file', 'PROOF_INVALID')
  if (file.version !== PROOF_FILE_VERSION) {
    throw new HoldfastError('PROOF_INVALID', `proof file of version ${file.version}`)
  }
  const { table, key, blocks } = file
  const [genesis] = file.genesis
  const [value] = file.value
  const proof = fromWireProof(file.proof)
  return {
    ...(genesis === undefined ? {} : { genesis }),
    blocks,
    record: { table, key, ...(value === undefined ? {} : { value }), proof }
  }
}

/** What the reader of a proof file trusts. */
export type ProofTrust = { genesisHash: Hash } | { network: NetworkId; checkpoint: Checkpoint }

export interface VerifiedFile extends VerifiedRecord {
  chainId: string
  table: string
  key: Uint8Array
  /** Of the header that carries the state hash: height + 1. */
  headerHeight: bigint
  headerHash: Hash
  headerTimeMs: bigint
}

/**
 * Checks a proof file from its bytes alone.
 * @throws HoldfastError PROOF_INVALID (file, state proof), BLOCK_INVALID (a light block), TRUST_EXPIRED, WRONG_NETWORK
 */
export function verifyProofFile(
  bytes: Uint8Array,
  trust: ProofTrust,
  rules: TimeRules
): VerifiedFile {
  const { genesis, blocks, record } = decodeProofFile(bytes)
  let trusted: Trusted
  let rest: LightBlock[] = blocks
  if ('genesisHash' in trust) {
    if (genesis === undefined) throw invalid('does not bring the genesis')
    trusted = trustGenesisHash(trust.genesisHash, genesis)
  } else {
    const [first, ...others] = blocks
    if (first === undefined) throw invalid('has no light block')
    trusted = trustCheckpoint(trust.network, trust.checkpoint, first)
    rest = others
  }
  for (const block of rest) {
    const result = verifyStep(trusted, block, rules)
    if (result === 'too-far') throw invalid(`leaves out blocks below ${block.header.height}`)
    trusted = result
  }
  const header = trusted.block?.header
  if (header === undefined) throw invalid('has no light block')
  return {
    ...verifyRecord(header, record),
    chainId: header.chainId,
    table: record.table,
    key: record.key,
    headerHeight: header.height,
    headerHash: trusted.blockHash,
    headerTimeMs: header.timeMs
  }
}

function invalid(problem: string): HoldfastError {
  return new HoldfastError('PROOF_INVALID', `the proof file ${problem}`)
}
