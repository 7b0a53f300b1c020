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
  /** PeerId of the client that opened the deal: only it may upload under it. */
  clientPeer: string
  /** Newest revision agreed by both; 0 before the first. */
  revision: bigint
  /** Slots of the newest tree, empty ones included: they are part of its shape and so of its root. */
  slots: number
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
  /** Slots of the tree before these changes. */
  slotsBefore: number
}

export interface PlannedRevision {
  number: bigint
  root: Uint8Array
  leaves: bigint
  bytes: bigint
  changes: DealChange[]
  tree: SumTree
}
