/**
 * npm run bench: measures the areas one after the other, prints the rows, and leaves a JSON file and a chart page in
 * bench/results/. Exit code 0, 1 when something failed or --check found a loss, 2 for wrong usage, 130 after Ctrl-C.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../src/base/errors.ts'
import { AREAS } from './areas.ts'
import { type Baseline, bestOf, checkRows, mergedBaseline } from './baseline.ts'
import { chartPage } from './chart.ts'
import { FIT_AREAS, fitOf } from './fit.ts'
import { ROUNDS_MIN } from './harness.ts'
import { HELP, type Options, parseOptions, UsageError } from './options.ts'
import { tableOf } from './report.ts'
import { checkRowName } from './row-name.ts'
import type { Area, Row } from './types.ts'

const BASELINE = fileURLToPath(new URL('baseline.json', import.meta.url))
const RESULTS = fileURLToPath(new URL('results/', import.meta.url))

function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

interface Measured {
  rows: Row[]
  /** Areas that ended without an error. */
  complete: string[]
}

/** An area that fails is reported and left out; the others still run. */
async function measure(
  { areas, sizeBytes }: Pick<Options, 'areas' | 'sizeBytes'>,
  signal: AbortSignal,
  onRow: (row: Row) => void
): Promise<Measured> {
  const measured: Measured = { rows: [], complete: [] }
  for (const area of areas) {
    note(`${area.name}: ${area.about}`)
    try {
      for await (const row of area.run({ rounds: ROUNDS_MIN, sizeBytes, signal, note })) {
        checkRowName(row.name)
        measured.rows.push(row)
        onRow(row)
      }
      measured.complete.push(area.name)
    } catch (error) {
      signal.throwIfAborted()
      note(`${area.name} failed: ${messageOf(error)}`)
      process.exitCode = 1
    }
  }
  return measured
}

async function readBaseline(): Promise<Baseline> {
  return JSON.parse(await readFile(BASELINE, 'utf8')) as Baseline
}

/** A loss is measured a second time before it counts. */
async function check(
  measured: Measured,
  { areas, sizeBytes }: Pick<Options, 'areas' | 'sizeBytes'>,
  signal: AbortSignal
): Promise<void> {
  const baseline = await readBaseline()
  let report = checkRows(measured.rows, baseline, measured.complete)
  if (report.areas.length > 0) {
    note(`\nbelow the baseline, measuring again: ${report.areas.join(', ')}`)
    const suspects = areas.filter(({ name }) => report.areas.includes(name))
    const again = await measure({ areas: suspects, sizeBytes }, signal, () => {})
    report = checkRows(bestOf(measured.rows, again.rows), baseline, measured.complete)
  }
  note('')
  for (const line of [...report.notes, ...report.problems]) note(line)
  if (report.problems.length > 0) process.exitCode = 1
  const verdict = report.problems.length === 0 ? 'no loss' : `${report.problems.length} problems`
  note(`check: ${report.compared} ratios compared with the baseline, ${verdict}`)
}

async function writeResults(rows: readonly Row[], areas: readonly Area[]): Promise<void> {
  const isDefault = areas.every(({ onlyWhenNamed }) => onlyWhenNamed !== true)
  const everything = AREAS.filter(({ onlyWhenNamed }) => onlyWhenNamed !== true).length
  const label =
    isDefault && areas.length === everything ? 'all' : areas.map(({ name }) => name).join('-')
  const [cpu] = cpus()
  const facts = {
    at: new Date().toISOString(),
    node: process.versions.node,
    cpu: cpu?.model ?? 'unknown processor',
    cores: cpus().length
  }
  await mkdir(RESULTS, { recursive: true })
  await writeFile(`${RESULTS}${label}.json`, `${JSON.stringify({ ...facts, rows }, null, 2)}\n`)
  await writeFile(`${RESULTS}${label}.html`, chartPage(rows, facts))
  note(`\nresults: bench/results/${label}.json and ${label}.html`)
}

async function bench(options: Options, signal: AbortSignal): Promise<void> {
  const { json, areas } = options
  const onRow = (row: Row): void => {
    if (json) process.stdout.write(`${JSON.stringify(row)}\n`)
  }
  const measured = await measure(options, signal, onRow)
  const { rows } = measured
  if (!json) process.stdout.write(`\n${tableOf(rows)}\n`)
  await writeResults(rows, areas)
  if (options.fit) {
    const lines = fitOf(rows).join('\n')
    if (json) note(lines)
    else process.stdout.write(`\n${lines}\n`)
  }
  if (options.writeBaseline) {
    const old = await readBaseline().catch(() => ({}))
    const merged = mergedBaseline(old, rows, measured.complete)
    await writeFile(BASELINE, `${JSON.stringify(merged, null, 2)}\n`)
    note('baseline written: bench/baseline.json')
  }
  if (options.check) await check(measured, options, signal)
}

const interrupt = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => interrupt.abort(new Error('interrupted')))
}
try {
  const options = parseOptions(process.argv.slice(2), AREAS, FIT_AREAS)
  if (options.help) {
    const list = AREAS.map(({ name, about }) => `  ${name.padEnd(12)}${about}`)
    process.stdout.write(`${HELP}\n${list.join('\n')}\n`)
  } else {
    await bench(options, interrupt.signal)
  }
} catch (error) {
  note(messageOf(error))
  process.exitCode = interrupt.signal.aborted ? 130 : error instanceof UsageError ? 2 : 1
}
