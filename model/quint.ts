/**
 * Runs the Quint simulator. It is installed into this folder when it is needed for the first time, with a lockfile of
 * its own, so that `npm ci` of the package stays as it is (README.md says why).
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const FOLDER = import.meta.dirname
const SPEC = join(FOLDER, 'simplex.qnt')
const CLI = join(FOLDER, 'node_modules/@informalsystems/quint/dist/src/cli.js')

export interface SimulationOptions {
  /** Module of simplex.qnt. */
  instance: string
  /** Of the whole run; every simulation draws a seed of its own from it. */
  seed: string
  samples: number
  steps: number
  invariants: readonly string[]
  /** @default 'step' */
  step?: string
  witnesses?: readonly string[]
  /** Where traces go (Informal Trace Format): the violating one, or as many as `traces` with `{seq}` in the name. */
  itf?: string
  /** @default 1 */
  traces?: number
}

export interface Simulation {
  isViolated: boolean
  /** What Quint needs to find the same again. */
  quintSeed: string
  /** In how many traces each witness was met. */
  met: Map<string, number>
  output: string
}

/** Installs Quint unless it is there. @throws when npm fails */
export async function installQuint(): Promise<void> {
  if (existsSync(CLI)) return
  console.log('installing the Quint simulator into model/node_modules (once)')
  const { code, output } = await run('npm', ['ci', '--prefix', FOLDER, '--ignore-scripts'], FOLDER)
  if (code !== 0) throw new Error(`npm ci in model/ failed\n${output}`)
}

/** Parses and type-checks the model. @throws when it does not pass */
export async function typecheck(): Promise<void> {
  const { code, output } = await quint(['typecheck', SPEC])
  if (code !== 0) throw new Error(`the model does not type-check\n${output}`)
}

/** @throws when Quint stops for another reason than a violated invariant */
export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const { instance, samples, steps, invariants, step = 'step' } = options
  const { witnesses = [], itf, traces = 1 } = options
  const quintSeed = seedOf(options)
  const { code, output } = await quint([
    ...['run', SPEC, '--main', instance, '--step', step, '--seed', quintSeed, '--verbosity', '1'],
    ...['--max-samples', String(samples), '--max-steps', String(steps)],
    ...['--invariants', ...invariants],
    ...(witnesses.length > 0 ? ['--witnesses', ...witnesses] : []),
    ...(itf === undefined ? [] : ['--out-itf', itf, '--n-traces', String(traces)])
  ])
  const isViolated = output.includes('[violation]')
  const isClean = code === 0 && output.includes('[ok]')
  if (isViolated === isClean) throw new Error(`quint stopped with exit code ${code}\n${output}`)
  const lines = output.matchAll(/^(\w+) was witnessed in (\d+) trace/gm)
  const met = new Map(Array.from(lines, ([, name, count]) => [name!, Number(count)]))
  return { isViolated, quintSeed, met, output }
}

/** Far apart: Quint counts up from its seed, so that neighbours give the same traces. */
function seedOf({ instance, seed, invariants }: SimulationOptions): string {
  const hash = createHash('sha256').update([seed, instance, ...invariants].join('/'))
  return `0x${hash.digest('hex').slice(0, 12)}`
}

/** The other backend would be downloaded when it is first used. */
function quint(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const [command, ...rest] = args
  const backend = command === 'run' ? ['--backend', 'typescript'] : []
  return run(process.execPath, [CLI, command!, ...rest, ...backend], FOLDER)
}

function run(
  command: string,
  args: readonly string[],
  cwd: string
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', reject)
    child.on('close', code => resolve({ code, output }))
  })
}
