/** A real development network: the CLI's own devnet command in a temporary folder, every node its own process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { assert } from '../../src/base/assert.ts'
import { createControlClient } from '../../src/node/control/client.ts'
import type { ControlApi } from '../../src/node/control/types.ts'
import { cpuMicrosOf } from './process-facts.ts'
import { makeTempFolder } from './temp-folder.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/holdfast.ts', import.meta.url))
const READY_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 30_000
const POLL_MS = 100
/** Long enough that few proofs fall into a measurement. */
const PERIOD = '30s'

interface Node {
  name: string
  home: string
  pid: number
  roles: string[]
}

export interface BenchDevnet {
  client: Node
  api: ControlApi
  /** CPU time of all nodes so far, in microseconds. */
  cpuMicros(): Promise<number>
  stop(): Promise<void>
}

/** @throws Error with the end of the network's log when it does not get ready */
export async function startDevnet(
  providers: number,
  signal: AbortSignal,
  validators = 1
): Promise<BenchDevnet> {
  const folder = await makeTempFolder()
  const [outPath, logPath] = [join(folder.path, 'out'), join(folder.path, 'log')]
  const [out, log] = [await open(outPath, 'w'), await open(logPath, 'w')]
  const dir = join(folder.path, 'net')
  const counts = ['--providers', String(providers), '--validators', String(validators)]
  const flags = ['--dir', dir, ...counts, '--period', PERIOD, '--json']
  // A process group of its own: Ctrl-C reaches the bench, which then stops the network in order.
  const child = spawn(process.execPath, [PROGRAM, 'devnet', ...flags], {
    detached: true,
    stdio: ['ignore', out.fd, log.fd]
  })
  await Promise.all([out.close(), log.close()])
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.kill('SIGINT')
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await exited
      clearTimeout(killer)
    }
    await folder.remove()
  }
  try {
    const nodes = await untilReady(outPath, () => child.exitCode !== null, signal)
    const client = nodes.find(({ roles }) => roles.includes('client'))
    assert(client !== undefined, 'the devnet has a client')
    const pids = nodes.map(({ pid }) => pid)
    return {
      client,
      api: createControlClient({ home: client.home, signal }),
      cpuMicros: async () => {
        const all = await Promise.all(pids.map(cpuMicrosOf))
        return all.reduce((sum, micros) => sum + micros, 0)
      },
      stop
    }
  } catch (error) {
    const tail = (await readFile(logPath, 'utf8').catch(() => '')).slice(-1_000)
    await stop()
    throw signal.aborted ? error : new Error(`the devnet did not start\n${tail}`, { cause: error })
  }
}

async function untilReady(
  path: string,
  ended: () => boolean,
  signal: AbortSignal
): Promise<Node[]> {
  for (const endMs = performance.now() + READY_TIMEOUT_MS; ; ) {
    const text = await readFile(path, 'utf8')
    if (text.endsWith('\n')) {
      const line = JSON.parse(text.trim().split('\n')[0]!) as { event: string; nodes: Node[] }
      if (line.event === 'ready') return line.nodes
    }
    assert(!ended(), 'the devnet runs')
    assert(performance.now() < endMs, 'the devnet is ready in time')
    await sleep(POLL_MS, undefined, { signal })
  }
}
