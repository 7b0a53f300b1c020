/**
 * Many seeds, one after the other: `npm run -s sim -- --seeds 200 --from 1 --json`. A failing seed is printed with how
 * to see it: `npm run -s sim -- --seed X --trace`. `npm run -s sim -- durability` runs years of churn instead.
 */
import process from 'node:process'
import { parseArgs } from 'node:util'
import { runDurability } from './durability-run.ts'
import { runSeed, type SeedResult } from './simulation.ts'

export interface Summary {
  seeds: number
  forks: number
  stuck: number
  honestDoubleSigns: number
  honestAccused: number
  byzantineCaught: number
  eventsPerSecond: number
}

/** Every so many seeds one runs twice: its trace has to be the same. */
const REPEAT_EVERY = 50

/**
 * @param onFailure called with what is wrong with a seed
 * @param nowMs for the speed alone
 */
export async function runSeeds(
  { from, seeds }: { from: number; seeds: number },
  onFailure: (seed: number, problems: readonly string[]) => void,
  nowMs: () => number
): Promise<Summary> {
  const summary = {
    seeds,
    forks: 0,
    stuck: 0,
    honestDoubleSigns: 0,
    honestAccused: 0,
    byzantineCaught: 0
  }
  let events = 0
  const startMs = nowMs()
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runSeed(seed)
    summary.forks += result.forks.length
    summary.stuck += result.stuck.length
    summary.honestDoubleSigns += result.doubleSigns.length
    summary.honestAccused += result.accused.length
    summary.byzantineCaught += result.caught
    events += result.events
    const problems = problemsOf(result)
    if (problems.length > 0) onFailure(seed, problems)
    if ((seed - from) % REPEAT_EVERY === 0) {
      const again = await runSeed(seed)
      if (again.traceHash !== result.traceHash) {
        summary.stuck++
        onFailure(seed, ['two runs of this seed differ'])
      }
    }
  }
  const seconds = Math.max(1, nowMs() - startMs) / 1_000
  return { ...summary, eventsPerSecond: Math.round(events / seconds) }
}

export function problemsOf({ forks, doubleSigns, accused, stuck }: SeedResult): string[] {
  return [...forks, ...doubleSigns, ...accused, ...stuck]
}

async function traceOne(seed: number, isTraced: boolean): Promise<boolean> {
  const tracer = (line: string): boolean => process.stdout.write(`${line}\n`)
  const result = await runSeed(seed, isTraced ? { tracer } : {})
  const { scenario, traceHash, heights, events } = result
  process.stderr.write(
    `${JSON.stringify({ seed, ...scenario, powers: scenario.powers.map(String) })}\n`
  )
  process.stderr.write(`${heights} heights, ${events} events, trace ${traceHash}\n`)
  for (const problem of problemsOf(result)) process.stderr.write(`${problem}\n`)
  return problemsOf(result).length === 0
}

const OPTIONS = {
  seeds: { type: 'string', default: '200' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  trace: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false }
} as const

async function main(): Promise<boolean> {
  const [command, ...rest] = process.argv.slice(2)
  if (command === 'durability') return runDurability(rest)
  const { values } = parseArgs({ options: OPTIONS })
  if (values.seed !== undefined) return await traceOne(Number(values.seed), values.trace)
  const onFailure = (seed: number, problems: readonly string[]): void => {
    process.stderr.write(`seed ${seed} fails: ${problems[0]}\n`)
    process.stderr.write(`  npm run -s sim -- --seed ${seed} --trace\n`)
  }
  const range = { from: Number(values.from), seeds: Number(values.seeds) }
  const summary = await runSeeds(range, onFailure, () => performance.now())
  const { forks, stuck, honestDoubleSigns, honestAccused } = summary
  if (values.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
  else
    for (const [name, count] of Object.entries(summary)) process.stdout.write(`${name} ${count}\n`)
  return forks + stuck + honestDoubleSigns + honestAccused === 0
}

if (import.meta.main) process.exitCode = (await main()) ? 0 : 1
