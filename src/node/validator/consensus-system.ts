/** The real clock and randomness behind the ports of the consensus driver. */
import { randomInt } from 'node:crypto'
import type { ConsensusClock, ConsensusRandom } from '../../ledger/index.ts'
import { systemClock } from '../system.ts'

export const consensusClock: ConsensusClock = {
  nowMs: systemClock.nowMs,
  setTimer: (afterMs, fire) => {
    const timer = setTimeout(fire, afterMs)
    return () => clearTimeout(timer)
  }
}

export const consensusRandom: ConsensusRandom = { below: bound => randomInt(bound) }
