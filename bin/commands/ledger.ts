/** holdfast ledger status, block H, validators */
import type { Command } from 'commander'
import type { LedgerBlock, LedgerStatus } from '../../src/node/control/types.ts'
import { countArgument } from '../arguments.ts'
import { formatFacts, formatTable } from '../format.ts'
import { type AddCommands, examples, type OpenSession } from '../session.ts'

export const addLedger: AddCommands = (program, open) => {
  const ledger = program.command('ledger').description('the replicated state of the network')
  ledger
    .command('status')
    .description('show the newest block this node has applied')
    .addHelpText('after', examples('holdfast ledger status --json'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.ledgerStatus(), describeStatus)
    })
  addBlock(ledger, open)
  ledger
    .command('validators')
    .description('list the validators and their power')
    .addHelpText('after', examples('holdfast ledger validators'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.ledgerValidators(), rows =>
        formatTable(
          rows,
          [
            ['power', ({ power }) => power],
            ['address', ({ address }) => address],
            ['public key', ({ publicKey }) => publicKey]
          ],
          'no validators'
        )
      )
    })
}

function addBlock(ledger: Command, open: OpenSession): void {
  ledger
    .command('block')
    .description('show a block')
    .argument('<height>', 'height of the block', countArgument(0))
    .addHelpText('after', examples('holdfast ledger block 17'))
    .action(async (height: number, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.ledgerBlock(height), describeBlock)
    })
}

function describeStatus(status: LedgerStatus): string {
  const tolerated =
    status.faultsTolerated === 0
      ? 'none: fewer than four validators are not Byzantine fault tolerant'
      : `${status.faultsTolerated} validators`
  return formatFacts([
    ['chain', status.chainId],
    ['height', status.height],
    ['period', status.period],
    ['block hash', status.blockHash],
    ['state hash', status.appHash],
    ['validators', status.validators],
    ['faults tolerated', tolerated]
  ])
}

function describeBlock(block: LedgerBlock): string {
  const facts = formatFacts([
    ['height', block.height],
    ['time', block.time],
    ['proposer', block.proposer],
    ['block hash', block.blockHash],
    ['state hash', block.appHash]
  ])
  const table = formatTable(
    block.txs,
    [
      ['result', ({ ok, error }) => (ok ? 'ok' : (error ?? 'failed'))],
      ['kind', ({ kind }) => kind],
      ['sender', ({ sender }) => sender],
      ['hash', ({ hash }) => hash]
    ],
    'no transactions'
  )
  return `${facts}\n\n${table}`
}
