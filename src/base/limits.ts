/**
 * Every limit of the system that more than one folder needs, with its unit in the name. Derived ones are asserted
 * below, so that a change which breaks a relation fails at import.
 */
import { assert } from './assert.ts'

export const KIB = 1024
export const MIB: number = 1024 * 1024
export const GIB: number = 1024 * 1024 * 1024

// erasure code
export const PIECES_PER_SEGMENT_MAX = 256
export const SEGMENT_BYTES_MAX: number = 64 * MIB
/**
 * Two segments in flight, expanded n/k times, are most of the client's memory. Measured growth over idle during a put
 * of 1 GiB at 4/10: 320 MiB with segments of 32 MiB, so 16.
 */
export const SEGMENT_BYTES_DEFAULT: number = 16 * MIB
export const SHARE_BYTES_MAX: number = 64 * KIB
export const SHARE_BYTES_MIN: number = 16 * KIB
/** A stripe is one AEAD message: its tag rides in the stripe. */
export const AEAD_TAG_BYTES = 16

// pieces
export const PIECE_BYTES_MAX: number = SEGMENT_BYTES_MAX + SHARE_BYTES_MAX
/** BLAKE3 chunk: the leaf that challenges draw. */
export const LEAF_BYTES = 1024
/** Chunk group: the unit of verified reads, as in bao with 16 KiB groups. */
export const GROUP_BYTES: number = 16 * KIB
export const HASH_BYTES = 32
/** One verified range answer; bounds memory on both sides. */
export const RANGE_BYTES_MAX: number = 1 * MIB

// objects and names
export const PATH_BYTES_MAX = 1024
export const SEGMENTS_PER_OBJECT_MAX = 65_536
export const MANIFEST_BYTES_MAX: number = 64 * MIB

// deals
/** Pieces in one deal: 2^24 leaves of its sum tree. */
export const DEAL_PIECES_MAX: number = 1 << 24
export const DEAL_TREE_DEPTH_MAX = 24
export const REVISION_CHANGES_MAX = 4096

// frames
export const FRAME_BYTES_DEFAULT_MAX: number = 64 * KIB
export const FRAME_BYTES_MAX: number = 4 * MIB

// ledger
export const TX_BYTES_MAX: number = 128 * KIB
export const BLOCK_BYTES_MAX: number = 1 * MIB
export const VALIDATORS_MAX = 100
export const PROOF_LEAVES_MAX = 64

assert(SEGMENT_BYTES_DEFAULT <= SEGMENT_BYTES_MAX, 'default segment within the maximum')
assert(GROUP_BYTES % LEAF_BYTES === 0, 'a group is a whole number of leaves')
assert(SHARE_BYTES_MIN % GROUP_BYTES === 0, 'a full share is a whole number of groups')
assert(2 ** DEAL_TREE_DEPTH_MAX === DEAL_PIECES_MAX, 'the sum tree holds every piece of a deal')
assert(RANGE_BYTES_MAX % SHARE_BYTES_MAX === 0, 'a range answer is a whole number of shares')
assert(TX_BYTES_MAX < BLOCK_BYTES_MAX, 'a transaction fits a block')
