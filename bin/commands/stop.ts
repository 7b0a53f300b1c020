/** holdfast stop */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { HoldfastError } from '../../src/base/errors.ts'
import { isAlive } from '../../src/node/control/token.ts'
import { type AddCommands, examples } from '../session.ts'

const STOP_TIMEOUT_MS = 30_000
const POLL_MS = 50

export const addStop: AddCommands = (program, open) => {
  program
    .command('stop')
    .description('stop the daemon and wait until it has ended')
    .addHelpText('after', examples('holdfast stop'))
    .action(async (_options: object, command: Command) => {
      const { api, output, signal } = open(command)
      const { pid } = await api.status()
      await api.requestStop()
      await untilGone(pid, signal)
      output.result({ pid, stopped: true }, () => 'stopped')
    })
}

async function untilGone(pid: number, signal: AbortSignal): Promise<void> {
  for (const endMs = Date.now() + STOP_TIMEOUT_MS; isAlive(pid); ) {
    if (Date.now() > endMs) {
      throw new HoldfastError('TIMEOUT', `process ${pid} still runs`, {
        hint: `end it with \`kill -9 ${pid}\`; no data is lost by that`
      })
    }
    await sleep(POLL_MS, undefined, { signal })
  }
}
