/** Records of the validators: who is bonded, which sets rule, who was absent, who was slashed, what was proposed. */
import { VALIDATORS_MAX } from '../../base/limits.ts'
import { UNITS_PER_TOKEN, type Units } from '../../base/money.ts'
import { BEACON_KEY_BYTES } from './records.ts'
import { bytes32, bytesOf, container, listOf, type Ssz, u8, u32, u64 } from './ssz.ts'

/** One unit of power is one whole token of bond; the rest of a bond carries no power. */
export const UNITS_PER_POWER: Units = UNITS_PER_TOKEN
/** Accounts that can be drawn into the set; bounds the work of an epoch's end. */
export const ROSTER_MAX = 256
/** Withdrawals of one validator that wait at the same time. */
export const UNBONDINGS_MAX = 8
/** Sets that are kept for evidence and certificates. */
export const SETS_KEPT_MAX = 1_024
/** Slashes that are remembered for the share slashed in the evidence window. */
export const SLASHES_KEPT_MAX = 256
export const PARAM_CHANGES_MAX = 8
/** Accepted changes that wait for their epoch. */
export const SCHEDULED_MAX = 16

/** Bond on its way out: still slashed like the bond. */
export interface Unbonding {
  units: Units
  /** First height at which it can be withdrawn; 0 while the validator still has power that it backs. */
  releaseHeight: bigint
}

/** One validator, by the account that owns it. Keys never change. */
export interface ValidatorRecord {
  /** 32-byte Ed25519 vote key. */
  voteKey: Uint8Array
  /** 48-byte BLS12-381 G1 key. */
  beaconKey: Uint8Array
  bondUnits: Units
  unbonding: Unbonding[]
  /** In the roster: bonded, not jailed, not convicted. */
  rostered: number
  /** First height at which it can be unjailed; 0 when it is not jailed. */
  jailedUntil: bigint
  /** Height of its conviction; 0 when there is none. It ends the validator. */
  tombstonedHeight: bigint
}

const unbondingType: Ssz<Unbonding> = container<Unbonding>('Unbonding', {
  units: u64,
  releaseHeight: u64
})

export const validatorRecordType: Ssz<ValidatorRecord> = container<ValidatorRecord>(
  'ValidatorRecord',
  {
    voteKey: bytes32,
    beaconKey: bytesOf(BEACON_KEY_BYTES),
    bondUnits: u64,
    unbonding: listOf(unbondingType, UNBONDINGS_MAX),
    rostered: u8,
    jailedUntil: u64,
    tombstonedHeight: u64
  }
)

/** Accounts in the roster, in the order of their entry. */
export const rosterType: Ssz<Uint8Array[]> = listOf(bytes32, ROSTER_MAX)

/** A set rules from its height to the one before the next entry's. */
export interface SetEntry {
  fromHeight: bigint
  /** hash_tree_root of the set: `validatorsHash` of those headers. */
  validatorsHash: Uint8Array
}

/** Ascending by height; the sets themselves are in the table validatorSets. */
export const setHistoryType: Ssz<SetEntry[]> = listOf(
  container<SetEntry>('SetEntry', { fromHeight: u64, validatorsHash: bytes32 }),
  SETS_KEPT_MAX
)

export interface Absence {
  /** Account of the validator. */
  account: Uint8Array
  /** Certificates of the window that it did not sign. */
  missed: number
}

/** Those of the set that missed any in the running window. */
export const absencesType: Ssz<Absence[]> = listOf(
  container<Absence>('Absence', { account: bytes32, missed: u32 }),
  VALIDATORS_MAX
)

export interface Slash {
  height: bigint
  /** Its share of the power of the set it sinned against, in billionths, rounded up. */
  sharePpb: bigint
}

export const slashesType: Ssz<Slash[]> = listOf(
  container<Slash>('Slash', { height: u64, sharePpb: u64 }),
  SLASHES_KEPT_MAX
)

/** What a conviction came to, by the hash of its evidence. */
export interface Conviction {
  /** Account of the convict. */
  validator: Uint8Array
  /** Height at which it happened. */
  offenceHeight: bigint
  /** Height of the block with the evidence. */
  height: bigint
  slashedUnits: Units
  rewardUnits: Units
}

export const convictionType: Ssz<Conviction> = container<Conviction>('Conviction', {
  validator: bytes32,
  offenceHeight: u64,
  height: u64,
  slashedUnits: u64,
  rewardUnits: u64
})

export interface ParamChange {
  /** Index into `GOVERNED_PARAMS` of governed-params.ts. */
  param: number
  value: bigint
}

export const paramChangesType: Ssz<ParamChange[]> = listOf(
  container<ParamChange>('ParamChange', { param: u8, value: u64 }),
  PARAM_CHANGES_MAX
)

/** The open proposal of a validator, by its account. */
export interface ProposalRecord {
  /** 32 bytes. */
  id: Uint8Array
  /** Last height at which it can be voted for. */
  expiryHeight: bigint
  changes: ParamChange[]
  /** Accounts of the validators in the set that are for it. */
  votes: Uint8Array[]
}

export const proposalRecordType: Ssz<ProposalRecord> = container<ProposalRecord>('ProposalRecord', {
  id: bytes32,
  expiryHeight: u64,
  changes: paramChangesType,
  votes: listOf(bytes32, VALIDATORS_MAX)
})

/** Accepted changes, applied at the end of the first epoch from `height` on. */
export interface Scheduled {
  height: bigint
  changes: ParamChange[]
}

export const scheduledType: Ssz<Scheduled[]> = listOf(
  container<Scheduled>('Scheduled', { height: u64, changes: paramChangesType }),
  SCHEDULED_MAX
)
