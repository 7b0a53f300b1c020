/**
 * The parameters that validators can change by vote. The others are fixed by genesis: proofs that are under way are
 * counted by them. What decides how a deal ends is kept in the deal, so a vote changes only deals opened after it.
 */
import { type Params, paramsProblem } from './params.ts'
import type { ParamChange } from './types/validator.ts'

/** The index is the number on the wire: append only. */
export const GOVERNED_PARAMS = [
  'blockIntervalMs',
  'feeBaseUnits',
  'feePerKiBUnits',
  'revealEveryHeights',
  'epochHeights',
  'minBondUnits',
  'unbondingHeights',
  'evidenceHeights',
  'downtimeHeights',
  'jailHeights',
  'abandonPeriods',
  'bountyPeriods',
  'noticePeriods',
  'compensationPerMille',
  'maintenancePeriodsMax',
  'maintenanceWindowPeriods',
  'channelSettleHeights'
] as const

export type GovernedParam = (typeof GOVERNED_PARAMS)[number]

/** How a change is written. */
export function paramChangeOf(name: GovernedParam, value: number | bigint): ParamChange {
  return { param: GOVERNED_PARAMS.indexOf(name), value: BigInt(value) }
}

/**
 * The parameters after `changes`, or why they cannot be: none, an unknown or repeated parameter, a value that does not
 * fit the others.
 */
export function changedParams(
  params: Params,
  changes: readonly ParamChange[]
): { params: Params } | { problem: string } {
  if (changes.length === 0) return { problem: 'nothing to change' }
  const values: Partial<Record<GovernedParam, number | bigint>> = {}
  for (const { param, value } of changes) {
    const name = GOVERNED_PARAMS[param]
    if (name === undefined) return { problem: `no parameter ${param} can be changed` }
    if (values[name] !== undefined) return { problem: `${name} is changed twice` }
    values[name] = typeof params[name] === 'bigint' ? value : Number(value)
  }
  const changed = { ...params, ...values } as Params
  const problem = paramsProblem(changed)
  return problem === undefined ? { params: changed } : { problem }
}
