/** Who leads a view: a sample weighted by power, the same on every node, unknown before the block below is final. */
import { assert } from '../base/assert.ts'
import { view as bufferOf, u64be } from '../base/bytes.ts'
import { domainHash } from '../base/hash.ts'
import { totalPower } from './certificate.ts'
import type { Validator } from './types/records.ts'

const U64_RANGE = 2n ** 64n

/**
 * Index of the leader of a view (1, 2, …) at a height.
 * @param mix the beacon's mix after the block below, 32 bytes
 */
export function leaderOf(
  validators: readonly Validator[],
  at: { mix: Uint8Array; height: bigint; view: bigint }
): number {
  const power = totalPower(validators)
  assert(power > 0n && power < U64_RANGE, 'powers fit u64')
  const bound = U64_RANGE - (U64_RANGE % power)
  let point = drawBelow(at, bound) % power
  return validators.findIndex(validator => {
    if (point < validator.power) return true
    point -= validator.power
    return false
  })
}

function drawBelow(
  { mix, height, view }: { mix: Uint8Array; height: bigint; view: bigint },
  bound: bigint
): bigint {
  for (let attempt = 0; ; attempt++) {
    const hash = domainHash('ledger/leader/v1', mix, u64be(height), u64be(view), u64be(attempt))
    const draw = bufferOf(hash).readBigUInt64BE()
    if (draw < bound) return draw
  }
}
