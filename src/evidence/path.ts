/**
 * The way from what is trusted to a header, for evidence: as the light client's, but for the time. Evidence is read
 * long after it was made, so no block may be older than the trusting period as seen from the next one; whether the
 * start is recent enough for the reader is said apart.
 */
import { HoldfastError } from '../base/errors.ts'
import type { Trusted } from '../ledger/light/trust.ts'
import type { LightBlock } from '../ledger/light/types.ts'
import {
  CLOCK_DRIFT_MS_DEFAULT,
  TRUSTING_PERIOD_MS_DEFAULT,
  verifyStep
} from '../ledger/light/verify.ts'
import { EVIDENCE_BLOCKS_MAX, invalid } from './bundle.ts'

/** Ascending. @throws HoldfastError BLOCK_INVALID, TRUST_EXPIRED, PROOF_INVALID */
export function followBlocks(from: Trusted, blocks: readonly LightBlock[]): Trusted {
  let trusted = from
  for (const block of blocks) {
    const next = step(trusted, block)
    if (next === 'too-far') throw invalid(`leaves out blocks below ${block.header.height}`)
    trusted = next
  }
  return trusted
}

/**
 * The blocks that it takes to come from a trusted one to the target, that one included.
 * @param blockAt undefined for a height that is not known any more
 * @throws HoldfastError NOT_FOUND when a block on the way is not known, or there are more than a bundle takes
 */
export function pathTo(
  from: Trusted,
  target: LightBlock,
  blockAt: (height: bigint) => LightBlock | undefined
): LightBlock[] {
  let trusted = from
  const path: LightBlock[] = []
  const ahead = [target]
  while (ahead.length > 0) {
    const block = ahead.at(-1)!
    const next = isExpired(trusted, block) ? 'too-far' : step(trusted, block)
    if (next !== 'too-far') {
      trusted = next
      path.push(block)
      ahead.pop()
      continue
    }
    const height = (trusted.height + block.header.height) / 2n
    const between = height > trusted.height ? blockAt(height) : undefined
    if (between === undefined || path.length + ahead.length >= EVIDENCE_BLOCKS_MAX) {
      throw new HoldfastError('NOT_FOUND', `no known blocks lead to height ${target.header.height}`)
    }
    ahead.push(between)
  }
  return path
}

function step(trusted: Trusted, block: LightBlock): Trusted | 'too-far' {
  return verifyStep(trusted, block, {
    nowMs: block.header.timeMs,
    trustingPeriodMs: TRUSTING_PERIOD_MS_DEFAULT,
    clockDriftMs: CLOCK_DRIFT_MS_DEFAULT
  })
}

function isExpired(trusted: Trusted, { header }: LightBlock): boolean {
  return trusted.timeMs + TRUSTING_PERIOD_MS_DEFAULT <= header.timeMs
}
