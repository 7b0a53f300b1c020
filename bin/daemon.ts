/**
 * The life of a daemon: open the home, start the node, serve the control API, say when it is usable, stop in order when
 * asked (a signal, `holdfast stop`, or the end of the parent).
 */
import { flushCompileCache } from 'node:module'
import type { Logger } from '../src/base/ports.ts'
import type { HoldfastNode } from '../src/index.ts'
import { type Config, type NodeInit, resolveConfig } from '../src/node/config.ts'
import { startControlServer } from '../src/node/control/server.ts'
import { createToken, publishEndpoint, withdrawEndpoint } from '../src/node/control/token.ts'
import { openHome } from '../src/node/home.ts'
import type { HomePaths } from '../src/node/home-files.ts'
import { createLogger } from '../src/node/log.ts'
import { withPeerId } from './addresses.ts'
import { type ReadyEvent, tellParent } from './daemon-events.ts'
import { version } from './version.ts'

export interface RunDaemonInit {
  home: string
  /** "key=value" settings. */
  set: readonly string[]
  env: Readonly<Record<string, string | undefined>>
  /** Stop when the process that spawned this one ends. */
  stopWithParent: boolean
  createNode: (init: NodeInit) => Promise<HoldfastNode>
  onReady: (event: ReadyEvent) => void
}

const EXIT_FAILED = 1
const EXIT_INTERRUPTED = 130
/** A part that hangs must not keep the daemon from stopping; nothing is lost, as in a crash. */
const STOP_TIMEOUT_MS = 12_000

/** Resolves when the daemon has stopped in order; rejects when it could not start. */
export async function runDaemon(init: RunDaemonInit): Promise<void> {
  const { paths, keys, phrase, genesis, config: file } = await openHome(init.home)
  const config = resolveConfig({ file, env: init.env, set: init.set })
  const log = createLogger({ level: config.logLevel })
  const stop = watchForStop(init.stopWithParent, log)
  try {
    const node = await init.createNode({
      config,
      paths,
      keys,
      phrase,
      genesis,
      log,
      version: version()
    })
    node.onStopRequested(() => stop.request('control API'))
    await node.start()
    try {
      await serve({ node, config, paths, log, stopped: stop.requested, onReady: init.onReady })
    } finally {
      await node.stop()
    }
  } finally {
    stop.dispose()
  }
}

interface Serving {
  node: HoldfastNode
  config: Config
  paths: HomePaths
  log: Logger
  stopped: Promise<void>
  onReady: (event: ReadyEvent) => void
}

/** Answers the control API until a stop is requested. */
async function serve({ node, config, paths, log, stopped, onReady }: Serving): Promise<void> {
  const { api } = node
  const token = createToken()
  const server = await startControlServer({ api, token, port: config.controlPort, log })
  try {
    await publishEndpoint(paths, { port: server.port, pid: process.pid, token })
    const { peerId, roles, listen } = await api.status()
    const addresses = listen.map(address => withPeerId(address, peerId))
    await tellParent({ event: 'listening', peerId, addresses })
    const usable = node.whenUsable().then(() => true)
    if (await Promise.race([usable, stopped.then(() => false)])) {
      const ready: ReadyEvent = {
        event: 'ready',
        pid: process.pid,
        peerId,
        roles,
        addresses,
        home: paths.root
      }
      onReady(ready)
      await tellParent(ready)
      flushCompileCache() // the next start is faster even if this process is killed
    }
    await stopped
  } finally {
    await withdrawEndpoint(paths)
    await server.stop()
  }
}

interface StopWatch {
  requested: Promise<void>
  request(reason: string): void
  dispose(): void
}

function watchForStop(stopWithParent: boolean, log: Logger): StopWatch {
  const { promise, resolve } = Promise.withResolvers<void>()
  let signals = 0
  let deadline: NodeJS.Timeout | undefined
  const request = (reason: string): void => {
    log.info('daemon.stop', { reason })
    deadline ??= setTimeout(() => {
      log.error('daemon.stop.timeout', { waitedMs: STOP_TIMEOUT_MS })
      process.exit(EXIT_FAILED)
    }, STOP_TIMEOUT_MS)
    resolve()
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (++signals > 1) process.exit(EXIT_INTERRUPTED)
    request(signal)
  }
  const onDisconnect = (): void => request('the parent ended')
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  if (stopWithParent) process.on('disconnect', onDisconnect)
  return {
    requested: promise,
    request,
    dispose: () => {
      clearTimeout(deadline)
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      process.off('disconnect', onDisconnect)
    }
  }
}
