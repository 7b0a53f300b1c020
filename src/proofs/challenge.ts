/**
 * Challenges: which leaves a provider has to show for a period. Everybody who knows the beacon's mix draws the same
 * leaves; nobody knows them before the mix.
 */
import { assert } from '../base/assert.ts'
import { concat, u64be, view } from '../base/bytes.ts'
import { domainHash, sha256 } from '../base/hash.ts'
import { PUBLIC_KEY_BYTES } from '../base/keys.ts'
import { HASH_BYTES } from '../base/limits.ts'

const U64_RANGE = 2n ** 64n

/**
 * Seed of one provider's challenge: domainHash('challenge', mix || period u64be || provider), 32 bytes.
 * @param mix the beacon's 32 bytes for the period
 * @param provider the provider's 32-byte account
 */
export function challengeSeed(mix: Uint8Array, period: bigint, provider: Uint8Array): Uint8Array {
  assert(mix.length === HASH_BYTES, 'the mix has 32 bytes')
  assert(provider.length === PUBLIC_KEY_BYTES, 'a provider is a 32-byte account')
  return domainHash('challenge', mix, u64be(period), provider)
}

/**
 * Draws `count` leaf indexes below `totalLeaves`, uniformly and with replacement. Draw i is the first of the u64be
 * heads of sha256(seed || i u64be || attempt u64be), attempt = 0, 1, …, below the greatest multiple of totalLeaves,
 * modulo totalLeaves.
 * @returns [] when there is nothing to draw from
 */
export function drawLeaves(seed: Uint8Array, count: number, totalLeaves: bigint): bigint[] {
  assert(seed.length === HASH_BYTES, 'the seed has 32 bytes')
  assert(Number.isSafeInteger(count) && count >= 0, 'count is a number of leaves')
  assert(totalLeaves >= 0n && totalLeaves < U64_RANGE, 'totalLeaves fits u64')
  if (totalLeaves === 0n) return []
  const bound = U64_RANGE - (U64_RANGE % totalLeaves)
  return Array.from({ length: count }, (_, i) => drawBelow(seed, i, bound) % totalLeaves)
}

/** Uniform in 0..bound-1; bound is above 2^63, so two attempts are enough on average. */
function drawBelow(seed: Uint8Array, draw: number, bound: bigint): bigint {
  for (let attempt = 0; ; attempt++) {
    const head = view(sha256(concat(seed, u64be(draw), u64be(attempt)))).readBigUInt64BE()
    if (head < bound) return head
  }
}
