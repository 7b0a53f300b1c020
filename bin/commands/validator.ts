/** holdfast validator status, register, bond, unbond, withdraw, unjail */
import type { Command } from 'commander'
import type { Units } from '../../src/base/money.ts'
import type { TxRow, ValidatorAction, ValidatorStatus } from '../../src/node/control/types.ts'
import { amountArgument } from '../arguments.ts'
import { formatFacts, formatMoney } from '../format.ts'
import { type AddCommands, examples, type OpenSession } from '../session.ts'

interface Act {
  action: ValidatorAction
  description: string
  /** Whether it takes tokens. */
  amount: boolean
}

const ACTS: readonly Act[] = [
  {
    action: 'register',
    description: 'make this node a validator, with a bond; it joins the set at the end of an epoch',
    amount: true
  },
  { action: 'bond', description: 'add to the bond: more power', amount: true },
  {
    action: 'unbond',
    description: 'take bond out; it can be withdrawn after the unbonding time',
    amount: true
  },
  { action: 'withdraw', description: 'move bond that has come free to the wallet', amount: false },
  { action: 'unjail', description: 'return to the set after an absence', amount: false }
]

export const addValidator: AddCommands = (program, open) => {
  const validator = program.command('validator').description('the validator that this wallet owns')
  validator
    .command('status')
    .description('show bond, power and state')
    .addHelpText('after', examples('holdfast validator status'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.validatorStatus(), describeStatus)
    })
  for (const act of ACTS) addAct(validator, open, act)
}

function addAct(validator: Command, open: OpenSession, { action, description, amount }: Act): void {
  const run = async (command: Command, units?: Units): Promise<void> => {
    const { api, output } = open(command)
    output.result(await api.validatorAct(action, units), describeTx)
  }
  const command = validator.command(action).description(description)
  if (amount) {
    command
      .argument('<amount>', 'tokens, for example 1000', amountArgument)
      .addHelpText('after', examples(`holdfast validator ${action} 1000`))
      .action((units: Units, _options: object, self: Command) => run(self, units))
  } else {
    command
      .addHelpText('after', examples(`holdfast validator ${action}`))
      .action((_options: object, self: Command) => run(self))
  }
}

export function describeTx({ tx, height }: TxRow): string {
  return `${tx} at height ${height}`
}

function describeStatus(status: ValidatorStatus): string {
  const unbonding = status.unbonding.map(({ units, releaseHeight }) => {
    const when = releaseHeight === null ? 'still backs power' : `free at height ${releaseHeight}`
    return `${formatMoney(units)}, ${when}`
  })
  return formatFacts([
    ['state', status.state],
    ['power', status.power],
    ['bond', formatMoney(status.bondUnits)],
    ['on its way out', unbonding.length === 0 ? 'nothing' : unbonding.join('; ')],
    ...(status.jailedUntil === null
      ? []
      : ([['can be unjailed', `at height ${status.jailedUntil}`]] as const)),
    ['address', status.address],
    ['vote key', status.publicKey]
  ])
}
