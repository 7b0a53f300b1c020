/** Limits of consensus messages and memory. */
import { assert } from '../../base/assert.ts'
import { BLOCK_BYTES_MAX, FRAME_BYTES_MAX } from '../../base/limits.ts'
import { certificateType } from '../types/block.ts'

/** Longest encoded message. */
export const MESSAGE_BYTES_MAX: number = FRAME_BYTES_MAX
/** Certificates that a proposal carries: the newest ones; whoever lacks older ones asks. */
export const JUSTIFY_CERTS_MAX = 256
export const HAVE_CERTS_MAX = 256
export const HAVE_VOTES_MAX = 1_024
export const HAVE_PROPOSALS_MAX = 2
export const HAVE_BLOCKS_MAX = 2
/** What an answer to Need weighs at most. */
export const HAVE_BYTES_MAX: number = 3 * BLOCK_BYTES_MAX
export const NEED_BLOCKS_MAX = 4
/** Views below the open one whose certificates can be asked for at once. */
export const NEED_VIEWS_MAX = 256
/** Views below the open one of which single votes are kept; of older ones only certificates and our own votes. */
export const VOTE_VIEWS_KEPT = 64n

assert(
  JUSTIFY_CERTS_MAX * certificateType.maxSize + BLOCK_BYTES_MAX + 1_024 <= MESSAGE_BYTES_MAX,
  'the largest proposal fits a message'
)
assert(HAVE_BYTES_MAX < MESSAGE_BYTES_MAX, 'the largest answer fits a message')
