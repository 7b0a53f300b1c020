/**
 * A development network of real processes for one file of tests: started by the command, used through the command,
 * watched through the control API. Every wait is for a fact, with a deadline for a machine five times slower.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ErrorJson, messageOf } from '../../src/base/errors.ts'
import { createControlClient } from '../../src/node/control/client.ts'
import { isAlive } from '../../src/node/control/token.ts'
import type { ControlApi } from '../../src/node/control/types.ts'
import { type CliOptions, type CliResult, runCli } from '../bin/run-cli.ts'

export const PROGRAM: string = fileURLToPath(new URL('../../bin/holdfast.ts', import.meta.url))
const READY_MS = 120_000
const UNTIL_MS = 90_000
const POLL_MS = 50

export interface NetworkInit {
  providers: number
  /** For example "2s". */
  period: string
  /** @default 1 */
  validators?: number
  /** Environment of every node. @default {} */
  env?: Record<string, string>
}

export interface NetworkNode {
  readonly name: string
  readonly home: string
  readonly peerId: string
  readonly api: ControlApi
  pid: number
}

type Options = Partial<CliOptions>

export class Network {
  readonly folder: string
  readonly nodes: NetworkNode[] = []
  readonly #env: Record<string, string>
  #process: ChildProcess | undefined
  /** Daemons that were started again by a command of their own. */
  readonly #restarted = new Set<number>()

  private constructor(folder: string, env: Record<string, string>) {
    this.folder = folder
    this.#env = env
  }

  static async start({
    providers,
    period,
    validators = 1,
    env = {}
  }: NetworkInit): Promise<Network> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-e2e-'))
    const network = new Network(folder, env)
    const shape = { providers, validators, period }
    await network.#launch(
      ...Object.entries(shape).flatMap(([key, value]) => [`--${key}`, `${value}`])
    )
    return network
  }

  async #launch(...shape: string[]): Promise<void> {
    const args = [PROGRAM, 'devnet', '--dir', join(this.folder, 'net'), ...shape, '--json']
    const env = { ...process.env, ...this.#env }
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    this.#process = child
    const lines = createInterface({ input: child.stdout! })
    const [line] = await Promise.race([
      once(lines, 'line', { signal: AbortSignal.timeout(READY_MS) }),
      once(child, 'exit').then(([code]) => assert.fail(`the network ended with ${code}`))
    ])
    const { nodes } = JSON.parse(line as string) as { nodes: Omit<NetworkNode, 'api'>[] }
    const withApi = nodes.map(node => {
      return { ...node, api: createControlClient({ home: node.home }) }
    })
    this.nodes.splice(0, this.nodes.length, ...withApi)
  }

  node(name: string): NetworkNode {
    const found = this.nodes.find(node => node.name === name || node.peerId === name)
    assert.ok(found !== undefined, name)
    return found
  }

  get client(): NetworkNode {
    return this.node('client-1')
  }

  get validator(): NetworkNode {
    return this.node('validator-1')
  }

  get validators(): NetworkNode[] {
    return this.nodes.filter(({ name }) => name.startsWith('validator-'))
  }

  get providers(): NetworkNode[] {
    return this.nodes.filter(({ name }) => name.startsWith('provider-'))
  }

  /** Path of a file in the folder of this network. */
  file(name: string): string {
    return join(this.folder, name)
  }

  /** Runs a command with --json in the home of the client, or another one. */
  run(args: readonly string[], options: Options = {}): Promise<CliResult> {
    return runCli([...args, '--json'], { home: this.client.home, ...options })
  }

  /** As `run`; the command has to succeed. */
  async result<T>(args: readonly string[], options: Options = {}): Promise<T> {
    const done = await this.run(args, options)
    assert.equal(done.code, 0, `${args.join(' ')}: ${done.stderr}`)
    return done.json() as T
  }

  /** As `run`; the command has to fail as every command fails, with this code. */
  async failure(
    code: ErrorJson['code'],
    args: readonly string[],
    options: Options = {}
  ): Promise<ErrorJson> {
    return failureOf(await this.run(args, options), code)
  }

  /** Ends the process of a node at once; resolves when it is gone. */
  async kill(node: NetworkNode): Promise<void> {
    process.kill(node.pid, 'SIGKILL')
    await until(`${node.name} has ended`, async () => !isAlive(node.pid))
    this.#restarted.delete(node.pid)
  }

  /** Holds a node still, as a partition or a suspended machine does, while `during` runs. */
  async freeze(node: NetworkNode, during: () => Promise<void>): Promise<void> {
    process.kill(node.pid, 'SIGSTOP')
    try {
      await during()
    } finally {
      process.kill(node.pid, 'SIGCONT')
    }
  }

  /** Starts a node that was killed, as its owner would; resolves when it says that it is usable. */
  async restart(node: NetworkNode): Promise<void> {
    const answers = await Promise.allSettled(this.nodes.map(({ api }) => api.status()))
    const bootstrap = answers.flatMap(answer =>
      answer.status === 'fulfilled' ? answer.value.listen.slice(0, 1) : []
    )
    const args = ['start', '--detach', '--set', `bootstrap=${bootstrap.join(',')}`]
    const options = { home: node.home, env: this.#env }
    const { pid } = await this.result<{ pid: number }>(args, options)
    node.pid = pid
    this.#restarted.add(pid)
  }

  /** A daemon that a test started by itself ends with the network. */
  adopt(pid: number): void {
    this.#restarted.add(pid)
  }

  /** Ends every process at once, as a power cut does, and starts the same network again. */
  async powerCut(): Promise<void> {
    this.#process?.kill('SIGKILL')
    for (const { pid } of this.nodes) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    await until('all have ended', async () => !this.nodes.some(({ pid }) => isAlive(pid)))
    this.#restarted.clear()
    await this.#launch()
  }

  /** Stops every node in order; the homes stay. */
  async stop(): Promise<void> {
    for (const pid of this.#restarted) process.kill(pid, 'SIGTERM')
    const child = this.#process!
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = (await ended) as [number]
    assert.equal(code, 0, 'the network stops in order')
    await until('all have ended', async () => !this.nodes.some(({ pid }) => isAlive(pid)))
    this.#process = undefined
    this.#restarted.clear()
  }

  /** Starts again what was stopped. */
  async resume(): Promise<void> {
    await this.#launch()
  }

  /** Ends what still runs and removes the homes. */
  async dispose(): Promise<void> {
    for (const pid of this.#restarted) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    if (this.#process?.exitCode === null && this.#process.signalCode === null) {
      const ended = once(this.#process, 'exit')
      this.#process.kill('SIGTERM')
      await ended
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Exit 1, a message and a code on stderr, nothing on stdout, no stack trace. */
export function failureOf(done: CliResult, code: ErrorJson['code']): ErrorJson {
  assert.equal(done.code, 1, `${done.stderr}${done.stdout.toString()}`)
  assert.equal(done.stdout.length, 0)
  assert.ok(!/^\s+at .*:\d+:\d+\)?$/m.test(done.stderr), done.stderr)
  const { error } = JSON.parse(done.stderr.trim().split('\n').at(-1)!) as { error: ErrorJson }
  assert.equal(error.code, code, error.message)
  assert.match(done.stderr, /^error: \S/m)
  return error
}

/** Resolves once the condition holds; a look that fails counts as not yet. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  let last = ''
  for (const endMs = Date.now() + UNTIL_MS; Date.now() < endMs; await pause(POLL_MS)) {
    try {
      if (await condition()) return
      last = ''
    } catch (error) {
      last = `: ${messageOf(error)}`
    }
  }
  assert.fail(`never: ${what}${last}`)
}
