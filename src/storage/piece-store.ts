/**
 * What a provider needs from its disk: pieces by root, written once, durable before they are acknowledged, checked
 * group by group whenever they are read. The store does not know what a root is (BLAKE3, src/proofs): the caller has
 * verified the bytes it commits. The contract is tested by test/contracts/piece-store.ts.
 */

export interface PieceStore extends AsyncDisposable {
  /**
   * Recovers from whatever happened before; once, before anything else.
   * @throws HoldfastError HOME_IN_USE, STORE_READ_ONLY when the disk does not answer or the pieces have vanished
   */
  open(): Promise<void>
  /** Aborts what is still staged. Safe to call twice. */
  close(): Promise<void>
  /**
   * Reserves room for one piece of exactly `bytes` bytes.
   * @throws HoldfastError QUOTA_EXCEEDED, STORE_READ_ONLY, INVALID_ARGUMENT unless 1..PIECE_BYTES_MAX
   */
  stage(bytes: number): Promise<StagedPiece>
  has(root: Uint8Array): Promise<boolean>
  stat(root: Uint8Array): Promise<{ bytes: number } | undefined>
  /** The outboard given at commit. @throws HoldfastError PIECE_NOT_FOUND */
  groupCvs(root: Uint8Array): Promise<Uint8Array>
  /**
   * Reads `groups` groups of 16 KiB from `firstGroup` on and checks each against its checksum. The last group of a
   * piece may be shorter. Bytes that cannot be read come back as zeros, in a damaged group.
   * @throws HoldfastError PIECE_NOT_FOUND, RANGE_INVALID, PIECE_DAMAGED when the disk refuses the file as a whole
   */
  readGroups(root: Uint8Array, firstGroup: number, groups: number): Promise<PieceGroups>
  /** Durable once resolved; false if there was no such piece. @throws HoldfastError STORE_READ_ONLY */
  remove(root: Uint8Array): Promise<boolean>
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
  /** Limit of used and reserved bytes together. */
  readonly quotaBytes: number
  readonly pieces: number
  /** True after disk trouble: reads go on, nothing more is written. */
  readonly readOnly: boolean
}
