/** holdfast provider ask, holdfast provider status */
import type { Command } from 'commander'
import type { Units } from '../../src/base/money.ts'
import type { AskRow, ProviderStatus } from '../../src/node/control/types.ts'
import { unitsArgument } from '../arguments.ts'
import { formatBytes, formatFacts, formatMoney } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'

interface AskOptions {
  price?: Units
  collateral?: Units
}

export const addProvider: AddCommands = (program, open) => {
  const provider = program.command('provider').description('what this node offers and holds')
  provider
    .command('ask')
    .description('show the price sheet of this provider, or change it')
    .option('--price <units>', 'units for 1 GiB and one period', unitsArgument)
    .option('--collateral <units>', 'units of collateral per deal', unitsArgument)
    .addHelpText(
      'after',
      examples('holdfast provider ask', 'holdfast provider ask --price 2000000')
    )
    .action(async ({ price, collateral }: AskOptions, command: Command) => {
      const { api, output } = open(command)
      const update = {
        ...(price === undefined ? {} : { priceUnitsPerGiBPeriod: price }),
        ...(collateral === undefined ? {} : { collateralUnits: collateral })
      }
      const ask = await (Object.keys(update).length === 0 ? api.ask() : api.ask(update))
      output.result(ask, describeAsk)
    })
  provider
    .command('status')
    .description('show space, pieces and proofs of this provider')
    .addHelpText('after', examples('holdfast provider status'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.providerStatus(), describeStatus)
    })
}

function describeAsk(ask: AskRow): string {
  return formatFacts([
    ['provider', ask.provider],
    ['price', `${formatMoney(ask.priceUnitsPerGiBPeriod)} for 1 GiB and one period`],
    ['collateral', `${formatMoney(ask.collateralUnits)} per deal`],
    ['longest deal', `${ask.dealPeriodsMax} periods`],
    ['largest piece', formatBytes(ask.pieceBytesMax)],
    ['free', formatBytes(ask.freeBytes)],
    ['region', ask.region === '' ? '-' : ask.region],
    ['operator', ask.operator === '' ? '-' : ask.operator],
    ['valid until', `height ${ask.validUntilHeight}`]
  ])
}

function describeStatus(status: ProviderStatus): string {
  const used = `${formatBytes(status.usedBytes)} of ${formatBytes(status.quotaBytes)}`
  return formatFacts([
    ['provider', status.provider],
    ['used', `${used}, ${formatBytes(status.reservedBytes)} reserved`],
    ['pieces', `${status.pieces} in ${status.deals} deals`],
    ['accepts pieces', status.readOnly ? 'no: disk trouble, the store is read-only' : 'yes'],
    ['proven', `${status.provenPeriods} periods, last ${status.lastProvenPeriod ?? 'none'}`],
    ['period now', status.currentPeriod]
  ])
}
