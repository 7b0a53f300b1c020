/**
 * What a provider needs from its disk: pieces by root, written once, durable before they are acknowledged, checked
 * group by group whenever they are read, kept until their lease ends or somebody removes them. The store does not know
 * what a root is (BLAKE3, src/proofs): the caller has verified the bytes it commits. It does not know the time either:
 * a tick is a whole number that the caller counts (a provider counts ledger heights), and the store hears of it when it
 * is swept. The contract is tested by test/contracts/piece-store.ts.
 */
import type { Pacer } from './piece-log/pacer.ts'

export interface PieceStore extends AsyncDisposable {
  /**
   * Recovers from whatever happened before; once, before anything else.
   * @throws HoldfastError HOME_IN_USE, STORE_READ_ONLY when the disk does not answer or the pieces have vanished
   */
  open(): Promise<void>
  /** Aborts what is still staged. Safe to call twice. */
  close(): Promise<void>
  /**
   * Reserves room for one piece of exactly `bytes` bytes, leased until the tick `leaseEnd`.
   * @param leaseEnd default: no end
   * @throws HoldfastError QUOTA_EXCEEDED, STORE_BUSY when too many bytes are on their way in, STORE_READ_ONLY,
   * INVALID_ARGUMENT unless 1..PIECE_BYTES_MAX
   */
  stage(bytes: number, leaseEnd?: number): Promise<StagedPiece>
  has(root: Uint8Array): Promise<boolean>
  stat(root: Uint8Array): Promise<{ bytes: number } | undefined>
  /** The outboard given at commit. @throws HoldfastError PIECE_NOT_FOUND, PIECE_DAMAGED */
  groupCvs(root: Uint8Array): Promise<Uint8Array>
  /**
   * Reads `groups` groups of 16 KiB from `firstGroup` on and checks each against its checksum. The last group of a
   * piece may be shorter. Bytes that cannot be read come back as zeros, in a damaged group.
   * @throws HoldfastError PIECE_NOT_FOUND, RANGE_INVALID, PIECE_DAMAGED when the disk refuses the file as a whole
   */
  readGroups(root: Uint8Array, firstGroup: number, groups: number): Promise<PieceGroups>
  /**
   * Moves a piece to the trash, where nothing but `keep` finds it; it goes for good when it was there for the store's
   * trash window. Durable once resolved; false if there was no such piece.
   * @throws HoldfastError STORE_READ_ONLY
   */
  remove(root: Uint8Array): Promise<boolean>
  /**
   * Makes the lease of a piece last until `leaseEnd` at least, and takes it out of the trash. Durable once resolved;
   * false if there is no such piece, in the trash neither.
   * @throws HoldfastError STORE_READ_ONLY
   */
  keep(root: Uint8Array, leaseEnd: number): Promise<boolean>
  /**
   * Tells the store the time. Pieces whose leases ended go to the trash (at the latest when the last lease of their
   * group has ended), and pieces whose time in the trash is over go for good. Time that goes back is ignored.
   * @param renew is asked before a lease ends: a later end keeps the piece, undefined lets it go
   * @throws HoldfastError STORE_READ_ONLY
   */
  sweep(tick: number, renew?: LeaseRenewal): Promise<SweepReport>
  /**
   * Reads every piece and checks it, from where the last scrub stopped to the end of this pass.
   * @throws HoldfastError INVALID_ARGUMENT while another runs; the reason of the signal
   */
  scrub(init: ScrubInit): Promise<ScrubProgress>
  /** Of the pass that runs or would go on. */
  scrubProgress(): ScrubProgress
  /** Every piece, ordered by root, as of the first step of the iteration. */
  roots(): AsyncIterable<StoredPiece>
  usage(): PieceUsage
}

/** One piece on its way in. Calls come one after the other; after a failed call the piece is gone, its room free. */
export interface StagedPiece {
  /**
   * Appends; the chunk may be reused once resolved.
   * @throws HoldfastError PIECE_MISMATCH beyond the staged length, QUOTA_EXCEEDED when the disk is full,
   * STORE_READ_ONLY on any other disk trouble, ABORTED after an abort
   */
  write(chunk: Uint8Array): Promise<void>
  /**
   * Makes the piece durable under its root, with an outboard that the store keeps and does not read. Resolves only
   * when bytes, folder and index entry would survive a power cut. A root that is stored already is replaced (the same
   * bytes, so this heals damage) and counted once.
   * @throws HoldfastError PIECE_MISMATCH unless exactly the staged length was written, and as for write
   */
  commit(root: Uint8Array, groupCvs: Uint8Array): Promise<void>
  /** Drops the bytes and frees the room. Does nothing after commit, failure or abort. */
  abort(): Promise<void>
}

export interface PieceGroups {
  readonly bytes: Uint8Array
  /** Indexes within the piece of the groups whose checksum fails, ascending. */
  readonly damaged: number[]
}

export interface StoredPiece {
  /** 32 bytes. */
  readonly root: Uint8Array
  readonly bytes: number
}

export interface PieceUsage {
  /** Bytes of committed pieces. */
  readonly usedBytes: number
  /** Bytes promised to staged pieces. */
  readonly reservedBytes: number
  /** Limit of used, trashed and reserved bytes together. */
  readonly quotaBytes: number
  readonly pieces: number
  /** Bytes of pieces in the trash; they count against the quota. */
  readonly trashBytes: number
  /** Bytes on disk that nothing needs any more and compaction has not given back yet. */
  readonly garbageBytes: number
  /** What the files of the store take, as `du` counts them. */
  readonly diskBytes: number
  /** True after disk trouble: reads go on, nothing more is written. */
  readonly readOnly: boolean
}

export type LeaseRenewal = (root: Uint8Array) => Promise<number | undefined>

export interface SweepReport {
  /** Pieces whose lease had ended. */
  readonly expiredPieces: number
  /** Pieces that are gone for good. */
  readonly purgedPieces: number
}

export interface ScrubInit {
  /** Budget for reading. */
  readonly pacer: Pacer
  /** Called for each damaged piece with the indexes of its damaged groups, ascending. */
  readonly onDamage: (root: Uint8Array, groups: readonly number[]) => void | Promise<void>
  readonly signal?: AbortSignal
}

export interface ScrubProgress {
  /** Piece bytes checked in this pass. */
  readonly checkedBytes: number
  /** Piece bytes stored now. */
  readonly totalBytes: number
  /** Pieces found damaged in this pass. */
  readonly damagedPieces: number
  /** Passes completed, this one included once it has ended. */
  readonly passes: number
}
