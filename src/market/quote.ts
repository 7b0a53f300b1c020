/** A quote is a selection that is not executed: who would be chosen, and what they would be paid. */
import type { Units } from '../base/money.ts'
import { type Candidate, periodUnits, type SelectionPolicy } from './policy.ts'
import { type Selection, selectProviders } from './select.ts'

export interface Quote extends Selection {
  costUnitsPerPeriod: Units
}

/** @throws HoldfastError TOO_FEW_PROVIDERS | BUDGET_EXCEEDED */
export function quoteStorage(
  candidates: readonly Candidate[],
  count: number,
  policy: SelectionPolicy
): Quote {
  const selection = selectProviders(candidates, count, policy)
  return { ...selection, costUnitsPerPeriod: periodUnits(selection.chosen, policy.pieceBytes) }
}
