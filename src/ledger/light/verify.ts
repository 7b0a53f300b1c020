/**
 * One step of the light client (CometBFT `spec/light-client`): from a block that is trusted to a later one. The next
 * height needs the set that the trusted header names for it. A later one needs more than a third of the trusted power
 * among its signers, besides the quorum of its own set: then one honest validator of the trusted set has signed it, as
 * long as that set can still be held to account, which the trusting period stands for.
 */
import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import { blockHashOf } from '../block.ts'
import type { Header } from '../types/block.ts'
import { check, checkShape, checkSignatures, overlaps } from './check.ts'
import { type Trusted, trustedOf } from './trust.ts'
import type { LightBlock } from './types.ts'

const DAY_MS = 86_400_000n
const SECOND_MS = 1_000n

/** Below the age at which evidence expires, and that below the unbonding time. */
export const TRUSTING_PERIOD_MS_DEFAULT: bigint = 9n * DAY_MS
/** How far a proposer's clock may be ahead of ours. */
export const CLOCK_DRIFT_MS_DEFAULT: bigint = 10n * SECOND_MS

export interface TimeRules {
  /** Wall clock. */
  nowMs: bigint
  trustingPeriodMs: bigint
  clockDriftMs: bigint
}

/**
 * The block as trusted, or 'too-far' when the trusted set says too little about it and one between is needed.
 * @throws HoldfastError BLOCK_INVALID, TRUST_EXPIRED
 */
export function verifyStep(
  trusted: Trusted,
  block: LightBlock,
  rules: TimeRules
): Trusted | 'too-far' {
  const { header } = block
  checkUnexpired(trusted, rules)
  checkShape(block, trusted.network)
  check(header.height > trusted.height, 'is not above the trusted one')
  check(header.timeMs > trusted.timeMs, 'is not later than the trusted one')
  check(header.timeMs <= rules.nowMs + rules.clockDriftMs, 'is from the future')
  if (header.height === trusted.height + 1n) {
    check(equal(header.parentHash, trusted.blockHash), 'does not follow the trusted one')
    check(
      equal(header.validatorsHash, trusted.nextValidatorsHash),
      'has not the set that was announced'
    )
  } else if (!overlaps(block, trusted.validators)) {
    return 'too-far'
  }
  checkSignatures(block, trusted.network)
  return trustedOf(trusted.network, block)
}

/** @throws HoldfastError TRUST_EXPIRED */
export function checkUnexpired(trusted: Trusted, rules: TimeRules): void {
  if (trusted.timeMs + rules.trustingPeriodMs > rules.nowMs) return
  throw new HoldfastError(
    'TRUST_EXPIRED',
    `height ${trusted.height} was too long ago to be trusted`,
    {
      hint: 'start from a recent checkpoint: height and block hash from somebody you trust'
    }
  )
}

/**
 * Goes down from a trusted block along the hashes of parents: needs no signatures and does not expire.
 * @param headers of the heights right below the trusted one, newest first
 * @throws HoldfastError BLOCK_INVALID naming the first that does not fit
 */
export function verifyAncestors(trusted: Pick<Trusted, 'block'>, headers: readonly Header[]): void {
  let above = trusted.block?.header
  for (const header of headers) {
    check(above !== undefined && header.height === above.height - 1n, 'is not the one below')
    check(equal(blockHashOf(header), above!.parentHash), 'is not the parent of the one above')
    check(header.timeMs < above!.timeMs, 'is later than the one above')
    above = header
  }
}
