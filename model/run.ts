/**
 * `npm run model`: simulates model/simplex.qnt. Sound instances keep every invariant and meet every witness; every
 * mutant loses agreement; and the real core follows behaviours of the model move by move (replay.ts). Ends with 1 if
 * anything else happens, and leaves the traces that test/model/ replays.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { compactTrace, type ModelState, parseTrace } from './itf.ts'
import { installQuint, type Simulation, simulate, typecheck } from './quint.ts'
import { Divergence, type ReplayOptions, replayTrace } from './replay.ts'

const INVARIANTS = [
  'agreement',
  'neverFinalizedAndNullified',
  'oneNotarizationPerView',
  'finalizedIsNotarized',
  'chainIsJustified',
  'finalizedIsCarried',
  'honestNeverEquivocates',
  'honestProposesOnce',
  'restartIsHarmless'
]
const WITNESSES = ['allDecide', 'decidesCarried', 'decidesAfresh', 'decidesForked']
/** Longest behaviour. */
const STEPS = 45
/** Samples per instance as a share of --samples; bigger ones are slower. */
const SOUND = { four: 1, five: 0.5, weighted: 0.5, seven: 0.5 }
const MUTANTS = [
  'withoutCondition',
  'withoutJustification',
  'withoutWeight',
  'withoutJournal',
  'halfByzantine'
]
/** A mutant is found within tens of samples, the rarest within hundreds. */
const MUTANT_SAMPLES = 5_000
/** What each recorded trace ends in. */
const TRACES = [
  { name: 'carried', instance: 'four', end: 'decidesCarried' },
  { name: 'afresh', instance: 'four', end: 'decidesAfresh' },
  { name: 'forked', instance: 'four', end: 'decidesForked' },
  { name: 'jumping', instance: 'four', end: 'decidesJumping' },
  { name: 'weighted', instance: 'weighted', end: 'decidesForked' },
  { name: 'without-condition', instance: 'withoutCondition', end: 'not(agreement)' },
  { name: 'without-justification', instance: 'withoutJustification', end: 'not(agreement)' }
]
const TRACE_SAMPLES = 5_000
const PROBLEMS_SHOWN_MAX = 5

const REPLAYS: ReplayOptions[] = [{}, { arrival: 'votes' }, { restarts: true }]

const USAGE = `usage: node model/run.ts [--seed S] [--samples N] [--replays N] [--out DIR] [--traces-only]
  --seed S        same seed, same run (default 1)
  --samples N     behaviours of the smallest sound instance (default 300)
  --replays N     behaviours of every sound instance that the core has to follow (default 40)
  --out DIR       where traces go (default: a new folder under the system's temporary one)
  --traces-only   make the traces, check nothing`

class Report {
  readonly failures: string[] = []

  line(instance: string, { quintSeed }: Simulation, result: string, isExpected: boolean): void {
    console.log(`${isExpected ? 'ok  ' : 'FAIL'} ${instance.padEnd(21)} ${quintSeed}  ${result}`)
    if (!isExpected) this.failures.push(instance)
  }
}

async function checkSound(report: Report, seed: string, samples: number): Promise<void> {
  const totals = new Map(WITNESSES.map(name => [name, 0]))
  for (const [instance, share] of Object.entries(SOUND)) {
    const simulation = await simulate({
      instance,
      seed,
      samples: Math.ceil(samples * share),
      steps: STEPS,
      invariants: INVARIANTS,
      witnesses: WITNESSES
    })
    const { isViolated, met, output } = simulation
    for (const [name, count] of met) totals.set(name, totals.get(name)! + count)
    const decided = `${met.get('allDecide') ?? 0} of ${Math.ceil(samples * share)} decide`
    report.line(instance, simulation, isViolated ? 'is violated' : `holds; ${decided}`, !isViolated)
    if (isViolated) console.log(output)
  }
  for (const [name, count] of totals) {
    console.log(`${count > 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(21)} met in ${count} behaviours`)
    if (count === 0) report.failures.push(name)
  }
}

