/**
 * Predicted against simulated loss: `npm run -s sim -- durability [--seed S] [--json]`. Fails when one of the sets is
 * off by more than a factor of two.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { predicted, simulateChurn } from './durability.ts'
import { SETS } from './durability-sets.ts'

export interface ProfileRow {
  profile: string
  /** Stored bytes per byte. */
  overhead: number
  /** Simulated. */
  repairBytesPerLostByte: number
  predictedLossPerYear: number
  simulatedLossPerYear: number
  repairAt: number
  failuresPerYear: number
  losses: number
  objectYears: number
}

export const RATIO_MAX = 2

/** One set, simulated and predicted. */
export function rowOf(set: (typeof SETS)[number], seed: string): ProfileRow {
  const { profile, k, n, repairAt, failuresPerYear } = set
  const result = simulateChurn(set, seed)
  return {
    profile,
    overhead: n / k,
    repairBytesPerLostByte: result.repairBytesPerLostByte,
    predictedLossPerYear: predicted(set).lossPerYear,
    simulatedLossPerYear: result.lossPerYear,
    repairAt,
    failuresPerYear,
    losses: result.losses,
    objectYears: result.objectYears
  }
}

/** Predicted / simulated, or its inverse: 1 is perfect. */
export function errorOf({ predictedLossPerYear, simulatedLossPerYear }: ProfileRow): number {
  const ratio = predictedLossPerYear / simulatedLossPerYear
  return Math.max(ratio, 1 / ratio)
}

const OPTIONS = {
  seed: { type: 'string', default: '1' },
  json: { type: 'boolean', default: false }
} as const

/** True when every set agrees. @param args after the word "durability" */
export function runDurability(args: string[]): boolean {
  const { values } = parseArgs({ args, options: OPTIONS })
  const profiles: ProfileRow[] = []
  for (const [i, set] of SETS.entries()) {
    const row = rowOf(set, `${values.seed}/${i}`)
    profiles.push(row)
    const { profile, predictedLossPerYear: p, simulatedLossPerYear: s, losses } = row
    const text = `predicted ${p.toExponential(2)}, simulated ${s.toExponential(2)} (${losses} losses)`
    const line = `${profile} repaired at ${row.repairAt}: ${text}\n`
    if (!values.json) process.stdout.write(line)
    if (errorOf(row) > RATIO_MAX) process.stderr.write(`off by more than ${RATIO_MAX}: ${line}`)
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ profiles })}\n`)
  return profiles.every(row => errorOf(row) <= RATIO_MAX)
}
