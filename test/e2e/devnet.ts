/** A devnet of real processes for a test, driven through the CLI as a person would. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const PROGRAM = join(import.meta.dirname, '../../bin/holdfast.ts')
const READY_MS = 120_000
const UNTIL_MS = 120_000

export interface NodeLine {
  name: string
  home: string
  pid: number
  peerId: string
  roles: string[]
}

export interface CliResult {
  code: number
  out: string
  err: string
}

export interface DevnetInit {
  providers: number
  period: string
  /** More flags of `holdfast devnet`. @default [] */
  flags?: string[]
  env?: Record<string, string>
}

export async function createDevnet(init: DevnetInit): Promise<Devnet> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-e2e-'))
  const net = new Devnet(folder, init)
  await net.start()
  return net
}

export class Devnet {
  readonly folder: string
  readonly #init: DevnetInit
  #process: ChildProcess | undefined
  #nodes: NodeLine[] = []

  constructor(folder: string, init: DevnetInit) {
    this.folder = folder
    this.#init = init
  }

  async start(): Promise<void> {
    const { providers, period, flags = [], env = {} } = this.#init
    const args = ['devnet', '--dir', join(this.folder, 'net'), '--providers', String(providers)]
    const child = spawn(
      process.execPath,
      [PROGRAM, ...args, '--period', period, ...flags, '--json'],
      {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'inherit']
      }
    )
    this.#process = child
    const lines = createInterface({ input: child.stdout! })
    const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(READY_MS) })) as [
      string
    ]
    this.#nodes = (JSON.parse(line) as { nodes: NodeLine[] }).nodes
  }

  async stop(): Promise<number> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? 0
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    const [code] = (await ended) as [number]
    return code
  }

  async restart(): Promise<void> {
    const code = await this.stop()
    if (code !== 0) throw new Error(`devnet ended with ${code}`)
    await this.start()
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.folder, { recursive: true, force: true })
  }

  node(name: string): NodeLine {
    const found = this.#nodes.find(node => node.name === name)
    if (found === undefined) throw new Error(`no node ${name}`)
    return found
  }

  idsOf(providers: readonly number[]): string[] {
    return providers.map(n => this.node(`provider-${n}`).peerId)
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(name: string): Promise<void> {
    const { pid } = this.node(name)
    process.kill(pid, 'SIGKILL')
    for (;;) {
      try {
        process.kill(pid, 0)
      } catch {
        return
      }
      await sleep(20)
    }
  }

  /** Runs a command in a node's home. @default the client's */
  run(args: readonly string[], name = 'client-1'): Promise<CliResult> {
    const { home } = this.node(name)
    const { promise, resolve } = Promise.withResolvers<CliResult>()
    const env = { ...process.env, HOLDFAST_HOME: home }
    execFile(
      process.execPath,
      [PROGRAM, ...args],
      { env, timeout: UNTIL_MS, maxBuffer: 1 << 26 },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err })
    )
    return promise
  }

  /** The JSON of a command that has to succeed. */
  async client(args: readonly string[]): Promise<Record<string, unknown>> {
    const { code, out, err } = await this.run([...args, '--json'])
    if (code !== 0) throw new Error(`holdfast ${args.join(' ')}: exit ${code}\n${err}`)
    return JSON.parse(out) as Record<string, unknown>
  }

  /** Repeats a query until its answer is as wanted. */
  async until(args: readonly string[], wanted: (answer: unknown) => boolean): Promise<unknown> {
    for (const end = performance.now() + UNTIL_MS; ; await sleep(500)) {
      const answer = await this.client(args)
      if (wanted(answer)) return answer
      if (performance.now() > end) throw new Error(`never as wanted: ${JSON.stringify(answer)}`)
    }
  }
}
