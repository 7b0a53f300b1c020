/**
 * Twenty sets of parameters, from two copies to wide codes, eager and lazy, with constant and with random repair times.
 * Failures are ten to a hundred times those of real networks: 100 losses or more each, within seconds.
 */
import type { Churn } from './durability.ts'

type Row = readonly [
  profile: string,
  repairAt: number,
  failuresPerYear: number,
  periodDays: number,
  gracePeriods: number,
  rebuildDays: number,
  years: number
]

const ROWS: readonly Row[] = [
  ['1/2', 1, 0.5, 1, 3, 2, 21],
  ['1/3', 2, 1.5, 1, 3, 2, 63],
  ['1/3', 1, 0.4, 1, 8, 1, 31],
  ['2/4', 3, 1.2, 1, 4, 2, 24],
  ['2/4', 3, 1, 1, 1, 10, 12],
  ['3/6', 5, 2, 1, 4, 2, 30],
  ['3/6', 4, 1.2, 1, 8, 1, 10],
  ['4/8', 7, 3, 1, 8, 1, 11],
  ['4/8', 6, 2, 1, 4, 4, 9],
  ['4/8', 5, 1.2, 7, 1, 2, 6],
  ['3/10', 6, 3.5, 1, 8, 2, 20],
  ['3/10', 4, 1.2, 1, 8, 2, 17],
  ['10/20', 14, 3, 1, 8, 1, 8],
  ['10/20', 12, 1.5, 1, 4, 4, 6],
  ['10/30', 15, 3.5, 1, 8, 2, 14],
  ['10/30', 12, 1.2, 1, 8, 2, 16],
  ['16/32', 20, 2.2, 1, 4, 3, 10],
  ['16/30', 20, 1.6, 1, 8, 4, 8],
  ['29/80', 38, 3.6, 1, 8, 1, 10],
  ['29/65', 36, 2.5, 1, 8, 2, 8]
]

const NODES = 2_000
const OBJECTS = 2_000

export const SETS: readonly (Churn & { profile: string })[] = ROWS.map(row => {
  const [profile, repairAt, failuresPerYear, periodDays, gracePeriods, rebuildDays, years] = row
  const [k, n] = profile.split('/').map(Number) as [number, number]
  const rates = { failuresPerYear, periodDays, gracePeriods, rebuildDays }
  return { profile, k, n, repairAt, ...rates, years, nodes: NODES, objects: OBJECTS }
})
