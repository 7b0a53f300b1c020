/** Records of the state: what the tables of state/tables.ts hold. */

import { VALIDATORS_MAX } from '../../base/limits.ts'
import type { Units } from '../../base/money.ts'
import { bytes32, bytesOf, container, listOf, type Ssz, u8, u32, u64 } from './ssz.ts'

export interface Account {
  balanceUnits: Units
  /** Number of transactions this account has had in blocks: the next one carries it. */
  nonce: bigint
  /** Locked as client of deals. */
  escrowUnits: Units
  /** Locked as provider of deals. */
  collateralUnits: Units
}

export const accountType: Ssz<Account> = container<Account>('Account', {
  balanceUnits: u64,
  nonce: u64,
  escrowUnits: u64,
  collateralUnits: u64
})

/** Running sums over the whole state; their total is the supply. */
export interface Totals {
  balanceUnits: Units
  escrowUnits: Units
  collateralUnits: Units
  /** Bonds of validators. */
  bondUnits: Units
  /** Bonds on their way out. */
  unbondingUnits: Units
  burntUnits: Units
}

export const totalsType: Ssz<Totals> = container<Totals>('Totals', {
  balanceUnits: u64,
  escrowUnits: u64,
  collateralUnits: u64,
  bondUnits: u64,
  unbondingUnits: u64,
  burntUnits: u64
})

export interface ProviderRecord {
  peerKey: Uint8Array
  registeredHeight: bigint
  /** Periods proven so far. */
  provenCount: bigint
  /** Last proven period + 1; 0 before the first proof. */
  provenNext: bigint
  /** Slots ever used: what the tree of leaf counts has room for. */
  slotCount: number
  /** Queue of freed slots: [freedHead, freedTail). */
  freedHead: bigint
  freedTail: bigint
  /** First period of the running stretch in which it holds leaves; 0 while it holds none. */
  dueFrom: bigint
  /** First proven period after the newest gap; 0 when it never missed one. */
  resumedFrom: bigint
  /** Deals that failed because of it. */
  failedDeals: number
}

export const providerType: Ssz<ProviderRecord> = container<ProviderRecord>('Provider', {
  peerKey: bytes32,
  registeredHeight: u64,
  provenCount: u64,
  provenNext: u64,
  slotCount: u32,
  freedHead: u64,
  freedTail: u64,
  dueFrom: u64,
  resumedFrom: u64,
  failedDeals: u32
})

/** Periods [from, to) whose misses do not count. */
export interface MaintenanceSpan {
  from: bigint
  to: bigint
}

/** Declarations that are remembered per provider. */
export const MAINTENANCE_SPANS_MAX = 32

/** Ascending, without overlap. */
export const maintenanceType: Ssz<MaintenanceSpan[]> = listOf(
  container<MaintenanceSpan>('MaintenanceSpan', { from: u64, to: u64 }),
  MAINTENANCE_SPANS_MAX
)

export interface FreedSlot {
  slot: number
  /** The period in which its deal was closed. */
  freedPeriod: bigint
}

export const freedSlotType: Ssz<FreedSlot> = container<FreedSlot>('FreedSlot', {
  slot: u32,
  freedPeriod: u64
})

/** What a deal holds from some period on. */
export interface Contents {
  revision: bigint
  root: Uint8Array
  leaves: bigint
  bytes: bigint
}

const contentsType: Ssz<Contents> = container<Contents>('Contents', {
  revision: u64,
  root: bytes32,
  leaves: u64,
  bytes: u64
})

/** Three versions of a value by period; see machine/versions.ts. */
export interface Versions<T> {
  /** First period at which v2 holds. */
  period: bigint
  /** Up to period - 2. */
  v0: T
  /** At period - 1. */
  v1: T
  /** From period on. */
  v2: T
}

function versionsOf<T>(name: string, type: Ssz<T>): Ssz<Versions<T>> {
  return container<Versions<T>>(name, { period: u64, v0: type, v1: type, v2: type })
}

/** Children of a page of the tree of leaf counts. */
export const PAGE_FANOUT = 16
export const PAGE_BYTES: number = 8 * PAGE_FANOUT

/** Leaves below each child: PAGE_FANOUT times u64, little-endian. */
export type LeafPage = Versions<Uint8Array>

export const leafPageType: Ssz<LeafPage> = versionsOf('LeafPage', bytesOf(PAGE_BYTES))

/** Who gave notice to a deal, as the record says it. */
export const NOTICE_BY = { nobody: 0, client: 1, provider: 2 } as const

export interface DealRecord {
  client: Uint8Array
  provider: Uint8Array
  priceUnitsPerGiBPeriod: Units
  /** Still locked. */
  escrowUnits: Units
  /** Still locked. */
  collateralUnits: Units
  openedPeriod: bigint
  /** First period with leaves; 0 before the first revision that has any. */
  startPeriod: bigint
  endPeriod: bigint
  slot: number
  /** 0 open, 1 closed. */
  closed: number
  /** First period of the running stretch in which the deal has leaves; 0 while it has none. */
  heldFrom: bigint
  /** Who shortened it: one of NOTICE_BY. */
  noticeBy: number
  /** The period in which it failed; 0 when it did not. */
  failedPeriod: bigint
  /** As the parameters were when it was opened. */
  abandonPeriods: number
  bountyPeriods: number
  noticePeriods: number
  compensationPerMille: number
  contents: Versions<Contents>
  /** Periods below this one are settled. */
  settledTo: bigint
  provenPeriods: bigint
  missedPeriods: bigint
  paidUnits: Units
}

export const dealType: Ssz<DealRecord> = container<DealRecord>('Deal', {
  client: bytes32,
  provider: bytes32,
  priceUnitsPerGiBPeriod: u64,
  escrowUnits: u64,
  collateralUnits: u64,
  openedPeriod: u64,
  startPeriod: u64,
  endPeriod: u64,
  slot: u32,
  closed: u8,
  heldFrom: u64,
  noticeBy: u8,
  failedPeriod: u64,
  abandonPeriods: u32,
  bountyPeriods: u32,
  noticePeriods: u32,
  compensationPerMille: u32,
  contents: versionsOf('DealContents', contentsType),
  settledTo: u64,
  provenPeriods: u64,
  missedPeriods: u64,
  paidUnits: u64
})

/** 256 periods of a provider as a bitmap, with the count of all before it. */
export interface ProvenChunk {
  /** First period of the chunk / 256. */
  index: bigint
  countBefore: bigint
  /** 32 bytes; bit p % 256, least significant first. */
  bits: Uint8Array
}

export const provenChunkType: Ssz<ProvenChunk> = container<ProvenChunk>('ProvenChunk', {
  index: u64,
  countBefore: u64,
  bits: bytes32
})

export interface Validator {
  /** 32-byte Ed25519 vote key. */
  publicKey: Uint8Array
  power: bigint
  /** 32-byte account that is credited with fees. */
  account: Uint8Array
  /** 48-byte BLS12-381 G1 key. */
  beaconKey: Uint8Array
}

export const BEACON_KEY_BYTES = 48

const validatorType: Ssz<Validator> = container<Validator>('Validator', {
  publicKey: bytes32,
  power: u64,
  account: bytes32,
  beaconKey: bytesOf(BEACON_KEY_BYTES)
})

export const validatorsType: Ssz<Validator[]> = listOf(validatorType, VALIDATORS_MAX)
