/** The `holdfast` command as a user runs it: a process of its own, its JSON read from stdout. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { decodeJson } from '../../src/node/control/wire.ts'

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))
const PROGRAM = 'bin/holdfast.ts'
const OUTPUT_SHOWN_CHARACTERS = 2_000

/**
 * Starts `holdfast ...args` in its own process group: Ctrl-C reaches the demo only, which stops everything in order.
 */
export function spawnHoldfast(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe']
  })
}

/**
 * Runs `holdfast --home HOME ...args --json` and returns what it printed; money comes back as bigint.
 * @throws Error with the command's own message when it does not exit with 0; the reason of `signal` when aborted
 */
export async function holdfast<T>(
  home: string,
  args: readonly string[],
  signal: AbortSignal
): Promise<T> {
  signal.throwIfAborted()
  const child = spawnHoldfast(['--home', home, ...args, '--json'])
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  try {
    const output = collect(child.stdout!)
    const errors = collect(child.stderr!)
    const [code] = (await once(child, 'close')) as [number | null]
    signal.throwIfAborted()
    if (code !== 0) throw new Error(`holdfast ${args.join(' ')}: exit ${code}\n${tail(errors())}`)
    return decodeJson(output()) as T
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Gathers a stream as text; the function returned gives what has come so far. */
export function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  stream.on('data', chunk => chunks.push(chunk as Buffer))
  return () => Buffer.concat(chunks).toString('utf8')
}

export function tail(text: string): string {
  return text.slice(-OUTPUT_SHOWN_CHARACTERS).trim()
}

/** Fails the demo, loudly: nothing here is taken for granted. */
export function check(condition: boolean, expectation: string): asserts condition {
  if (!condition) throw new Error(`this should hold, and does not: ${expectation}`)
}
