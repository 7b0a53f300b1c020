/** How long a view may take. Whole milliseconds, a function of the view alone: nothing within a height resets it. */
import type { Timeouts } from './types.ts'

/** On a local network; 2_000 for leaderMs fits the Internet. */
export const TIMEOUTS_DEFAULT: Timeouts = {
  leaderMs: 300,
  leaderMsMax: 60_000,
  repeatMs: 1_000
}

/** T_leader: half as much again in every view, rounded up, capped. */
export function leaderTimeoutMs({ leaderMs, leaderMsMax }: Timeouts, view: bigint): number {
  let ms = leaderMs
  for (let at = 1n; at < view && ms < leaderMsMax; at++) ms = withHalf(ms)
  return Math.min(ms, leaderMsMax)
}

/** T_view: half as much again as T_leader. */
export function viewTimeoutMs(timeouts: Timeouts, view: bigint): number {
  return withHalf(leaderTimeoutMs(timeouts, view))
}

function withHalf(ms: number): number {
  return ms + ((ms + 1) >> 1)
}
