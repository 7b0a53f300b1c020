/** holdfast repair-map show, list, publish: the public maps of objects */
import type { Command } from 'commander'
import type { PublishResult, RepairMapResult } from '../../src/node/control/types.ts'
import { dealArgument, mapArgument, pathArgument } from '../arguments.ts'
import { formatBytes, formatFacts, formatTable } from '../format.ts'
import { type AddCommands, examples, type OpenSession } from '../session.ts'

export const addRepairMap: AddCommands = (program, open) => {
  const maps = program
    .command('repair-map')
    .description('the public maps of objects: pieces and deals, no keys, no names')
  addShow(maps, open)
  maps
    .command('list')
    .description('list the maps that name a deal, as its provider keeps them')
    .argument('<deal>', 'id of the deal', dealArgument)
    .addHelpText('after', examples('holdfast repair-map list 9f2c…e1'))
    .action(async (deal: string, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.repairMaps(deal), cids => cids.join('\n') || 'none')
    })
  maps
    .command('publish')
    .description('hand the map of an object to the providers of its deals again')
    .argument('<path>', 'path of the object', pathArgument)
    .addHelpText('after', examples('holdfast repair-map publish /photos/cat.jpg'))
    .action(async (path: string, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.publishRepairMap(path), describePublished)
    })
}

function addShow(maps: Command, open: OpenSession): void {
  maps
    .command('show')
    .description('fetch a map from any provider and show it')
    .argument('<cid>', 'CID of the map', mapArgument)
    .addHelpText(
      'after',
      examples(
        'holdfast repair-map show bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
      )
    )
    .action(async (cid: string, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.repairMap(cid), describeMap)
    })
}

function describeMap({ repairMap, bytes, profile, segments }: RepairMapResult): string {
  const facts = formatFacts([
    ['repair map', repairMap],
    ['size', formatBytes(bytes)],
    ['profile', profile]
  ])
  const rows = segments.flatMap(({ pieces }, segment) =>
    pieces.map(piece => ({ segment, ...piece }))
  )
  const table = formatTable(
    rows,
    [
      ['segment', ({ segment }) => segment],
      ['index', ({ index }) => index],
      ['slot', ({ slot }) => slot],
      ['provider', ({ provider }) => provider],
      ['piece', ({ pieceId }) => pieceId]
    ],
    'no pieces'
  )
  return `${facts}\n\n${table}`
}

function describePublished({ repairMap, providers, failed }: PublishResult): string {
  const lines = failed.map(({ provider, reason }) => `not kept by ${provider}: ${reason}`)
  return [`${providers.length} providers keep ${repairMap}`, ...lines].join('\n')
}
