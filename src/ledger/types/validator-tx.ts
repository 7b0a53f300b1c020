/** Payloads of the transactions that make, change and judge validators, and what their keys sign. */
import type { Units } from '../../base/money.ts'
import { REVEAL_BYTES } from './block.ts'
import { chainIdType, type NetworkId } from './network.ts'
import { BEACON_KEY_BYTES } from './records.ts'
import { bytes32, bytesOf, container, type Ssz, u8, u64 } from './ssz.ts'
import { signatureType } from './tx.ts'
import { type ParamChange, paramChangesType } from './validator.ts'

/** What both keys of a validator sign to belong to an account. */
export interface ValidatorBinding extends NetworkId {
  account: Uint8Array
  voteKey: Uint8Array
  beaconKey: Uint8Array
}

export const validatorBindingType: Ssz<ValidatorBinding> = container<ValidatorBinding>(
  'ValidatorBinding',
  {
    chainId: chainIdType,
    genesisHash: bytes32,
    account: bytes32,
    voteKey: bytes32,
    beaconKey: bytesOf(BEACON_KEY_BYTES)
  }
)

export interface ValidatorRegister {
  /** 32-byte Ed25519 key. */
  voteKey: Uint8Array
  /** 64 bytes by the vote key over the ValidatorBinding. */
  voteSignature: Uint8Array
  /** 48-byte BLS12-381 G1 key. */
  beaconKey: Uint8Array
  /** 96 bytes by the beacon key over the ValidatorBinding. */
  beaconProof: Uint8Array
  bondUnits: Units
}

export const validatorRegisterType: Ssz<ValidatorRegister> = container<ValidatorRegister>(
  'ValidatorRegister',
  {
    voteKey: bytes32,
    voteSignature: signatureType,
    beaconKey: bytesOf(BEACON_KEY_BYTES),
    beaconProof: bytesOf(REVEAL_BYTES),
    bondUnits: u64
  }
)

/** Payload of validatorBond and validatorUnbond. */
export interface BondAmount {
  units: Units
}

export const bondAmountType: Ssz<BondAmount> = container<BondAmount>('BondAmount', { units: u64 })

/** Payload of validatorWithdraw and validatorUnjail: whose, so that nothing is empty on the wire. */
export interface ValidatorRef {
  /** 32-byte account that owns the validator. */
  account: Uint8Array
}

export const validatorRefType: Ssz<ValidatorRef> = container<ValidatorRef>('ValidatorRef', {
  account: bytes32
})

/** One signed statement of consensus: what a Vote or a Proposal says beyond network, height and view. */
export interface Statement {
  /** A kind of vote; STATEMENT_PROPOSAL for a proposal. */
  kind: number
  /** 32 bytes; zero for nullify. */
  blockHash: Uint8Array
  /** View whose notarization a proposal carries; 0 for votes. */
  base: bigint
  /** 64 bytes by the vote key. */
  signature: Uint8Array
}

export const STATEMENT_PROPOSAL = 0

const statementType: Ssz<Statement> = container<Statement>('Statement', {
  kind: u8,
  blockHash: bytes32,
  base: u64,
  signature: signatureType
})

/** Two statements of one validator in one view that no correct validator makes both. */
export interface Evidence {
  /** 32-byte vote key. */
  voteKey: Uint8Array
  height: bigint
  view: bigint
  first: Statement
  second: Statement
}

export const evidenceType: Ssz<Evidence> = container<Evidence>('Evidence', {
  voteKey: bytes32,
  height: u64,
  view: u64,
  first: statementType,
  second: statementType
})

export interface GovPropose {
  changes: ParamChange[]
  /** Last height at which it can be voted for. */
  expiryHeight: bigint
}

export const govProposeType: Ssz<GovPropose> = container<GovPropose>('GovPropose', {
  changes: paramChangesType,
  expiryHeight: u64
})

export interface GovVote {
  /** 32-byte account whose open proposal it is. */
  proposer: Uint8Array
  /** 32 bytes: a proposal that took its place has another. */
  proposalId: Uint8Array
}

export const govVoteType: Ssz<GovVote> = container<GovVote>('GovVote', {
  proposer: bytes32,
  proposalId: bytes32
})
