/** Records of the state with their proofs. The state hash in a header is that after the block below. */
import { assert } from '../../base/assert.ts'
import { type ErrorCode, HoldfastError } from '../../base/errors.ts'
import { sha256 } from '../../base/hash.ts'
import {
  AUTHENTICATED_TABLES,
  RECORD_KEY_BYTES_MAX,
  recordKey,
  type Table
} from '../state/tables.ts'
import { proveKey, type StateProof, verifyStateProof } from '../state/tree-proof.ts'
import { type StateView, treeKeyOf } from '../state/view.ts'
import type { Header } from '../types/block.ts'

export interface ProvenRecord {
  /** Name of the table, a key of AUTHENTICATED_TABLES. */
  table: string
  /** Key within the table. */
  key: Uint8Array
  /** SSZ of the record; absent when there is none. */
  value?: Uint8Array
  proof: StateProof
}

/**
 * The record, or its absence, as the view has it. @throws HoldfastError INVALID_ARGUMENT for an unknown table or long
 * key
 */
export function proveRecord(view: StateView, table: string, key: Uint8Array): ProvenRecord {
  const record = recordKey(tableOf(table, key, 'INVALID_ARGUMENT'), key)
  const value = view.read(record)
  const proof = proveKey(view.nodes(), treeKeyOf(record))
  return { table, key, ...(value === undefined ? {} : { value }), proof }
}

export interface VerifiedRecord {
  /** The record is that after this height: the one below the header. */
  height: bigint
  /** Decoded; absent when the proof is one of absence. */
  value?: unknown
}

/**
 * @param header that was verified, of the height above the state
 * @throws HoldfastError PROOF_INVALID when the proof does not lead to the header's state hash
 */
export function verifyRecord(header: Header, proven: ProvenRecord): VerifiedRecord {
  assert(header.height >= 1n, 'a header has a height')
  const { table: name, key, value, proof } = proven
  const table = tableOf(name, key, 'PROOF_INVALID')
  const valueHash = value === undefined ? undefined : sha256(value)
  const inTree = treeKeyOf(recordKey(table, key))
  if (!verifyStateProof(header.appHash, inTree, valueHash, proof)) {
    throw new HoldfastError('PROOF_INVALID', `the proof of the record in ${name} does not verify`)
  }
  const height = header.height - 1n
  return value === undefined ? { height } : { height, value: table.type.deserialize(value) }
}

function tableOf(name: string, key: Uint8Array, code: ErrorCode): Table<unknown> {
  const table = AUTHENTICATED_TABLES.get(name)
  if (table === undefined) throw new HoldfastError(code, `no table ${name}`)
  if (key.length < RECORD_KEY_BYTES_MAX) return table
  throw new HoldfastError(code, `a key of ${key.length} bytes is too long`)
}
