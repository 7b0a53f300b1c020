/** holdfast governance show, propose, vote */
import type { Command } from 'commander'
import { HoldfastError } from '../../src/base/errors.ts'
import type { GovernanceView, ParamValue } from '../../src/node/control/types.ts'
import { addressArgument, assignmentArgument, countArgument, UsageError } from '../arguments.ts'
import { formatTable } from '../format.ts'
import { type AddCommands, examples, type OpenSession } from '../session.ts'
import { describeTx } from './validator.ts'

export const addGovernance: AddCommands = (program, open) => {
  const governance = program
    .command('governance')
    .description('parameters of the network, which validators change by vote')
  governance
    .command('show')
    .description('show the parameters, open proposals, and changes that wait for their epoch')
    .addHelpText('after', examples('holdfast governance show'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.governance(), describe)
    })
  addPropose(governance, open)
  governance
    .command('vote')
    .description('vote for an open proposal, as a validator of the set')
    .argument('<proposer>', 'address of its maker', addressArgument)
    .argument('<id>', 'its id, 64 hex digits')
    .addHelpText('after', examples('holdfast governance vote hf1… 7be1…'))
    .action(async (proposer: string, id: string, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.vote(proposer, id), describeTx)
    })
}

function addPropose(governance: Command, open: OpenSession): void {
  governance
    .command('propose')
    .description('propose new values, as a validator of the set; your own vote is in it')
    .argument('<name=value...>', 'parameters, for example epochHeights=1440')
    .option('--heights <n>', 'how long it can be voted for (default: 1000)', countArgument(1))
    .addHelpText('after', examples('holdfast governance propose feeBaseUnits=2000'))
    .action(async (values: string[], { heights }: { heights?: number }, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.propose(values.map(changeOf), heights), describeTx)
    })
}

function changeOf(text: string): ParamValue {
  assignmentArgument(text)
  const at = text.indexOf('=')
  const [name, value] = [text.slice(0, at), text.slice(at + 1)]
  if (/^\d{1,19}$/.test(value)) return { name, value }
  throw new UsageError(new HoldfastError('INVALID_ARGUMENT', `${name} takes a whole number`))
}

function describe({ params, proposals, scheduled }: GovernanceView): string {
  const written = (changes: readonly ParamValue[]): string =>
    changes.map(({ name, value }) => `${name}=${value}`).join(' ')
  return [
    formatTable(
      params,
      [
        ['parameter', ({ name }) => name],
        ['value', ({ value }) => value]
      ],
      'no parameters'
    ),
    formatTable(
      proposals,
      [
        ['proposal', ({ id }) => id],
        ['changes', ({ changes }) => written(changes)],
        ['votes', ({ votes }) => votes.length],
        ['until height', ({ expiryHeight }) => expiryHeight],
        ['proposer', ({ proposer }) => proposer]
      ],
      'no open proposals'
    ),
    formatTable(
      scheduled,
      [
        ['accepted', ({ changes }) => written(changes)],
        ['from the epoch after height', ({ height }) => height]
      ],
      'no changes to come'
    )
  ].join('\n\n')
}
