/** holdfast status */
import type { Command } from 'commander'
import type { NodeStatus } from '../../src/node/control/types.ts'
import { formatDuration, formatFacts } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'

export const addStatus: AddCommands = (program, open) => {
  program
    .command('status')
    .description('show whether the daemon runs, and what it is')
    .addHelpText('after', examples('holdfast status', 'holdfast status --json'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.status(), describe)
    })
}

function describe(status: NodeStatus): string {
  const { stateSync: sync } = status
  return formatFacts([
    ['running', `${formatDuration(status.uptimeMs)}, process ${status.pid}`],
    ['version', status.version],
    ['roles', status.roles.join(', ')],
    ['peer id', status.peerId],
    ['wallet', status.address],
    ['listening', status.listen.join(', ') || 'nowhere'],
    ['network', `${status.chainId}, height ${status.height}`],
    ['peers', status.peers],
    ...(sync === undefined
      ? []
      : [
          [
            'state sync',
            `${sync.chunks} of ${sync.chunksTotal} chunks of height ${sync.height}`
          ] as const
        ])
  ])
}
