/** What the control API says of audits, repair maps and evidence. */

/** What an audit found at one provider. */
export interface AuditRow {
  /** PeerId; an account's address when the ledger has no provider of it. */
  provider: string
  deals: string[]
  /** Pieces of the object that it holds; of a deal, those that were looked at. */
  pieces: number
  /** Leaves that it showed. */
  leaves: number
  ok: boolean
  /** Why it fails. */
  reason?: string
}

export interface AuditResult {
  kind: 'object' | 'deal'
  /** CID of the repair map, or deal id. */
  id: string
  /** Of the replica when the audit began. */
  height: number
  /** "k/n" of an object. */
  profile?: string
  segments?: number
  ok: boolean
  /** Fraction of its leaves that a provider would have been found to lack. */
  loss: number
  /** Chance to have found that, were more providers short than the object bears (one, of a deal). */
  confidence: number
  /** So many providers short by `loss` each would have to be missed together. */
  providersToLose: number
  leavesPerProvider: number
  leaves: number
  transferredBytes: number
  elapsedMs: number
  /** 32 bytes in hex that all draws follow from. */
  seed: string
  providers: AuditRow[]
}

/** A repair map as it was handed over. */
export interface PublishResult {
  repairMap: string
  bytes: number
  /** Providers that keep it. */
  providers: string[]
  failed: { provider: string; reason: string }[]
}

export interface RepairMapResult {
  repairMap: string
  bytes: number
  profile: string
  segments: {
    pieceBytes: number
    pieces: { index: number; pieceId: string; deal: string; slot: number; provider: string }[]
  }[]
}

export type EvidenceSubject = { deal: string } | { repairMap: string }

export interface EvidenceExport {
  /** The bundle, base64. */
  bundle: string
  bytes: number
  height: number
  genesisHash: string
  /** What a reader has to trust: the genesis hash, or this block when the sets since the genesis are forgotten. */
  checkpoint?: { height: number; blockHash: string }
  deals: number
}
