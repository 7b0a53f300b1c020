/** holdfast ls, rm, stat: the names of objects and what stands behind them */
import type { Command } from 'commander'
import type { ListEntry, StatResult } from '../../src/node/control/types.ts'
import { pathArgument, prefixArgument } from '../arguments.ts'
import { formatBytes, formatFacts, formatTable } from '../format.ts'
import { type AddCommands, examples, type OpenSession } from '../session.ts'

export const addObjects: AddCommands = (program, open) => {
  addList(program, open)
  addRemove(program, open)
  addStat(program, open)
}

function addList(program: Command, open: OpenSession): void {
  program
    .command('ls')
    .description('list objects and folders')
    .argument('[prefix]', 'folder to list', prefixArgument, '/')
    .option('-r, --recursive', 'everything below, without folders')
    .addHelpText('after', examples('holdfast ls /photos', 'holdfast ls -r --json'))
    .action(async (prefix: string, options: { recursive?: boolean }, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.list(prefix, options.recursive === true), listing)
    })
}

function listing(entries: readonly ListEntry[]): string {
  return formatTable(
    entries,
    [
      ['bytes', ({ bytes, folder }) => (folder === true ? '-' : bytes)],
      ['modified', ({ modified }) => modified ?? '-'],
      ['path', ({ path, folder }) => (folder === true && !path.endsWith('/') ? `${path}/` : path)]
    ],
    'nothing there'
  )
}

function addRemove(program: Command, open: OpenSession): void {
  program
    .command('rm')
    .description('remove an object; its pieces go when their deals are revised')
    .argument('<path>', 'path of the object', pathArgument)
    .addHelpText('after', examples('holdfast rm /photos/cat.jpg'))
    .action(async (path: string, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(
        await api.remove(path),
        removed => `removed ${removed.path}: ${formatBytes(removed.bytes)}`
      )
    })
}

function addStat(program: Command, open: OpenSession): void {
  program
    .command('stat')
    .description('show where the pieces of an object are')
    .argument('<path>', 'path of the object', pathArgument)
    .addHelpText('after', examples('holdfast stat /photos/cat.jpg'))
    .action(async (path: string, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.stat(path), describe)
    })
}

function describe(object: StatResult): string {
  const facts = formatFacts([
    ['path', object.path],
    ['size', `${formatBytes(object.bytes)} (${object.bytes} bytes)`],
    ['modified', object.modified],
    ['manifest', object.manifest],
    ['repair map', object.repairMap ?? '-'],
    ['profile', object.profile],
    ['durability', object.nines === null ? '-' : `${object.nines} nines a year`]
  ])
  const table = formatTable(
    object.pieces,
    [
      ['segment', ({ segment }) => segment],
      ['index', ({ index }) => index],
      ['state', ({ state }) => state],
      ['bytes', ({ bytes }) => bytes],
      ['provider', ({ provider }) => provider],
      ['piece', ({ pieceId }) => pieceId]
    ],
    'stored inside its manifest: no pieces of its own'
  )
  return `${facts}\n\n${table}`
}
