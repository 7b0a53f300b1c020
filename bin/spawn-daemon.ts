/** Starts a daemon as a process of its own, and follows it over IPC. Output of the daemon goes to its daemon.log. */
import { type ChildProcess, spawn } from 'node:child_process'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { HoldfastError, toHoldfastError } from '../src/base/errors.ts'
import { errorFromJson } from '../src/node/control/wire.ts'
import { homePaths, PRIVATE_FILE_MODE } from '../src/node/home-files.ts'
import type { DaemonEvent, ReadyEvent } from './daemon-events.ts'

export interface DaemonProcess {
  readonly pid: number
  /** The addresses it listens on. */
  readonly listening: Promise<string[]>
  readonly ready: Promise<ReadyEvent>
  /** "exit code 1", "signal SIGKILL". */
  readonly ended: Promise<string>
  kill(signal: NodeJS.Signals): void
  /** Lets it live on after this process. */
  release(): void
}

export interface SpawnDaemonInit {
  home: string
  /** Flags of `holdfast start`. */
  flags: readonly string[]
}

/** From a checkout this is holdfast.ts, from dist/ holdfast.js. */
/**
 * Transfers make short-lived buffers, which are freed when the young generation is collected: a small one keeps tens of
 * MiB less of them alive.
 */
const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=16']
const EXTENSION: string = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
const PROGRAM: string = fileURLToPath(new URL(`./holdfast${EXTENSION}`, import.meta.url))

/** @throws HoldfastError HOME_MISSING when the home does not exist */
export async function spawnDaemon({ home, flags }: SpawnDaemonInit): Promise<DaemonProcess> {
  const { root, log } = homePaths(home)
  const output = await open(log, 'a', PRIVATE_FILE_MODE).catch(cause => {
    throw new HoldfastError('HOME_MISSING', `there is no node in ${root}`, {
      cause,
      hint: 'create one with `holdfast init`, or choose its folder with --home'
    })
  })
  try {
    // a process group of its own: Ctrl-C in the terminal reaches the parent only, which stops its children in order
    const args = [...NODE_FLAGS, PROGRAM, 'start', '--json', '--home', root, ...flags]
    const child = spawn(process.execPath, args, {
      detached: true,
      stdio: ['ignore', output.fd, output.fd, 'ipc']
    })
    return follow(child, log)
  } finally {
    await output.close()
  }
}

function follow(child: ChildProcess, log: string): DaemonProcess {
  const listening = Promise.withResolvers<string[]>()
  const ready = Promise.withResolvers<ReadyEvent>()
  const ended = Promise.withResolvers<string>()
  for (const { promise } of [listening, ready]) promise.catch(() => {}) // whoever waits sees it
  const fail = (error: HoldfastError): void => {
    listening.reject(error)
    ready.reject(error)
  }
  child.on('message', message => {
    const event = message as DaemonEvent
    if (event.event === 'listening') listening.resolve(event.addresses)
    else if (event.event === 'ready') ready.resolve(event)
    else fail(errorFromJson(event.error))
  })
  child.on('error', error => fail(toHoldfastError(error)))
  child.on('exit', (code, signal) => {
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`
    ended.resolve(how)
    fail(
      new HoldfastError('NOT_RUNNING', `the daemon ended before it was ready (${how})`, {
        hint: `see ${log}`
      })
    )
  })
  return {
    pid: child.pid ?? 0,
    listening: listening.promise,
    ready: ready.promise,
    ended: ended.promise,
    kill: signal => void child.kill(signal),
    release: () => {
      if (child.connected) child.disconnect()
      child.unref()
    }
  }
}
