/** holdfast start */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { HoldfastError, toHoldfastError } from '../../src/base/errors.ts'
import { assignmentArgument, rolesArgument } from '../arguments.ts'
import { type ReadyEvent, tellParent } from '../daemon-events.ts'
import { type AddCommands, examples, type Session } from '../session.ts'
import { spawnDaemon } from '../spawn-daemon.ts'

interface StartOptions {
  detach?: boolean
  role?: string[]
  set?: string[]
  stopWithParent?: boolean
}

/** A large ledger replica may take this long to open. */
const READY_TIMEOUT_MS = 300_000

export const addStart: AddCommands = (program, open) => {
  const start = program
    .command('start')
    .description('run the daemon of this home')
    .option('--detach', 'in the background; returns when it is usable')
    .option(
      '--role <roles>',
      'provider, validator, client (instead of those in config.json)',
      rolesArgument
    )
    .option('--set <key=value>', 'a setting of docs/CONFIG.md, repeatable', assignmentArgument)
    .addHelpText(
      'after',
      examples(
        'holdfast start --detach',
        'holdfast start --role provider --set quotaBytes=500000000000',
        'holdfast start --set listen=/ip4/0.0.0.0/tcp/4001 --set logLevel=debug'
      )
    )
    .action((options: StartOptions, command: Command) =>
      options.detach === true
        ? startDetached(open(command), options)
        : startHere(open(command), options)
    )
  start.addOption(start.createOption('--stop-with-parent').hideHelp())
}

/** Settings given by flags, as "key=value". */
function settings({ role, set = [] }: StartOptions): string[] {
  return role === undefined ? set : [...set, `roles=${role.join(',')}`]
}

async function startHere(session: Session, options: StartOptions): Promise<void> {
  const { runDaemon } = await import('../daemon.ts')
  try {
    const { createNode } = await import('../../src/index.ts')
    await runDaemon({
      home: session.home,
      set: settings(options),
      env: process.env,
      stopWithParent: options.stopWithParent === true,
      createNode,
      onReady: ready => session.output.result(ready, describe)
    })
  } catch (error) {
    await tellParent({ event: 'failed', error: toHoldfastError(error).toJSON() })
    endSoon()
    throw error
  }
  // everything is on disk; libraries may hold timers for seconds more
  process.exit(0)
}

const LEFTOVERS_MS = 500

/** Ends the process even if a part that was started keeps a handle, but not before the error is printed. */
function endSoon(): void {
  if (process.connected) process.disconnect()
  setTimeout(() => process.exit(), LEFTOVERS_MS).unref()
}

async function startDetached(session: Session, options: StartOptions): Promise<void> {
  const { home, output, signal } = session
  const flags = settings(options).flatMap(setting => ['--set', setting])
  const daemon = await spawnDaemon({ home, flags })
  try {
    output.result(await Promise.race([daemon.ready, deadline(signal)]), describe)
  } catch (error) {
    daemon.kill('SIGTERM')
    throw error
  } finally {
    daemon.release()
  }
}

async function deadline(signal: AbortSignal): Promise<never> {
  await sleep(READY_TIMEOUT_MS, undefined, { signal, ref: false })
  throw new HoldfastError('TIMEOUT', 'the daemon was not usable in time')
}

function describe({ pid, peerId, roles, addresses }: ReadyEvent): string {
  const where = addresses.length === 0 ? '' : ` on ${addresses.join(', ')}`
  return `running as ${roles.join(', ')} (process ${pid}, peer ${peerId})${where}`
}
