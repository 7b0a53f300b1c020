/**
 * The typed tables of the state. All are authenticated by the state tree, lists of deals included: their order cannot
 * be told from the deals, and a light client can be sure that it was shown all deals of an account.
 */
import { assert } from '../../base/assert.ts'
import { concat, u64be } from '../../base/bytes.ts'
import { KIB } from '../../base/limits.ts'
import { type Params, paramsType } from '../params.ts'
import { type ChannelRecord, channelType } from '../types/channel.ts'
import {
  type Account,
  accountType,
  type DealRecord,
  dealType,
  type FreedSlot,
  freedSlotType,
  type LeafPage,
  leafPageType,
  type MaintenanceSpan,
  maintenanceType,
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
import {
  type Absence,
  absencesType,
  type Conviction,
  convictionType,
  type ProposalRecord,
  proposalRecordType,
  rosterType,
  type Scheduled,
  type SetEntry,
  type Slash,
  scheduledType,
  setHistoryType,
  slashesType,
  type ValidatorRecord,
  validatorRecordType
} from '../types/validator.ts'

export interface Table<V> {
  readonly id: number
  readonly type: Ssz<V>
}

/** Longest value of a record: bounds a chunk of a snapshot. */
export const RECORD_VALUE_BYTES_MAX: number = 64 * KIB
/** Table id and key. */
export const RECORD_KEY_BYTES_MAX = 64

function table<V>(id: number, type: Ssz<V>): Table<V> {
  assert(type.maxSize <= RECORD_VALUE_BYTES_MAX, 'a record fits a chunk of a snapshot')
  return { id, type }
}

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
/** Page of the tree of leaf-tree.ts by numbered(provider, page). */
export const leafPages: Table<LeafPage> = table(7, leafPageType)
/** By queued(provider, position). */
export const freedSlots: Table<FreedSlot> = table(8, freedSlotType)
/** By numbered(provider, place in the ring). */
export const provenChunks: Table<ProvenChunk> = table(9, provenChunkType)
/** The beacon's mix after the newest block, key ONLY. */
export const mixes: Table<Uint8Array> = table(10, bytes32)
/** The mix that seeds a period, by u64be(period). */
export const periodMixes: Table<Uint8Array> = table(11, bytes32)
/** The set that decides the next height, key ONLY. */
export const validators: Table<Validator[]> = table(12, validatorsType)
/** Those of the next height, key ONLY. */
export const paramsTable: Table<Params> = table(13, paramsType)
/** The set of the height after the next, key ONLY. */
export const nextValidators: Table<Validator[]> = table(14, validatorsType)
/** The set of the newest height, key ONLY. */
export const lastValidators: Table<Validator[]> = table(15, validatorsType)
/** Sets as far back as evidence reaches, by u64be(first height). */
export const validatorSets: Table<Validator[]> = table(16, validatorsType)
/** One record, key ONLY. */
export const setHistory: Table<SetEntry[]> = table(17, setHistoryType)
/** By account. */
export const validatorRecords: Table<ValidatorRecord> = table(18, validatorRecordType)
/** Account by vote key. */
export const voteKeys: Table<Uint8Array> = table(19, bytes32)
/** Account by beacon key. */
export const beaconKeys: Table<Uint8Array> = table(20, bytes32)
/** One record, key ONLY. */
export const roster: Table<Uint8Array[]> = table(21, rosterType)
/** One record, key ONLY. */
export const absences: Table<Absence[]> = table(22, absencesType)
/** One record, key ONLY. */
export const slashes: Table<Slash[]> = table(23, slashesType)
/** By hash of the evidence. */
export const convictions: Table<Conviction> = table(24, convictionType)
/** By account of the proposer. */
export const proposals: Table<ProposalRecord> = table(25, proposalRecordType)
/** One record, key ONLY. */
export const scheduled: Table<Scheduled[]> = table(26, scheduledType)
/** By account of the provider. */
export const maintenances: Table<MaintenanceSpan[]> = table(27, maintenanceType)
/** By channel id. */
export const channels: Table<ChannelRecord> = table(28, channelType)

/** Deal id by numbered(client, i). */
export const clientDeals: Table<Uint8Array> = table(0x80, bytes32)
export const clientDealCounts: Table<number> = table(0x81, u32)
/** Deal id by numbered(provider, i). */
export const providerDeals: Table<Uint8Array> = table(0x82, bytes32)
export const providerDealCounts: Table<number> = table(0x83, u32)
/** Id of an open channel by numbered(payer, i). */
export const payerChannels: Table<Uint8Array> = table(0x84, bytes32)
export const payerChannelCounts: Table<number> = table(0x85, u32)

/** Names by which light clients ask for proven records: every table. */
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
  ['leafPages', leafPages],
  ['freedSlots', freedSlots],
  ['provenChunks', provenChunks],
  ['mixes', mixes],
  ['periodMixes', periodMixes],
  ['validators', validators],
  ['params', paramsTable],
  ['nextValidators', nextValidators],
  ['lastValidators', lastValidators],
  ['validatorSets', validatorSets],
  ['setHistory', setHistory],
  ['validatorRecords', validatorRecords],
  ['voteKeys', voteKeys],
  ['beaconKeys', beaconKeys],
  ['roster', roster],
  ['absences', absences],
  ['slashes', slashes],
  ['convictions', convictions],
  ['proposals', proposals],
  ['scheduled', scheduled],
  ['maintenances', maintenances],
  ['channels', channels],
  ['clientDeals', clientDeals],
  ['clientDealCounts', clientDealCounts],
  ['providerDeals', providerDeals],
  ['providerDealCounts', providerDealCounts],
  ['payerChannels', payerChannels],
  ['payerChannelCounts', payerChannelCounts]
])

/** Key of a table with one record. */
export const ONLY: Uint8Array = new Uint8Array(0)

export function numbered(account: Uint8Array, number: number): Uint8Array {
  const tail = new Uint8Array(4)
  new DataView(tail.buffer).setUint32(0, number)
  return concat(account, tail)
}

export function queued(account: Uint8Array, position: bigint): Uint8Array {
  return concat(account, u64be(position))
}

/** Key of a record across all tables: table id, then its key. */
export function recordKey(table: Table<unknown>, key: Uint8Array): Uint8Array {
  assert(key.length < RECORD_KEY_BYTES_MAX, 'keys of records are short')
  const out = new Uint8Array(1 + key.length)
  out[0] = table.id
  out.set(key, 1)
  return out
}
