/** What a block does before its transactions: moves the beacon on and, at the start of a period, keeps its seed. */

import { assert } from '../../base/assert.ts'
import { u64be } from '../../base/bytes.ts'
import { nextMix } from '../beacon.ts'
import type { Overlay } from '../state/overlay.ts'
import { mixes, ONLY, periodMixes } from '../state/tables.ts'
import type { BlockContext } from './context.ts'

/** The current period and the one before can be proven; the rest is for auditors. */
export const PERIOD_MIXES_KEPT = 8n

export function mixOf(state: Overlay): Uint8Array {
  const mix = state.get(mixes, ONLY)
  assert(mix !== undefined, 'the mix exists from genesis on')
  return mix
}

/** @param reveal the proposer's, verified, or empty */
export function beginBlock(ctx: BlockContext, reveal: Uint8Array): void {
  const mix = nextMix(mixOf(ctx.state), reveal)
  ctx.state.put(mixes, ONLY, mix)
  if (ctx.height % BigInt(ctx.params.periodHeights) !== 0n) return
  ctx.state.put(periodMixes, u64be(ctx.period), mix)
  if (ctx.period >= PERIOD_MIXES_KEPT) {
    ctx.state.delete(periodMixes, u64be(ctx.period - PERIOD_MIXES_KEPT))
  }
}
