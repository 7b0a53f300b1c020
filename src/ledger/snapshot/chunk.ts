/**
 * Chunks of a snapshot: all records of the state after a height, in the order of the state tree, cut where the bytes of
 * a chunk reach SNAPSHOT_CUT_BYTES. The cut follows from the state alone, so all honest peers have the same chunks, and
 * every chunk proves itself against the state hash: what is wrong with a chunk is the fault of who sent it.
 */
import { assert } from '../../base/assert.ts'
import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { type Hash, sha256 } from '../../base/hash.ts'
import { HASH_BYTES, KIB, MIB } from '../../base/limits.ts'
import {
  type RangeEdge,
  type RangeLeaf,
  type RangeProof,
  verifyRange
} from '../state/range-proof.ts'
import { RECORD_KEY_BYTES_MAX, RECORD_VALUE_BYTES_MAX } from '../state/tables.ts'
import { type StoredRecord, treeKeyOf } from '../state/view.ts'
import {
  byteList,
  bytes32,
  container,
  decodeStrict,
  listOf,
  type Ssz,
  u16,
  u32,
  u64
} from '../types/ssz.ts'

export const SNAPSHOT_CHUNK_BYTES_MAX: number = 1 * MIB
/** A chunk ends with the record that brings it to so many bytes. */
export const SNAPSHOT_CUT_BYTES: number = 896 * KIB

const OFFSET_BYTES = 4
/** Of a record, besides its key and value: its place in the list, and that of its two parts. */
const RECORD_OVERHEAD_BYTES: number = 3 * OFFSET_BYTES
const RECORDS_MAX: number = Math.ceil(SNAPSHOT_CUT_BYTES / (RECORD_OVERHEAD_BYTES + 1))
const DEPTH_MAX = HASH_BYTES * 8
const ENVELOPE_BYTES_MAX: number = 256 + 2 * DEPTH_MAX * HASH_BYTES

assert(
  SNAPSHOT_CUT_BYTES +
    RECORD_OVERHEAD_BYTES +
    RECORD_KEY_BYTES_MAX +
    RECORD_VALUE_BYTES_MAX +
    ENVELOPE_BYTES_MAX <=
    SNAPSHOT_CHUNK_BYTES_MAX,
  'a chunk with the longest record in the end stays within its maximum'
)

export interface SnapshotChunk {
  /** The state is that after this height. */
  height: bigint
  /** 0 for the first. */
  index: number
  records: StoredRecord[]
  proof: RangeProof
}

interface WireEdge extends RangeEdge, RangeLeaf {}

interface WireChunk {
  height: bigint
  index: number
  /** One, or none in the first chunk. */
  below: WireEdge[]
  /** One, or none in the last chunk. */
  above: RangeEdge[]
  records: StoredRecord[]
}

const siblingsType = listOf(bytes32, DEPTH_MAX)

export const chunkType: Ssz<WireChunk> = container<WireChunk>('SnapshotChunk', {
  height: u64,
  index: u32,
  below: listOf(
    container<WireEdge>('LowerEdge', {
      key: bytes32,
      valueHash: bytes32,
      depth: u16,
      siblings: siblingsType
    }),
    1
  ),
  above: listOf(container<RangeEdge>('UpperEdge', { depth: u16, siblings: siblingsType }), 1),
  records: listOf(
    container<StoredRecord>('Record', {
      record: byteList(RECORD_KEY_BYTES_MAX),
      value: byteList(RECORD_VALUE_BYTES_MAX)
    }),
    RECORDS_MAX
  )
})

export function encodeChunk({ height, index, records, proof }: SnapshotChunk): Uint8Array {
  const { below, above } = proof
  return chunkType.serialize({
    height,
    index,
    below: below === undefined ? [] : [{ ...below.leaf, ...below.edge }],
    above: above === undefined ? [] : [above],
    records
  })
}

/** @throws HoldfastError SNAPSHOT_INVALID above SNAPSHOT_CHUNK_BYTES_MAX or not canonical */
export function decodeChunk(bytes: Uint8Array): SnapshotChunk {
  check(bytes.length <= SNAPSHOT_CHUNK_BYTES_MAX, 'is too long')
  const wire = decodeStrict(chunkType, bytes, 'chunk of a snapshot', 'SNAPSHOT_INVALID')
  const { height, index, records } = wire
  const [lower] = wire.below
  const [above] = wire.above
  const proof: RangeProof = {}
  if (lower !== undefined) {
    const { key, valueHash, depth, siblings } = lower
    proof.below = { leaf: { key, valueHash }, edge: { depth, siblings } }
  }
  if (above !== undefined) proof.above = above
  return { height, index, records, proof }
}

export interface ExpectedChunk {
  height: bigint
  index: number
  /** State hash after `height`. */
  appHash: Hash
  /** Tree key of the last record of the chunk before; absent for the first. */
  after?: Hash
}

/**
 * Tree key of the chunk's last record.
 * @throws HoldfastError SNAPSHOT_INVALID unless this is the chunk expected, whole
 */
export function verifyChunk(chunk: SnapshotChunk, expected: ExpectedChunk): Hash {
  const { records, proof } = chunk
  check(chunk.height === expected.height, `is of height ${chunk.height}`)
  check(chunk.index === expected.index, `is number ${chunk.index}, not ${expected.index}`)
  check(records.length > 0, 'is empty')
  check(sameKey(proof.below?.leaf.key, expected.after), 'does not follow the one before')
  checkCut(records, proof.above === undefined)
  const leaves = records.map(({ record, value }) => ({
    key: treeKeyOf(record),
    valueHash: sha256(value)
  }))
  check(verifyRange(expected.appHash, leaves, proof), 'does not have the state hash')
  return leaves.at(-1)!.key
}

/** Bytes of a record that count for the cut. */
export function recordBytes({ record, value }: StoredRecord): number {
  return RECORD_OVERHEAD_BYTES + record.length + value.length
}

function checkCut(records: readonly StoredRecord[], last: boolean): void {
  const bytes = records.reduce((sum, record) => sum + recordBytes(record), 0)
  check(bytes - recordBytes(records.at(-1)!) < SNAPSHOT_CUT_BYTES, 'is cut too late')
  check(last || bytes >= SNAPSHOT_CUT_BYTES, 'is cut too early')
}

function sameKey(a: Hash | undefined, b: Hash | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equal(a, b)
}

function check(condition: boolean, problem: string): void {
  if (!condition) {
    throw new HoldfastError('SNAPSHOT_INVALID', `the chunk of the snapshot ${problem}`)
  }
}
