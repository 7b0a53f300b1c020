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
export {
  createEmbeddedEngine,
  type EmbeddedEngine,
  type EmbeddedEngineInit
} from './embedded-engine.ts'
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
export { leaderOf } from './leader.ts'
export { periodPriceUnits } from './machine/money.ts'
export { OUTCOMES, type Outcome } from './machine/outcomes.ts'
export { Mempool, type MempoolLimits } from './mempool.ts'
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
export type { AccountView, DealState, DealView, ProviderView } from './query.ts'
export {
  type BlockListener,
  type BlockResult,
  createReplica,
  type Head,
  Replica,
  type ReplicaInit,
  type TxResult
} from './replica.ts'
export type { Challenge, ChallengedLeaf } from './rules/proof.ts'
export { signPeerBinding } from './rules/provider.ts'
export { DEAL_LEAVES_MAX } from './rules/revision.ts'
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
  type DealTerms,
  dealIdOf,
  dealTermsType,
  type Revision,
  revisionType,
  signRevision,
  signTerms,
  verifyRevision,
  verifyTerms
} from './types/deal.ts'
export { chainIdType, isChainId, type NetworkId } from './types/network.ts'
export { type ProofPayload, proofPayloadType } from './types/proof.ts'
export type { Totals, Validator } from './types/records.ts'
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
  DealOpen,
  DealRef,
  DealRevise,
  DealTopUp,
  PeerBinding,
  ProviderRegister,
  SignedTx,
  Transfer,
  Tx,
  TxKindName
} from './types/tx.ts'
