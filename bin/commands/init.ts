/** holdfast init */
import { type Command, Option } from 'commander'
import { assignmentArgument, rolesArgument } from '../arguments.ts'
import { formatFacts } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'

interface InitOptions {
  networkOf?: string
  genesis?: string
  role?: string[]
  set?: string[]
}

export const addInit: AddCommands = (program, open) => {
  program
    .command('init')
    .description('create the home of a node, with a new seed phrase')
    .addOption(
      new Option('--network-of <home>', 'join the network of another home').conflicts('genesis')
    )
    .option('--genesis <file>', 'join the network of this genesis file')
    .option('--role <roles>', 'provider, validator, client', rolesArgument)
    .option('--set <key=value>', 'a setting of docs/CONFIG.md, repeatable', assignmentArgument)
    .addHelpText(
      'after',
      '\nWithout --network-of and --genesis it founds a new network, with itself as validator.'
    )
    .addHelpText(
      'after',
      examples(
        'holdfast init',
        'holdfast --home ~/provider init --network-of ~/.holdfast --role provider',
        'holdfast init --genesis genesis.json --set bootstrap=/dns4/example.org/tcp/4001/p2p/12D3…'
      )
    )
    .action(async ({ networkOf, genesis, role, set }: InitOptions, command: Command) => {
      const { home, output } = open(command)
      const { initHome } = await import('../setup.ts')
      const result = await initHome({
        home,
        set: set ?? [],
        ...(networkOf === undefined ? {} : { networkOf }),
        ...(genesis === undefined ? {} : { genesisFile: genesis }),
        ...(role === undefined ? {} : { roles: role })
      })
      output.result(result, made =>
        formatFacts([
          ['home', made.home],
          ['network', made.chainId],
          ['roles', made.roles.join(', ')],
          ['wallet', made.address],
          ['next', '`holdfast start --detach`, and keep the words of `holdfast wallet phrase` safe']
        ])
      )
    })
}
