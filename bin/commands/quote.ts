/** holdfast quote BYTES|FILE */
import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { HoldfastError } from '../../src/base/errors.ts'
import type { QuoteResult } from '../../src/node/control/types.ts'
import { countArgument, profileArgument } from '../arguments.ts'
import { formatBytes, formatFacts, formatMoney, formatTable } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'

interface QuoteOptions {
  profile?: string
  periods?: number
}

const PERIODS_MAX = 2 ** 32 - 1

export const addQuote: AddCommands = (program, open) => {
  program
    .command('quote')
    .description('say what storing so many bytes, or a file, costs now')
    .argument('<bytes|file>', 'a number of bytes, or a file to measure')
    .option('--profile <k/n>', 'erasure code: any k of n pieces are enough', profileArgument)
    .option('--periods <n>', 'length of the deals', countArgument(1, PERIODS_MAX))
    .addHelpText(
      'after',
      examples('holdfast quote 1073741824', 'holdfast quote film.mkv --profile 10/30 --periods 365')
    )
    .action(async (subject: string, { profile, periods }: QuoteOptions, command: Command) => {
      const { api, output } = open(command)
      const result = await api.quote({
        bytes: await bytesOf(subject),
        ...(profile === undefined ? {} : { profile }),
        ...(periods === undefined ? {} : { periods })
      })
      output.result(result, describe)
    })
}

async function bytesOf(subject: string): Promise<number> {
  if (/^\d{1,15}$/.test(subject)) return Number(subject)
  const stats = await stat(subject).catch(() => undefined)
  if (stats?.isFile()) return stats.size
  throw new HoldfastError('INVALID_ARGUMENT', `neither a number of bytes nor a file: ${subject}`)
}

function describe(quote: QuoteResult): string {
  const facts = formatFacts([
    ['size', formatBytes(quote.bytes)],
    ['on disk', `${formatBytes(quote.storedBytes)} as ${quote.profile}`],
    ['durability', `${quote.nines} nines a year`],
    ['per month', formatMoney(quote.costUnitsPerMonth)],
    ['per period', formatMoney(quote.costUnitsPerPeriod)],
    ['all periods', `${formatMoney(quote.costUnits)} for ${quote.periods} periods`],
    ['locked now', `${formatMoney(quote.lockUnits)} as escrow; what is not earned comes back`],
    ['reading it', `${formatMoney(quote.egressUnits)} at most, each time`]
  ])
  const table = formatTable(
    quote.providers,
    [
      ['provider', ({ provider }) => provider],
      ['price per GiB and period', row => formatMoney(row.priceUnitsPerGiBPeriod)],
      ['for 1 GiB read', row => formatMoney(row.egressUnitsPerGiB)],
      ['size', ({ bytes }) => formatBytes(bytes)],
      ['reputation', ({ reputation }) => reputation],
      ['region', ({ region }) => region || '-']
    ],
    'no provider'
  )
  return `${facts}\n\n${table}`
}
