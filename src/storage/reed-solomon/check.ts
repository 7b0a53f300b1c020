/** What a caller may pass. Every function throws HoldfastError INVALID_ARGUMENT. */
import { HoldfastError } from '../../base/errors.ts'
import { PIECES_PER_SEGMENT_MAX } from '../../base/limits.ts'
import type { ReedSolomonProfile } from './types.ts'

export function checkProfile({ k, n }: ReedSolomonProfile): void {
  const whole = Number.isInteger(k) && Number.isInteger(n)
  if (!whole || k < 1 || n < k || n > PIECES_PER_SEGMENT_MAX) {
    throw invalid(`k/n must be whole numbers, 1 <= k <= n <= ${PIECES_PER_SEGMENT_MAX}`, { k, n })
  }
}

export function checkShareBytes(shareBytes: number, shareBytesMax: number): void {
  if (!Number.isInteger(shareBytes) || shareBytes < 1 || shareBytes > shareBytesMax) {
    throw invalid(`a share must have 1 to ${shareBytesMax} bytes`, { shareBytes })
  }
}

/** @param foreign the kernel's own memory, which must not be passed to the copying calls */
export function checkShards(
  shards: Uint8Array,
  n: number,
  shareBytes: number,
  foreign: ArrayBufferLike | null
): void {
  checkShareBytes(shareBytes, Math.floor(Number.MAX_SAFE_INTEGER / n))
  if (!(shards instanceof Uint8Array) || shards.length !== n * shareBytes) {
    const bytes = (shards as Uint8Array | undefined)?.length
    throw invalid('the shards must have n * shareBytes bytes', { n, shareBytes, bytes })
  }
  if (shards.buffer === foreign) {
    throw invalid('these shards lie in the arena: use the calls of the arena', {})
  }
}

export function checkShardIndex(index: number, n: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= n) {
    throw invalid('no shard has this index', { index, n })
  }
}

/** @throws INVALID_ARGUMENT, UNRECOVERABLE when fewer than k shards are present */
export function checkPresent(present: readonly boolean[], { k, n }: ReedSolomonProfile): void {
  const flags = Array.isArray(present) && present.length === n
  if (!flags || !present.every(flag => typeof flag === 'boolean')) {
    throw invalid('present must hold one flag per shard', { n })
  }
  const count = present.filter(Boolean).length
  if (count < k) {
    throw new HoldfastError('UNRECOVERABLE', `${k} shares are needed, ${count} are present`, {
      details: { k, n, present: count }
    })
  }
}

function invalid(message: string, details: Record<string, unknown>): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', message, { details })
}
