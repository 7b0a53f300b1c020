/**
 * Every key of the ledger's database. One letter names the store; what follows sorts. All keys and values are bytes.
 *
 *   s <tree key>        record of the state, in the order of the state tree: length of its key, key, value
 *   t <depth> <path>    four levels of the state tree below a path
 *   b <height>          block          c <height>   its certificate
 *   h <height>          its facts      x <hash>     where a transaction ended up
 *   i <height>          a snapshot     p <height> <index>   its chunks
 *   m <name>            "genesis", "head", "earliest", "restoring"
 */
import { concat, u64be, utf8 } from '../../base/bytes.ts'

const STATE = utf8('s')
const TREE = utf8('t')
const BLOCK = utf8('b')
const CERTIFICATE = utf8('c')
const FACTS = utf8('h')
const TX = utf8('x')
const SNAPSHOT = utf8('i')
const CHUNK = utf8('p')

export const GENESIS_KEY: Uint8Array = utf8('mgenesis')
export const APP_HEAD_KEY: Uint8Array = utf8('mhead')
/** First height whose block is kept; 1 when absent. */
export const EARLIEST_KEY: Uint8Array = utf8('mearliest')
/** There while a snapshot is being restored: what is beside it is not a ledger yet. */
export const RESTORING_KEY: Uint8Array = utf8('mrestoring')

export interface KeyRange {
  gte: Uint8Array
  lt: Uint8Array
}

/** The range of all records. */
export const STATE_RANGE: KeyRange = { gte: STATE, lt: TREE }
/** The range of all chunks of all snapshots. */
export const CHUNK_RANGE: KeyRange = { gte: CHUNK, lt: utf8('q') }
/** The range of all descriptions of snapshots. */
export const SNAPSHOT_RANGE: KeyRange = { gte: SNAPSHOT, lt: utf8('j') }

/** @param treeKey SHA-256 of the record key */
export function stateKey(treeKey: Uint8Array): Uint8Array {
  return concat(STATE, treeKey)
}

/** @param top depth of the page's first node, a multiple of 4: so many bits of the path count */
export function pageKey(path: Uint8Array, top: number): Uint8Array {
  const whole = top >> 3
  const half = top % 8 === 0 ? [] : [path[whole]! & 0xf0]
  return concat(TREE, Uint8Array.of(top >> 2), path.subarray(0, whole), Uint8Array.from(half))
}

export function blockKey(height: bigint): Uint8Array {
  return concat(BLOCK, u64be(height))
}

export function certificateKey(height: bigint): Uint8Array {
  return concat(CERTIFICATE, u64be(height))
}

export function factsKey(height: bigint): Uint8Array {
  return concat(FACTS, u64be(height))
}

export function txKey(hash: Uint8Array): Uint8Array {
  return concat(TX, hash)
}

export function snapshotKey(height: bigint): Uint8Array {
  return concat(SNAPSHOT, u64be(height))
}

export function chunkKey(height: bigint, index: number): Uint8Array {
  return concat(CHUNK, u64be(height), u64be(index))
}

/** The range of all chunks of a snapshot. */
export function chunkRange(height: bigint): KeyRange {
  return { gte: concat(CHUNK, u64be(height)), lt: concat(CHUNK, u64be(height + 1n)) }
}
