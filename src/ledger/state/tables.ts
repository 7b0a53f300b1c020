/**
 * The typed tables of the state. Tables below INDEX_TABLES_FROM are authenticated by the state tree; the ones above are
 * indexes that follow from them, kept for queries.
 */
import { concat, u64be } from '../../base/bytes.ts'
import { type Params, paramsType } from '../params.ts'
import {
  type Account,
  accountType,
  type DealRecord,
  dealType,
  type FreedSlot,
  freedSlotType,
  type LeafCounts,
  leafCountsType,
  type ProvenChunk,
  type ProviderRecord,
  provenChunkType,
  providerType,
  type Totals,
  totalsType,
  type Validator,
  validatorsType
} from '../types/records.ts'
import { bytes32, type Ssz, u32 } from '../types/ssz.ts'

export interface Table<V> {
  readonly id: number
  readonly type: Ssz<V>
}

function table<V>(id: number, type: Ssz<V>): Table<V> {
  return { id, type }
}

export const INDEX_TABLES_FROM = 0x80

/** By account. */
export const accounts: Table<Account> = table(1, accountType)
/** One record, key ONLY. */
export const totals: Table<Totals> = table(2, totalsType)
/** By account. */
export const providers: Table<ProviderRecord> = table(3, providerType)
/** Account by peer key. */
export const peerKeys: Table<Uint8Array> = table(4, bytes32)
/** By deal id. */
export const deals: Table<DealRecord> = table(5, dealType)
/** Deal id by numbered(provider, slot). */
export const slots: Table<Uint8Array> = table(6, bytes32)
/** Fenwick node by numbered(provider, node). */
export const leafCounts: Table<LeafCounts> = table(7, leafCountsType)
/** By queued(provider, position). */
export const freedSlots: Table<FreedSlot> = table(8, freedSlotType)
/** By numbered(provider, place in the ring). */
export const provenChunks: Table<ProvenChunk> = table(9, provenChunkType)
/** The beacon's mix after the newest block, key ONLY. */
export const mixes: Table<Uint8Array> = table(10, bytes32)
/** The mix that seeds a period, by u64be(period). */
export const periodMixes: Table<Uint8Array> = table(11, bytes32)
/** One record, key ONLY. */
export const validators: Table<Validator[]> = table(12, validatorsType)
/** One record, key ONLY. */
export const paramsTable: Table<Params> = table(13, paramsType)

/** Deal id by numbered(client, i). */
export const clientDeals: Table<Uint8Array> = table(0x80, bytes32)
export const clientDealCounts: Table<number> = table(0x81, u32)
/** Deal id by numbered(provider, i). */
export const providerDeals: Table<Uint8Array> = table(0x82, bytes32)
export const providerDealCounts: Table<number> = table(0x83, u32)

/** Names by which light clients ask for proven records. */
export const AUTHENTICATED_TABLES: ReadonlyMap<string, Table<unknown>> = new Map<
  string,
  Table<unknown>
>([
  ['accounts', accounts],
  ['totals', totals],
  ['providers', providers],
  ['peerKeys', peerKeys],
  ['deals', deals],
  ['slots', slots],
  ['leafCounts', leafCounts],
  ['provenChunks', provenChunks],
  ['mixes', mixes],
  ['periodMixes', periodMixes],
  ['validators', validators],
  ['params', paramsTable]
])

/** Key of a table with one record. */
export const ONLY: Uint8Array = new Uint8Array(0)

export function numbered(account: Uint8Array, number: number): Uint8Array {
  const tail = Buffer.alloc(4)
  tail.writeUInt32BE(number)
  return concat(account, tail)
}

export function queued(account: Uint8Array, position: bigint): Uint8Array {
  return concat(account, u64be(position))
}

/** Key of a record across all tables: table id, then its key. */
export function recordKey(table: Table<unknown>, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + key.length)
  out[0] = table.id
  out.set(key, 1)
  return out
}
