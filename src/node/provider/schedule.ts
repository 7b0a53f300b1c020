/** When in a period a provider acts. Heights are spread by hash, so that no block is heavy with everybody's duties. */
import { u64be } from '../../base/bytes.ts'
import { domainHash } from '../../base/hash.ts'

/** A number in [0, below) that is this account's own for a period and purpose. */
function offset(purpose: string, account: Uint8Array, period: bigint, below: number): bigint {
  const digest = domainHash(`schedule/${purpose}`, account, u64be(period))
  const draw = new DataView(digest.buffer, digest.byteOffset, 8).getBigUint64(0)
  return draw % BigInt(Math.max(1, below))
}

/** Height from which the proof of a period is sent: within its first half, after the block that seeds it. */
export function proofHeight(account: Uint8Array, period: bigint, periodHeights: number): bigint {
  const first = period * BigInt(periodHeights) + 1n
  return first + offset('proof', account, period, Math.floor(periodHeights / 2))
}

/** Periods after its end in which a deal is proven, settled and closed for the last time; then nobody asks for it. */
const CLOSING_PERIODS = 4n

/** Height until which the pieces of a deal are leased at least: our books remove them before, as a rule. */
export function leaseEndHeight(endPeriod: bigint, periodHeights: number): number {
  return Number((endPeriod + CLOSING_PERIODS) * BigInt(periodHeights))
}

/** Height from which the newest revisions are posted: in the last third, so that the next period counts them. */
export function postHeight(account: Uint8Array, period: bigint, periodHeights: number): bigint {
  const third = Math.floor(periodHeights / 3)
  const first = (period + 1n) * BigInt(periodHeights) - BigInt(Math.max(2, third))
  return first + offset('post', account, period, third - 2)
}