async function checkMutants(report: Report, seed: string): Promise<void> {
  for (const instance of MUTANTS) {
    const invariants = ['agreement']
    const bounds = { samples: MUTANT_SAMPLES, steps: STEPS }
    const simulation = await simulate({ instance, seed, invariants, ...bounds })
    const { isViolated } = simulation
    report.line(
      instance,
      simulation,
      isViolated ? 'forks, as it must' : 'is not caught',
      isViolated
    )
  }
}

async function checkCore(report: Report, seed: string, samples: number): Promise<void> {
  const raw = await mkdtemp(join(tmpdir(), 'holdfast-replay-'))
  for (const instance of Object.keys(SOUND)) {
    const itf = join(raw, `${instance}-{seq}.json`)
    const invariants = ['agreement']
    const bounds = { samples, traces: samples, steps: STEPS, step: 'promptStep' }
    const simulation = await simulate({ instance, seed, invariants, itf, ...bounds })
    const names = (await readdir(raw)).filter(name => name.startsWith(`${instance}-`))
    const problems: string[] = []
    let moves = 0
    for (const name of names) {
      const states = parseTrace(await readFile(join(raw, name), 'utf8'))
      moves += states.length
      problems.push(...problemsOf(states).map(problem => `     ${join(raw, name)}: ${problem}`))
    }
    const result = `the core follows ${names.length} behaviours, ${moves} moves`
    const isExpected = problems.length === 0 && names.length > 0 && !simulation.isViolated
    report.line(instance, simulation, isExpected ? result : 'the core diverges', isExpected)
    if (problems.length > 0) console.log(problems.slice(0, PROBLEMS_SHOWN_MAX).join('\n'))
  }
  if (report.failures.length === 0) await rm(raw, { recursive: true })
}

function problemsOf(states: readonly ModelState[]): string[] {
  return REPLAYS.flatMap(options => {
    try {
      replayTrace(states, options)
      return []
    } catch (error) {
      if (!(error instanceof Divergence)) throw error
      return [`${JSON.stringify(options)} ${error.message}`]
    }
  })
}

async function writeTraces(report: Report, seed: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const raw = await mkdtemp(join(tmpdir(), 'holdfast-itf-'))
  for (const { name, instance, end } of TRACES) {
    const itf = join(raw, `${name}.itf.json`)
    const simulation = await simulate({
      instance,
      seed,
      samples: TRACE_SAMPLES,
      steps: STEPS,
      step: 'promptStep',
      invariants: [`not(${end})`],
      itf
    })
    const { isViolated } = simulation
    report.line(instance, simulation, `trace ${name}${isViolated ? '' : ' not found'}`, isViolated)
    if (!isViolated) continue
    const compact = compactTrace(await readFile(itf, 'utf8'), instance)
    await writeFile(join(folder, `${name}.json`), compact)
  }
  console.log(`traces: ${folder} (as Quint wrote them: ${raw})`)
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      samples: { type: 'string', default: '300' },
      replays: { type: 'string', default: '40' },
      out: { type: 'string' },
      'traces-only': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const [samples, replays] = [countOf(values.samples), countOf(values.replays)]
  const report = new Report()
  const { seed } = values
  console.log(`seed ${seed}, behaviours of at most ${STEPS} steps`)
  await installQuint()
  await typecheck()
  if (!values['traces-only']) {
    await checkSound(report, seed, samples)
    await checkMutants(report, seed)
    await checkCore(report, seed, replays)
  }
  const folder = values.out ?? (await mkdtemp(join(tmpdir(), 'holdfast-model-')))
  await writeTraces(report, seed, folder)
  if (report.failures.length > 0) console.error(`failed: ${report.failures.join(', ')}`)
  return report.failures.length > 0 ? 1 : 0
}

function countOf(text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`${text} is no count`)
  return count
}

process.exitCode = await main()
