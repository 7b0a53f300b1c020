/** Runs the command as a user would: a process of its own, its output collected. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const PROGRAM: string = fileURLToPath(new URL('../../bin/holdfast.ts', import.meta.url))

export interface CliResult {
  code: number | null
  stdout: Buffer
  stderr: string
  /** The last line of stdout as JSON. */
  json: () => unknown
}

export interface CliOptions {
  home: string
  input?: Uint8Array | string
  /** Added to the environment. @default {} */
  env?: Record<string, string>
  /** Called with the process while it runs. */
  during?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>
}

export async function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, ...options.env, HOLDFAST_HOME: options.home }
  })
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.on('error', () => {}) // the command may end before it reads its input
  if (options.during === undefined) child.stdin.end(options.input)
  await options.during?.(signal => void child.kill(signal))
  const [code] = (await once(child, 'close')) as [number | null]
  const stdout = Buffer.concat(out)
  return {
    code,
    stdout,
    stderr: Buffer.concat(err).toString('utf8'),
    json: () => JSON.parse(stdout.toString('utf8').trim().split('\n').at(-1)!) as unknown
  }
}
