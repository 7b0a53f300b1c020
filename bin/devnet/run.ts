/** Runs the nodes of a development network, each as a process of its own, until told to stop. */
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, toHoldfastError } from '../../src/base/errors.ts'
import { isAlive, readEndpoint } from '../../src/node/control/token.ts'
import type { ReadyEvent } from '../daemon-events.ts'
import { type DaemonProcess, spawnDaemon } from '../spawn-daemon.ts'
import type { DevnetNode } from './network.ts'

export interface NodeLine {
  name: string
  home: string
  pid: number
  peerId: string
  roles: string[]
}

export interface RunDevnetInit {
  nodes: readonly DevnetNode[]
  /** Aborted to stop everything. */
  signal: AbortSignal
  onReady: (nodes: NodeLine[]) => void
  note: (text: string) => void
}

interface Running {
  node: DevnetNode
  daemon: DaemonProcess
}

const STOP_TIMEOUT_MS = 15_000
const READY_TIMEOUT_MS = 300_000
const POLL_MS = 50

/** Resolves when all have stopped after the signal. @throws HoldfastError when a node cannot start */
export async function runDevnet(init: RunDevnetInit): Promise<void> {
  const { nodes, signal, onReady, note } = init
  const running: Running[] = []
  let stopping = false
  const launch = async (node: DevnetNode, flags: readonly string[]): Promise<Running> => {
    const daemon = await spawnDaemon({ home: node.home, flags: ['--stop-with-parent', ...flags] })
    const entry = { node, daemon }
    running.push(entry)
    void daemon.ended.then(how => {
      if (!stopping) note(`${node.name} ended: ${how}`)
    })
    return entry
  }
  try {
    onReady(await whileWanted(startAll(nodes, launch), signal))
    await aborted(signal)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    stopping = true
    await stopAll(running, note)
  }
}

type Launch = (node: DevnetNode, flags: readonly string[]) => Promise<Running>

/** The first validator alone, because the others need its address; then everything at once. */
async function startAll(nodes: readonly DevnetNode[], launch: Launch): Promise<NodeLine[]> {
  await Promise.all(nodes.map(({ home }) => untilEnded(home)))
  const [first, ...rest] = nodes
  const validator = await launch(first!, [])
  const addresses = await named(validator, validator.daemon.listening)
  const flags = ['--set', `bootstrap=${addresses.join(',')}`]
  const others = await Promise.all(rest.map(node => launch(node, flags)))
  return Promise.all(
    [validator, ...others].map(async entry => {
      const { pid, peerId, roles }: ReadyEvent = await named(entry, entry.daemon.ready)
      const { name, home } = entry.node
      return { name, home, pid, peerId, roles }
    })
  )
}

/** After a crash of the previous run its nodes may still be stopping. */
async function untilEnded(home: string): Promise<void> {
  const endpoint = await readEndpoint(home).catch(() => undefined)
  if (endpoint === undefined) return
  for (const endMs = Date.now() + STOP_TIMEOUT_MS; isAlive(endpoint.pid); ) {
    if (Date.now() > endMs) return // the node itself says that its home is in use
    await sleep(POLL_MS)
  }
}

/** A failure says which node it is about. */
async function named<T>({ node }: Running, result: Promise<T>): Promise<T> {
  try {
    return await result
  } catch (thrown) {
    const { code, message, hint, details } = toHoldfastError(thrown)
    throw new HoldfastError(code, `${node.name}: ${message}`, {
      details,
      cause: thrown,
      ...(hint === undefined ? {} : { hint })
    })
  }
}

async function whileWanted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = sleep(READY_TIMEOUT_MS, undefined, { signal, ref: false }).then(() => {
    throw new HoldfastError('TIMEOUT', 'the network was not usable in time')
  })
  return Promise.race([work, late])
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

async function stopAll(running: readonly Running[], note: (text: string) => void): Promise<void> {
  for (const { daemon } of running) daemon.kill('SIGTERM')
  const killer = setTimeout(() => {
    note('some nodes do not stop; killing them')
    for (const { daemon } of running) daemon.kill('SIGKILL')
  }, STOP_TIMEOUT_MS)
  await Promise.all(running.map(({ daemon }) => daemon.ended))
  clearTimeout(killer)
}
