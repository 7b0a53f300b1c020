/** The network of the demo: `holdfast devnet` in a temporary folder, and its end whatever happens. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeLine } from '../../bin/devnet/run.ts'
import { isAlive } from '../../src/node/control/token.ts'
import { check, collect, spawnHoldfast, tail } from './holdfast.ts'

export interface Network {
  readonly nodes: readonly NodeLine[]
  readonly providers: readonly NodeLine[]
  readonly client: NodeLine
}

const READY_TIMEOUT_MS = 120_000
/** `devnet` itself kills what does not stop within 15 seconds. */
const STOP_TIMEOUT_MS = 20_000
const GONE_TIMEOUT_MS = 15_000
const POLL_MS = 50

export class DemoNetwork {
  readonly folder: string
  #devnet: ChildProcess | undefined
  #errors: () => string = () => ''
  #nodes: readonly NodeLine[] = []

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Makes the temporary folder; nothing runs yet. */
  static async create(): Promise<DemoNetwork> {
    return new DemoNetwork(await mkdtemp(join(tmpdir(), 'holdfast-demo-')))
  }

  /** Starts the daemons and resolves when the network can be used. */
  async start(flags: readonly string[], signal: AbortSignal): Promise<Network> {
    const devnet = spawnHoldfast(['devnet', '--dir', join(this.folder, 'net'), ...flags, '--json'])
    this.#devnet = devnet
    this.#errors = collect(devnet.stderr!)
    const { nodes } = await this.#ready(devnet, signal)
    this.#nodes = nodes
    const providers = nodes.filter(({ roles }) => roles.includes('provider'))
    const client = nodes.find(({ roles }) => roles.includes('client'))
    check(client !== undefined, 'the network has a client')
    check(
      nodes.every(({ pid }) => isAlive(pid)) &&
        new Set(nodes.map(({ pid }) => pid)).size === nodes.length,
      'every node is a living process of its own'
    )
    return { nodes, providers, client }
  }

  /** Stops every daemon and removes the folder. @throws Error when something is left, or did not stop in order */
  async end(): Promise<void> {
    try {
      await this.#stop()
    } finally {
      await rm(this.folder, { recursive: true, force: true })
    }
  }

  async #ready(devnet: ChildProcess, signal: AbortSignal): Promise<{ nodes: NodeLine[] }> {
    const line = once(createInterface(devnet.stdout!), 'line', {
      signal: AbortSignal.any([signal, AbortSignal.timeout(READY_TIMEOUT_MS)])
    })
    const ended = once(devnet, 'exit').then(([code]) => {
      throw new Error(`the network ended with exit ${code}\n${tail(this.#errors())}`)
    })
    ended.catch(() => {}) // it ends later anyway
    const [text] = (await Promise.race([line, ended])) as [string]
    return JSON.parse(text) as { nodes: NodeLine[] }
  }

  async #stop(): Promise<void> {
    const devnet = this.#devnet
    if (devnet === undefined) return
    const running = devnet.exitCode === null && devnet.signalCode === null
    if (running) {
      const ended = once(devnet, 'exit')
      devnet.kill('SIGINT')
      const late = sleep(STOP_TIMEOUT_MS, undefined, { ref: false })
      await Promise.race([ended, late])
    }
    const inOrder = devnet.exitCode === 0
    if (!inOrder) devnet.kill('SIGKILL')
    await this.#untilGone()
    check(inOrder, `the network stops in order\n${tail(this.#errors())}`)
  }

  /** Daemons whose parent is gone stop by themselves; one that does not is killed. */
  async #untilGone(): Promise<void> {
    const endMs = performance.now() + GONE_TIMEOUT_MS
    for (const { pid } of this.#nodes) {
      while (isAlive(pid) && performance.now() < endMs) await sleep(POLL_MS)
      if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    }
  }
}
