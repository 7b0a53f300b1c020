/** holdfast devnet */
import type { Command } from 'commander'
import { countArgument, durationArgument } from '../arguments.ts'
import type { NodeLine } from '../devnet/run.ts'
import { formatTable } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'

interface DevnetOptions {
  dir: string
  providers?: number
  validators?: number
  clients?: number
  period?: number
}

/** Of each kind; one machine will not run more. */
const NODES_MAX = 100

export const addDevnet: AddCommands = (program, open) => {
  program
    .command('devnet')
    .description('run a whole network on this machine, until Ctrl-C')
    .requiredOption('--dir <dir>', 'folder of the network; an existing network is resumed')
    .option('--providers <n>', 'providers (default: 10)', countArgument(0, NODES_MAX))
    .option('--validators <n>', 'validators (default: 1)', countArgument(1, NODES_MAX))
    .option('--clients <n>', 'clients (default: 1)', countArgument(0, NODES_MAX))
    .option('--period <duration>', 'length of a proving period (default: 5s)', durationArgument)
    .addHelpText(
      'after',
      examples(
        'holdfast devnet --dir /tmp/net',
        'holdfast devnet --dir /tmp/net --providers 10 --period 30s --json',
        'holdfast --home /tmp/net/client-1 ls'
      )
    )
    .action(async ({ dir, period, ...counts }: DevnetOptions, command: Command) => {
      const { output, signal } = open(command)
      const { openDevnet } = await import('../devnet/network.ts')
      const { runDevnet } = await import('../devnet/run.ts')
      const shape = period === undefined ? counts : { ...counts, periodMs: period }
      await runDevnet({
        nodes: await openDevnet(dir, shape),
        signal,
        note: output.note,
        onReady: nodes => output.result({ event: 'ready', nodes }, ready => table(ready.nodes))
      })
    })
}

function table(nodes: readonly NodeLine[]): string {
  return formatTable(
    nodes,
    [
      ['node', ({ name }) => name],
      ['process', ({ pid }) => pid],
      ['peer', ({ peerId }) => peerId],
      ['home', ({ home }) => home]
    ],
    'no nodes'
  )
}
