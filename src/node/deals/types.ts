import type { SumTree } from '../../proofs/index.ts'

export interface PieceEntry {
  /** 32-byte piece root. */
  root: Uint8Array
  bytes: number
}

/** One slot of a deal before and after a revision; absent = empty. */
export interface DealChange {
  slot: number
  before?: PieceEntry
  after?: PieceEntry
}

export interface DealHead {
  /** SSZ of the signed terms. */
  terms: Uint8Array
  clientSignature: Uint8Array
  providerSignature: Uint8Array
  /** Newest revision agreed by both; 0 before the first. */
  revision: bigint
  /** Changes of revisions up to this one were forgotten. */
  prunedTo: bigint
}

/** A revision with both signatures, and what it changed. */
export interface RevisionLog {
  /** SSZ of the revision. */
  revision: Uint8Array
  clientSignature: Uint8Array
  providerSignature: Uint8Array
  changes: DealChange[]
}

export interface PlannedRevision {
  number: bigint
  root: Uint8Array
  leaves: bigint
  bytes: bigint
  changes: DealChange[]
  tree: SumTree
}
