/**
 * Every key of the ledger's database. One letter names the store; what follows sorts. All keys and values are bytes.
 *
 *   s <table> <key>     record of the state
 *   t <depth> <path>    node of the state tree
 *   b <height>          block          c <height>   its certificate
 *   h <height>          its facts      x <hash>     where a transaction ended up
 *   m <name>            "genesis", "head"
 */
import { concat, u64be, utf8 } from '../../base/bytes.ts'

const STATE = utf8('s')
const TREE = utf8('t')
const BLOCK = utf8('b')
const CERTIFICATE = utf8('c')
const FACTS = utf8('h')
const TX = utf8('x')

export const GENESIS_KEY: Uint8Array = utf8('mgenesis')
export const APP_HEAD_KEY: Uint8Array = utf8('mhead')

/** The range of all records, for audits. */
export const STATE_RANGE: { gte: Uint8Array; lt: Uint8Array } = { gte: STATE, lt: TREE }

export function stateKey(record: Uint8Array): Uint8Array {
  return concat(STATE, record)
}

export function treeKey(path: Uint8Array): Uint8Array {
  return concat(TREE, path)
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
