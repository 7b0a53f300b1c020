/** holdfast provider ask, holdfast provider status */
import type { Command } from 'commander'
import { HoldfastError } from '../../src/base/errors.ts'
import { PIECE_BYTES_MAX } from '../../src/base/limits.ts'
import type { Units } from '../../src/base/money.ts'
import type { AskRow, AskUpdate, AutoPrice, ProviderStatus } from '../../src/node/control/types.ts'
import { countArgument, UsageError, unitsArgument } from '../arguments.ts'
import { formatBytes, formatFacts, formatMoney } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'

interface AskOptions {
  price?: Units
  egress?: Units
  collateral?: Units
  minPeriods?: number
  maxPeriods?: number
  minSize?: number
  /** False for --no-auto. */
  auto?: boolean
  floor?: Units
  ceiling?: Units
}

const PERIODS_MAX = 2 ** 32 - 1

export const addProvider: AddCommands = (program, open) => {
  const provider = program.command('provider').description('what this node offers and holds')
  provider
    .command('ask')
    .description('show the price sheet of this provider, or change it; changes outlive a restart')
    .option('--price <units>', 'units for 1 GiB and one period', unitsArgument)
    .option('--egress <units>', 'units for 1 GiB that is read', unitsArgument)
    .option('--collateral <units>', 'units of collateral per deal', unitsArgument)
    .option('--min-periods <n>', 'shortest deal', countArgument(1, PERIODS_MAX))
    .option('--max-periods <n>', 'longest deal', countArgument(1, PERIODS_MAX))
    .option('--min-size <bytes>', 'shortest piece', countArgument(0, PIECE_BYTES_MAX))
    .option('--auto', 'move the price with the use of the disk, a step in each period')
    .option('--no-auto', 'leave the price where it is')
    .option('--floor <units>', 'lowest price of --auto', unitsArgument)
    .option('--ceiling <units>', 'highest price of --auto', unitsArgument)
    .addHelpText(
      'after',
      examples(
        'holdfast provider ask',
        'holdfast provider ask --price 2000000 --egress 500000',
        'holdfast provider ask --auto --floor 500000 --ceiling 4000000'
      )
    )
    .action(async (options: AskOptions, command: Command) => {
      const update = updateOf(options)
      const { api, output } = open(command)
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

function updateOf(options: AskOptions): AskUpdate {
  const { price, egress, collateral, minPeriods, maxPeriods, minSize } = options
  const auto = autoOf(options)
  return {
    ...(price !== undefined && { priceUnitsPerGiBPeriod: price }),
    ...(egress !== undefined && { egressUnitsPerGiB: egress }),
    ...(collateral !== undefined && { collateralUnits: collateral }),
    ...(minPeriods !== undefined && { dealPeriodsMin: minPeriods }),
    ...(maxPeriods !== undefined && { dealPeriodsMax: maxPeriods }),
    ...(minSize !== undefined && { pieceBytesMin: minSize }),
    ...(auto !== undefined && { auto })
  }
}

/** Null ends repricing. */
function autoOf({ auto, floor, ceiling }: AskOptions): AutoPrice | null | undefined {
  if (auto === true && floor !== undefined && ceiling !== undefined && floor <= ceiling) {
    return { floorUnits: floor, ceilingUnits: ceiling }
  }
  if (auto === true || floor !== undefined || ceiling !== undefined) {
    const message = '--auto needs --floor and --ceiling, and the floor is not above the ceiling'
    throw new UsageError(new HoldfastError('INVALID_ARGUMENT', message))
  }
  return auto === false ? null : undefined
}

function describeAsk(ask: AskRow): string {
  return formatFacts([
    ['provider', ask.provider],
    ['price', `${formatMoney(ask.priceUnitsPerGiBPeriod)} for 1 GiB and one period`],
    ['price is set', describeAuto(ask)],
    ['reading', `${formatMoney(ask.egressUnitsPerGiB)} for 1 GiB`],
    ['collateral', `${formatMoney(ask.collateralUnits)} per deal`],
    ['deals', `${ask.dealPeriodsMin} to ${ask.dealPeriodsMax} periods`],
    ['pieces', `${formatBytes(ask.pieceBytesMin)} to ${formatBytes(ask.pieceBytesMax)}`],
    ['free', formatBytes(ask.freeBytes)],
    ['region', ask.region === '' ? '-' : ask.region],
    ['operator', ask.operator === '' ? '-' : ask.operator],
    ['valid until', `height ${ask.validUntilHeight}`]
  ])
}

function describeAuto({ auto }: AskRow): string {
  if (auto === null) return 'by the owner'
  const { floorUnits, ceilingUnits } = auto
  return `by the node, from ${formatMoney(floorUnits)} to ${formatMoney(ceilingUnits)}`
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
