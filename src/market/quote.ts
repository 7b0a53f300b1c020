/** A quote is a selection that is not executed: who would be chosen, and what they would be paid. */
import type { Units } from '../base/money.ts'
import { storageUnits } from './price.ts'
import { type Candidate, type SelectionPolicy, selectProviders } from './select.ts'

export interface Quote {
  chosen: Candidate[]
  costUnitsPerPeriod: Units
}

/** @throws HoldfastError TOO_FEW_PROVIDERS */
export function quoteStorage(
  candidates: readonly Candidate[],
  count: number,
  policy: SelectionPolicy
): Quote {
  const { chosen } = selectProviders(candidates, count, policy)
  const costUnitsPerPeriod = chosen.reduce(
    (sum, { ask }) => sum + storageUnits(ask.priceUnitsPerGiBPeriod, policy.pieceBytes, 1),
    0n
  )
  return { chosen, costUnitsPerPeriod }
}
