/** holdfast peers */
import type { Command } from 'commander'
import type { PeerRow } from '../../src/node/control/types.ts'
import { formatTable } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'

export const addPeers: AddCommands = (program, open) => {
  program
    .command('peers')
    .description('list known peers, their reputation and their last failures')
    .addHelpText('after', examples('holdfast peers', 'holdfast peers --json'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.peers(), table)
    })
}

function table(peers: readonly PeerRow[]): string {
  return formatTable(
    peers,
    [
      ['peer', ({ peerId }) => peerId],
      ['roles', ({ roles }) => roles.join(',') || '-'],
      ['score', ({ score }) => score],
      ['proven', ({ reputation }) => reputation?.provenPeriods ?? '-'],
      ['missed', ({ reputation }) => reputation?.missedPeriods ?? '-'],
      ['last failure', ({ failures }) => failures.at(-1)?.reason ?? '-'],
      ['address', ({ addresses }) => addresses[0] ?? '-']
    ],
    'no peers known'
  )
}
