/**
 * The ledger: a deterministic machine over authenticated state, certificates by weighted quorum, and a replica of both.
 */

export { type BeaconKey, beaconKeyFromSecret, isBeaconKey, verifyReveal } from './beacon.ts'
export {
  blockHashOf,
  checkBlock,
  decodeBlock,
  decodeFinalized,
  encodeBlock,
  encodeFinalized,
  FINALIZED_BYTES_MAX,
  makeBlock,
  type Parent,
  type Proposal
} from './block.ts'
export type { BlockListener, BlockResult, TxResult } from './block-result.ts'
export {
  faultsTolerated,
  genesisCertificate,
  makeCertificate,
  quorumOf,
  signVote,
  totalPower,
  verifyCertificate,
  verifyVote
} from './certificate.ts'
export { createDriver } from './consensus/driver.ts'
export type { ConsensusDriver, DriverInit, DriverState } from './consensus/driver-types.ts'
export { MESSAGE_BYTES_MAX } from './consensus/limits.ts'
export type {
  AppendFile,
  ConsensusClock,
  ConsensusNet,
  ConsensusRandom
} from './consensus/ports.ts'
export { TIMEOUTS_DEFAULT } from './consensus/timeouts.ts'
export type { Misbehaviour, Timeouts } from './consensus/types.ts'
export type {
  BlockRequest,
  CheckResult,
  FinalizedBlock,
  FinalizeResult,
  LedgerApp,
  OrderingEngine,
  ProposalRequest,
  QueryResult
} from './engine.ts'
export {
  checkGenesis,
  type Genesis,
  type GenesisAccount,
  genesisHashOf,
  POWER_MAX,
  supplyOfGenesis
} from './genesis.ts'
export { type GenesisJson, genesisToJson, parseGenesis } from './genesis-json.ts'
export {
  GOVERNED_PARAMS,
  type GovernedParam,
  paramChangeOf
} from './governed-params.ts'
export { leaderOf } from './leader.ts'
export {
  createLightClient,
  type LightClient,
  type LightClientInit,
  type LightSource,
  type Update,
  type UpdateInit
} from './light/client.ts'
export { type DoubleFinalize, decodeFork, doubleFinalizers, type Fork } from './light/fork.ts'
export { type GenesisSummary, summaryOf, trustGenesisHash } from './light/genesis-summary.ts'
export {
  decodeProofFile,
  encodeProofFile,
  PROOF_FILE_BYTES_MAX,
  type ProofFile,
  type ProofTrust,
  type VerifiedFile,
  verifyProofFile
} from './light/proof-file.ts'
export { type ProvenRecord, type VerifiedRecord, verifyRecord } from './light/record.ts'
export type { LightServer, ServedRecord } from './light/serve.ts'
export {
  type Checkpoint,
  type Trusted,
  trustCheckpoint,
  trustedOf,
  trustGenesis
} from './light/trust.ts'
export {
  decodeLightBlock,
  encodeLightBlock,
  fromWireProof,
  LIGHT_BLOCK_BYTES_MAX,
  type LightBlock,
  stateProofType,
  toWireProof
} from './light/types.ts'
export {
  CLOCK_DRIFT_MS_DEFAULT,
  type TimeRules,
  TRUSTING_PERIOD_MS_DEFAULT,
  verifyAncestors
} from './light/verify.ts'
export type { ProviderState } from './machine/misses.ts'
export { periodPriceUnits } from './machine/money.ts'
export { OUTCOMES, type Outcome } from './machine/outcomes.ts'
export { Mempool, type MempoolLimits } from './mempool.ts'
export { evidenceOf, type Offence, offenceOf } from './offence.ts'
export {
  checkParams,
  DEAL_PERIODS_MAX,
  defaultParams,
  devnetParams,
  feeOf,
  LEAVES_PER_PROOF_MAX,
  type Params,
  periodAt
} from './params.ts'
export { createReplica, type Head, Replica, type ReplicaInit } from './replica.ts'
export { proposalIdOf } from './rules/governance.ts'
export type { Challenge, ChallengedLeaf } from './rules/proof.ts'
export { signPeerBinding } from './rules/provider.ts'
export { DEAL_LEAVES_MAX } from './rules/revision.ts'
export { signValidatorBinding } from './rules/validator.ts'
export { SNAPSHOT_CHUNK_BYTES_MAX } from './snapshot/chunk.ts'
export type { SnapshotInfo, SnapshotKeeper, SnapshotPolicy } from './snapshot/keeper.ts'
export { type RestoreBase, type RestoreProgress, SnapshotRestore } from './snapshot/restore.ts'
export { type LedgerDb, openLedgerDb } from './state/store.ts'
export { type StateProof, verifyStateProof } from './state/tree-proof.ts'
export {
  buildTx,
  decodeTx,
  signTx,
  type TxBody,
  type TxInit,
  txHash,
  txKindName
} from './transaction.ts'
export {
  type Block,
  type Certificate,
  type Header,
  VOTE_KINDS,
  type Vote,
  type VoteKind
} from './types/block.ts'
export {
  type ChannelOpen,
  type ChannelRedeem,
  type ChannelRef,
  type ChannelTopUp,
  channelIdOf,
  signVoucher,
  type Voucher,
  verifyVoucher
} from './types/channel.ts'
export {
  type DealTerms,
  dealIdOf,
  dealTermsType,
  type Extension,
  extensionType,
  type Revision,
  revisionType,
  signExtension,
  signRevision,
  signTerms,
  verifyExtension,
  verifyRevision,
  verifyTerms
} from './types/deal.ts'
export { chainIdType, isChainId, type NetworkId } from './types/network.ts'
export { type ProofPayload, proofPayloadType } from './types/proof.ts'
export type {
  Account as AccountRecord,
  MaintenanceSpan,
  Totals,
  Validator
} from './types/records.ts'
export {
  asciiList,
  byteList,
  bytes32,
  bytesOf,
  container,
  decodeStrict,
  listOf,
  type Ssz,
  u8,
  u16,
  u32,
  u64
} from './types/ssz.ts'
export type {
  DealExtend,
  DealOpen,
  DealRef,
  DealRevise,
  DealTopUp,
  PeerBinding,
  ProviderMaintenance,
  ProviderRegister,
  SignedTx,
  Transfer,
  Tx,
  TxKindName
} from './types/tx.ts'
export {
  type ParamChange,
  type ProposalRecord,
  type Scheduled,
  UNITS_PER_POWER,
  type ValidatorRecord
} from './types/validator.ts'
export {
  type BondAmount,
  type Evidence,
  type GovPropose,
  type GovVote,
  STATEMENT_PROPOSAL,
  type Statement,
  type ValidatorBinding,
  type ValidatorRef,
  type ValidatorRegister
} from './types/validator-tx.ts'
export type { AccountView, ChannelView, DealState, DealView, ProviderView } from './views.ts'
