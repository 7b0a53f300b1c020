/** A provider's check of the terms a client proposes: exactly what its current ask promised, nothing else. */
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { Units } from '../base/money.ts'
import type { DealTerms, NetworkId } from '../ledger/index.ts'
import { type Ask, assertAskCurrent } from './ask.ts'

/** A deal must be opened within this many heights of its signature: collateral is not promised for ever. */
const OPEN_WITHIN_HEIGHTS_MAX = 1_000n
/** A period may begin between the client's signature and ours. */
const PERIODS_LAG = 1n

export interface TermsContext {
  network: NetworkId
  /** Our account. */
  account: Uint8Array
  ask: Ask
  height: bigint
  period: bigint
  /** What we can still lock. */
  balanceUnits: Units
}

/** @throws HoldfastError TERMS_REFUSED saying which term does not fit | ASK_EXPIRED | WRONG_NETWORK */
export function assertTermsFit(terms: DealTerms, context: TermsContext): void {
  const { ask, height, period, balanceUnits } = context
  if (terms.chainId !== context.network.chainId) {
    throw new HoldfastError('WRONG_NETWORK', 'the terms belong to another network')
  }
  assertAskCurrent(ask, height)
  const refuse = (reason: string): never => {
    throw new HoldfastError('TERMS_REFUSED', reason)
  }
  if (!equal(terms.provider, context.account)) refuse('the terms name another provider')
  if (terms.priceUnitsPerGiBPeriod < ask.priceUnitsPerGiBPeriod)
    refuse('the price is below the ask')
  if (terms.collateralUnits > ask.collateralUnits) refuse('the collateral is above the ask')
  if (terms.collateralUnits > balanceUnits) refuse('the provider has no collateral left')
  if (terms.endPeriod < period) refuse('the deal would end before it begins')
  if (terms.endPeriod - period > BigInt(ask.dealPeriodsMax))
    refuse('the deal is longer than the ask')
  if (terms.endPeriod - period + PERIODS_LAG < BigInt(ask.dealPeriodsMin))
    refuse('the deal is shorter than the ask')
  if (terms.startHeightMax > height + OPEN_WITHIN_HEIGHTS_MAX)
    refuse('the offer stays open too long')
}
