/**
 * What a provider asks when its owner leaves the price to the node: between a floor and a ceiling, dearer the fuller
 * the disk and the faster it fills, by small steps. Pure and whole numbers.
 *
 *   pressure = min(1000, utilisation + 4 · demand)                      per mille
 *   target   = floor + (ceiling − floor) · pressure / 1000
 *   next     = the price nearest to the target that is at most 5 % (and at least one unit) away from the last one
 *
 * The next price never falls when utilisation, demand, floor, ceiling or the last price rise. Only bytes that are paid
 * for move it: an enquiry costs nothing, so it counts for nothing.
 */
import { assert } from '../base/assert.ts'
import { UNITS_MAX, type Units } from '../base/money.ts'

/** A step changes the price by at most this share of it. */
export const REPRICE_STEP_PER_MILLE = 50n
/** A disk that fills by a quarter in one step is under as much pressure as a full one. */
const DEMAND_WEIGHT = 4

export interface PriceRange {
  floorUnits: Units
  ceilingUnits: Units
}

export interface Repricing extends PriceRange {
  /** The price asked until now. */
  lastUnits: Units
  /** Bytes held or reserved of 1000 offered. */
  utilisationPerMille: number
  /** Bytes that came since the last step, of 1000 offered. */
  demandPerMille: number
}

/** The next price, within [floor, ceiling] whatever the last one was. */
export function nextPriceUnits(repricing: Repricing): Units {
  const { floorUnits, ceilingUnits, lastUnits } = repricing
  assert(0n <= floorUnits && floorUnits <= ceilingUnits, 'the floor is not above the ceiling')
  assert(ceilingUnits <= UNITS_MAX, 'the ceiling is an amount of money')
  const pressure = BigInt(pressureOf(repricing))
  const target = floorUnits + ((ceilingUnits - floorUnits) * pressure) / 1000n
  const step = larger(1n, (lastUnits * REPRICE_STEP_PER_MILLE) / 1000n)
  const near = clamp(target, larger(0n, lastUnits - step), lastUnits + step)
  return clamp(near, floorUnits, ceilingUnits)
}

function pressureOf({ utilisationPerMille, demandPerMille }: Repricing): number {
  const used = perMille(utilisationPerMille)
  return Math.min(1000, used + DEMAND_WEIGHT * perMille(demandPerMille))
}

/** `part` of 1000 of `whole`, rounded down, 0 to 1000. */
export function perMilleOf(part: number, whole: number): number {
  return whole <= 0 ? 1000 : perMille(Math.floor((part * 1000) / whole))
}

function perMille(value: number): number {
  return Math.min(1000, Math.max(0, Math.floor(value)))
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return value < low ? low : value > high ? high : value
}
