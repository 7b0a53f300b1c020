/**
 * Native peers: programs in bench/peers that are compiled into a temporary folder where their compiler and library are
 * there, and that answer one line per sample. Whoever is missing something gets a reason instead of a program.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { assert } from '../../src/base/assert.ts'
import type { Sample } from '../types.ts'
import { makeTempFolder } from './temp-folder.ts'

const PEERS = fileURLToPath(new URL('../peers/', import.meta.url))
/** Go fetches a module the first time. */
const BUILD_TIMEOUT_MS = 120_000
const REASON_CHARS_MAX = 200

export interface NativeSource {
  /** Folder in bench/peers, name of the program. */
  name: string
  /** Compiles in the folder of the sources; writes the program `name`. */
  command: readonly [string, ...string[]]
  /** Who is missing, in words, when the compiler is there and fails. */
  needs: string
}

export interface NativeProgram {
  path: string
  remove(): Promise<void>
}

/** The program, or why there is none. */
export async function buildNative(
  source: NativeSource,
  signal: AbortSignal
): Promise<NativeProgram | string> {
  const [compiler, ...args] = source.command
  const folder = await makeTempFolder()
  try {
    await cp(join(PEERS, source.name), folder.path, { recursive: true })
    await promisify(execFile)(compiler, args, {
      cwd: folder.path,
      env: { ...process.env, GOTOOLCHAIN: 'local' },
      timeout: BUILD_TIMEOUT_MS,
      signal
    })
    return { path: join(folder.path, source.name), remove: folder.remove }
  } catch (error) {
    await folder.remove()
    signal.throwIfAborted()
    return reasonOf(error, source)
  }
}

function reasonOf(error: unknown, { command, needs }: NativeSource): string {
  const { code, stderr = '' } = error as { code?: unknown; stderr?: string }
  if (code === 'ENOENT') return `no ${command[0]} on this machine; needs ${needs}`
  const [line = ''] = stderr.split('\n').filter(text => /error|cannot|no such|go:/i.test(text))
  return `needs ${needs}: ${line.trim().slice(0, REASON_CHARS_MAX)}`
}

export interface NativePeer {
  /** What the program runs on this machine: the words after "ready". */
  levels: readonly string[]
  sample(question: string): Promise<Sample>
  stop(): Promise<void>
}

/** Starts the program; it has proven its work when this resolves. @throws Error with what it said when it has not */
export async function startNative(path: string, args: readonly string[]): Promise<NativePeer> {
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const errors: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text))
  child.stdin.on('error', () => {}) // it ended: the next line says so
  const nextLine = async (): Promise<string> => {
    const { done, value } = await lines.next()
    if (done !== true) return value
    throw new Error(`a native peer ended: ${errors.join('').trim()}`)
  }
  try {
    const [ready, ...levels] = (await nextLine()).split(' ')
    assert(ready === 'ready', 'a native peer is ready')
    return {
      levels,
      sample: async question => {
        child.stdin.write(`${question}\n`)
        return sampleOf(await nextLine())
      },
      stop: () => stop(child)
    }
  } catch (error) {
    await stop(child)
    throw error
  }
}

function sampleOf(line: string): Sample {
  const [amount = 0, cpuSeconds = 0, wallSeconds = 0] = line.split(' ').map(Number)
  assert(amount > 0 && cpuSeconds > 0 && wallSeconds > 0, `a sample: ${line}`)
  return { amount, cpuSeconds, wallSeconds }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
