/** Whether a replica is at the head of its network, as far as the age of its newest block tells. */
import type { Clock } from '../../base/ports.ts'
import type { Replica } from '../../ledger/index.ts'

const INTERVALS_MAX = 4
/** Clocks of validators and of this machine may differ, and blocks take their time under load. */
const TOLERANCE_MS = 5_000

export function isCurrent(replica: Replica, clock: Clock): boolean {
  const ageMs = clock.nowMs() - replica.head().timeMs
  return ageMs < INTERVALS_MAX * replica.params.blockIntervalMs + TOLERANCE_MS
}
