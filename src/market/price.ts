/**
 * What storage costs: the same arithmetic for a quote, for the escrow of a deal and for the ledger that enforces it.
 */
import { HoldfastError } from '../base/errors.ts'
import { GIB } from '../base/limits.ts'
import { mulDivCeil, type Units } from '../base/money.ts'
import { periodPriceUnits, type Replica } from '../ledger/index.ts'

/** A new deal can take this much before its first top-up. */
const OPENING_BYTES_MIN: number = GIB / 16
/** Room for growth over what the first put needs. */
const OPENING_HEADROOM = 2

/** Price of `bytes` stored by one provider over `periods`. */
export function storageUnits(pricePerGiBPeriod: Units, bytes: number, periods: number): Units {
  return periodPriceUnits(pricePerGiBPeriod, BigInt(bytes)) * BigInt(periods)
}

/** Price of reading `bytes` from one provider. */
export function egressUnits(egressPerGiB: Units, bytes: number): Units {
  return mulDivCeil(egressPerGiB, BigInt(bytes), BigInt(GIB))
}

/** Escrow that a client locks when it opens a deal; what is not earned comes back at its end. */
export function openingEscrowUnits(
  pricePerGiBPeriod: Units,
  bytes: number,
  periods: number
): Units {
  const room = Math.max(OPENING_BYTES_MIN, bytes * OPENING_HEADROOM)
  return storageUnits(pricePerGiBPeriod, room, periods + 1)
}

/**
 * What has to be added to a deal's escrow before the ledger accepts `bytes` under it; 0 when it suffices. Doubles the
 * need, so that a growing deal is topped up a logarithmic number of times.
 * @throws HoldfastError NOT_FOUND when the deal is not on the ledger
 */
export function topUpUnits(replica: Replica, deal: Uint8Array, bytes: bigint): Units {
  const missing = replica.escrowShortfall(deal, bytes)
  if (missing === undefined) throw new HoldfastError('NOT_FOUND', 'the deal is not on the ledger')
  return missing === 0n ? 0n : replica.escrowShortfall(deal, bytes * 2n)!
}
