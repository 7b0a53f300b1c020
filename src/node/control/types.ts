/**
 * What the daemon offers over its control API, and what the CLI prints with --json. Money is a decimal string of units
 * wherever it crosses JSON; here it is bigint and the server converts.
 */
import type { Units } from '../../base/money.ts'
import type {
  AskRow,
  AskUpdate,
  DealRow,
  ProviderStatus,
  QuoteRequest,
  QuoteResult
} from './market-types.ts'

export type * from './market-types.ts'

import type {
  AuditResult,
  EvidenceExport,
  EvidenceSubject,
  PublishResult,
  RepairMapResult
} from './audit-types.ts'
import type {
  LedgerAccount,
  LedgerBlock,
  LedgerProof,
  LedgerStatus,
  LedgerTx,
  ProvenKind,
  ValidatorRow
} from './ledger-types.ts'

export type * from './audit-types.ts'
export type * from './ledger-types.ts'

export interface NodeStatus {
  version: string
  peerId: string
  address: string
  roles: string[]
  listen: string[]
  chainId: string
  height: number
  peers: number
  uptimeMs: number
  pid: number
  /** While the replica begins with a snapshot of the state after `height`. */
  stateSync?: { height: number; chunks: number; chunksTotal: number }
}

export interface PieceRow {
  segment: number
  index: number
  pieceId: string
  provider: string
  deal: string
  bytes: number
}

export interface PutRequest {
  path: string
  /** "k/n". @default the node's configured profile */
  profile?: string
  /** Replace an object already under this path. @default false */
  force?: boolean
  /** Length of the source when it is known; a source of another length fails with SOURCE_CHANGED. */
  bytes?: number
  source: AsyncIterable<Uint8Array>
  onProgress?: (progress: PutProgress) => void
  signal?: AbortSignal
}

export interface PutProgress {
  /** Plaintext bytes whose pieces all have durable receipts. */
  durableBytes: number
  /** Plaintext bytes read so far. */
  readBytes: number
}

export interface PutResult {
  path: string
  bytes: number
  manifest: string
  /** CID of the repair map; none for an object without pieces. */
  repairMap?: string
  profile: string
  segments: number
  pieces: PieceRow[]
}

export interface GetRequest {
  path: string
  /** Inclusive byte positions. @default the whole object */
  range?: { first: number; last: number }
  signal?: AbortSignal
}

/** An opened object: `bytes` is the length of the body that follows. */
export interface GetHandle {
  path: string
  bytes: number
  body: AsyncIterable<Uint8Array>
  /** Who failed while the body was read; complete once the body has ended. */
  failed: () => FailedProvider[]
}

export interface FailedProvider {
  provider: string
  reason: string
}

export interface ListEntry {
  path: string
  bytes: number
  /** ISO 8601. A prefix (folder) in a listing that is not recursive has none. */
  modified?: string
  /** True for a folder in a listing that is not recursive. */
  folder?: boolean
}

export interface StatResult {
  path: string
  bytes: number
  modified: string
  manifest: string
  /** CID of the repair map; null for an object without pieces. */
  repairMap: string | null
  profile: string
  /** Of its durability over a year, to a tenth; see docs/DURABILITY.md. Null for an object inside its manifest. */
  nines: number | null
  pieces: (PieceRow & { state: string })[]
}

export interface Balance {
  address: string
  available: Units
  escrow: Units
  collateral: Units
}

export interface SendResult {
  tx: string
  height: number
  to: string
  units: Units
}

export type ValidatorAction = 'register' | 'bond' | 'unbond' | 'withdraw' | 'unjail'

/** A transaction of ours that took effect. */
export interface TxRow {
  tx: string
  height: number
}

export interface ValidatorStatus {
  address: string
  publicKey: string
  bondUnits: Units
  /** `releaseHeight` is null while the bond still backs power. */
  unbonding: { units: Units; releaseHeight: number | null }[]
  /** In the set that rules now; 0 outside. */
  power: number
  state: 'active' | 'waiting' | 'unbonded' | 'jailed' | 'convicted'
  jailedUntil: number | null
}

/** Values as decimal strings. */
export interface ParamValue {
  name: string
  value: string
}

export interface GovernanceView {
  params: ParamValue[]
  proposals: {
    id: string
    proposer: string
    expiryHeight: number
    changes: ParamValue[]
    votes: string[]
  }[]
  scheduled: { height: number; changes: ParamValue[] }[]
}

export interface PeerRow {
  peerId: string
  addresses: string[]
  roles: string[]
  /** Reputation, 1 to 1000; 0 when this node is no client. */
  score: number
  failures: { at: string; reason: string }[]
  /** What the score is made of; only of providers, and only where this node is a client. */
  reputation?: {
    agePeriods: number
    provenPeriods: number
    missedPeriods: number
    abandonedDeals: number
    served: number
    failed: number
    bytesPerSecond: number
    latencyMs: number
  }
}

/** Implemented by the node, served by control/server.ts, called by control/client.ts. */
export interface ControlApi {
  status(): Promise<NodeStatus>
  /** Resolves once the stop has begun; the process ends afterwards. */
  requestStop(): Promise<void>
  put(request: PutRequest): Promise<PutResult>
  get(request: GetRequest): Promise<GetHandle>
  list(prefix: string, recursive: boolean): Promise<ListEntry[]>
  remove(path: string): Promise<{ path: string; bytes: number }>
  stat(path: string): Promise<StatResult>
  deals(): Promise<DealRow[]>
  quote(request: QuoteRequest): Promise<QuoteResult>
  ask(update?: AskUpdate): Promise<AskRow>
  providerStatus(): Promise<ProviderStatus>
  walletAddress(): Promise<{ address: string }>
  walletBalance(): Promise<Balance>
  walletSend(to: string, units: Units): Promise<SendResult>
  walletPhrase(): Promise<{ phrase: string }>
  ledgerStatus(): Promise<LedgerStatus>
  ledgerBlock(height: number): Promise<LedgerBlock>
  ledgerValidators(): Promise<ValidatorRow[]>
  /** @param hash 64 hex digits */
  ledgerTx(hash: string): Promise<LedgerTx>
  ledgerAccount(address: string): Promise<LedgerAccount>
  /**
   * A file that shows a record to whoever trusts the genesis, or the block of `fromHeight`.
   * @param key an address; a deal id; an address or peer id of a provider
   */
  ledgerProve(kind: ProvenKind, key: string, fromHeight?: number): Promise<LedgerProof>
  validatorStatus(): Promise<ValidatorStatus>
  /** `units` of bond for register, bond and unbond. */
  validatorAct(action: ValidatorAction, units?: Units): Promise<TxRow>
  governance(): Promise<GovernanceView>
  /** @param heights how long it can be voted for. @default 1_000 */
  propose(changes: readonly ParamValue[], heights?: number): Promise<TxRow>
  vote(proposer: string, id: string): Promise<TxRow>
  peers(): Promise<PeerRow[]>
  /** @param subject CID of a repair map, or deal id */
  audit(subject: string): Promise<AuditResult>
  /** @param cid of a repair map */
  repairMap(cid: string): Promise<RepairMapResult>
  /** CIDs of the maps that name a deal, as its provider lists them. */
  repairMaps(deal: string): Promise<string[]>
  /** Hands the map of an object to the providers of its deals again. */
  publishRepairMap(path: string): Promise<PublishResult>
  exportEvidence(subject: EvidenceSubject): Promise<EvidenceExport>
}
