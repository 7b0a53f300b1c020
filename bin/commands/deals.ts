/** holdfast deals */
import type { Command } from 'commander'
import type { DealRow } from '../../src/node/control/types.ts'
import { formatBytes, formatMoney, formatTable } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'

export const addDeals: AddCommands = (program, open) => {
  program
    .command('deals')
    .description('list the deals of this node and how they are kept')
    .addHelpText('after', examples('holdfast deals', 'holdfast deals --json'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.deals(), table)
    })
}

function table(deals: readonly DealRow[]): string {
  return formatTable(
    deals,
    [
      ['deal', ({ id }) => id],
      ['state', ({ state }) => state],
      ['size', ({ bytes }) => formatBytes(bytes)],

      ['proven', ({ provenPeriods }) => provenPeriods],
      ['missed', ({ missedPeriods }) => missedPeriods],
      ['paid', ({ paidUnits }) => formatMoney(paidUnits)],
      ['owed', ({ owedUnits }) => formatMoney(owedUnits)],
      ['escrow', ({ escrowUnits }) => formatMoney(escrowUnits)],
      ['until period', ({ endPeriod }) => endPeriod],
      ['provider', ({ provider }) => provider]
    ],
    'no deals yet'
  )
}
