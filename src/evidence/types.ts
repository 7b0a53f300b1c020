/** What a bundle of evidence shows once it is verified. Money is in units; all else that counts is a number. */
import type { Units } from '../base/money.ts'

export interface EvidenceReport {
  chainId: string
  /** 32 bytes in hex. */
  genesisHash: string
  /** Everything below is the state after this height. */
  height: number
  period: number
  /** Of the block that carries the state hash: height + 1. */
  headerHash: string
  /** Proposer's clock of that block. */
  timeMs: number
  /**
   * False when what the reader trusts is older than the trusting period: keys of validators of that time may have been
   * stolen since, and the chain of signatures proves no more than that they signed.
   */
  trustIsRecent: boolean
  deals: DealEvidence[]
  object?: ObjectEvidence
}

export interface DealEvidence {
  /** Hex. */
  id: string
  client: string
  provider: string
  /** libp2p identity of the provider, 32 bytes in hex. */
  peerKey: string
  priceUnitsPerGiBPeriod: Units
  escrowUnits: Units
  collateralUnits: Units
  /** Paid to the provider so far. */
  paidUnits: Units
  /** Last period that is proven and paid. */
  endPeriod: number
  closed: boolean
  /** Periods proven since the deal began; those not settled yet as far as the bundle shows them. */
  provenPeriods: number
  missedPeriods: number
  /** Newest period that the provider has proven, over all its deals. */
  lastProvenPeriod?: number
  /** What the deal held, oldest first. */
  contents: ContentsEvidence[]
  /** A newer revision that both sides signed and the ledger does not have yet. */
  promised?: { revision: number; root: string; leaves: number; bytes: number }
  /** Pieces that the bundle shows in their slots. */
  pieces: number
}

/** What a deal held over some periods, and which of these were proven. */
export interface ContentsEvidence {
  revision: number
  /** Hex. */
  root: string
  leaves: number
  bytes: number
  fromPeriod: number
  /** Absent: to the end of the deal, or until it is revised. */
  toPeriod?: number
  provenPeriods: number
}

export interface ObjectEvidence {
  /** CID. */
  repairMap: string
  profile: string
  segments: number
  /** Of all segments. */
  pieces: number
  /** Of these, shown in a deal. */
  heldPieces: number
  /** The fewest pieces shown of any segment: k are needed to restore it. */
  heldPerSegmentMin: number
}
