/** holdfast genesis member, holdfast genesis create: a network with many operators, none of whom sees another's keys */
import type { Command } from 'commander'
import { HoldfastError } from '../../src/base/errors.ts'
import { parseTokens, UNITS_PER_TOKEN, type Units } from '../../src/base/money.ts'
import { prepareHome } from '../../src/node/home.ts'
import { readJsonFile, writeFileAtomic } from '../../src/node/home-files.ts'
import { addressArgument, amountArgument, collect, durationArgument } from '../arguments.ts'
import { formatFacts } from '../format.ts'
import type { MemberFile } from '../genesis.ts'
import { type AddCommands, examples } from '../session.ts'

interface CreateOptions {
  out: string
  chainId: string
  bond?: Units
  tokens?: Units
  grant?: string[]
  block?: number
  period?: number
}

const BOND_DEFAULT: Units = 1_000n * UNITS_PER_TOKEN
const TOKENS_DEFAULT: Units = 1_000_000n * UNITS_PER_TOKEN
const BLOCK_MS_DEFAULT = 5_000
const PERIOD_MS_DEFAULT = 86_400_000
/** Everybody reads it. */
const GENESIS_FILE_MODE = 0o644
/** Fewer tolerate no Byzantine fault. */
const MEMBERS_FOR_ONE_FAULT = 4

export const addGenesis: AddCommands = (program, open) => {
  const genesis = program
    .command('genesis')
    .description('found a network together with other operators')
  genesis
    .command('member')
    .description('make the keys of a validator in an empty home, and print their public part')
    .addHelpText('after', examples('holdfast --home ~/validator genesis member > alice.json'))
    .action(async (_options: object, command: Command) => {
      const { home, output } = open(command)
      const { memberFile } = await import('../genesis.ts')
      output.result(memberFile(await prepareHome(home)), member => JSON.stringify(member, null, 2))
    })
  genesis
    .command('create')
    .description('make the genesis file from what every operator has printed')
    .argument('<member...>', 'files of `genesis member`, one per validator')
    .requiredOption('--out <file>', 'where to write it')
    .option('--chain-id <id>', 'name of the network: a-z, 0-9 and "-"', 'holdfast')
    .option('--bond <tokens>', 'bond of every validator (default: 1000)', amountArgument)
    .option('--tokens <tokens>', 'what every operator can spend (default: 1000000)', amountArgument)
    .option('--grant <address=tokens>', 'money for somebody else, repeatable', collect)
    .option('--block <duration>', 'least time between blocks (default: 5s)', durationArgument)
    .option('--period <duration>', 'proving period (default: 24h)', durationArgument)
    .addHelpText(
      'after',
      examples(
        'holdfast genesis create alice.json bob.json carol.json dave.json --out genesis.json',
        'holdfast --home ~/validator init --genesis genesis.json --role validator'
      )
    )
    .action(async (files: string[], options: CreateOptions, command: Command) => {
      const { output } = open(command)
      const made = await createGenesisFile(files, options)
      if (files.length < MEMBERS_FOR_ONE_FAULT) {
        output.note('fewer than four validators tolerate no Byzantine fault')
      }
      output.result(made, ({ file, chainId, validators, genesisHash }) =>
        formatFacts([
          ['file', file],
          ['chain', chainId],
          ['validators', validators],
          ['genesis hash', genesisHash],
          ['next', 'give the file to every operator; all compare the genesis hash']
        ])
      )
    })
}

interface MadeGenesis {
  file: string
  chainId: string
  validators: number
  genesisHash: string
}

async function createGenesisFile(files: string[], options: CreateOptions): Promise<MadeGenesis> {
  const { parseMember, sharedGenesis, hashOfGenesis } = await import('../genesis.ts')
  const { paramsFor } = await import('../../src/ledger/params.ts')
  const members: MemberFile[] = []
  for (const file of files) members.push(parseMember(file, await readJsonFile(file)))
  const { chainId, bond = BOND_DEFAULT, tokens = TOKENS_DEFAULT } = options
  const { block = BLOCK_MS_DEFAULT, period = PERIOD_MS_DEFAULT } = options
  const genesis = sharedGenesis({
    chainId,
    params: paramsFor({ blockIntervalMs: block, periodMs: period }),
    members,
    power: wholeTokens(bond),
    memberUnits: tokens,
    grants: (options.grant ?? []).map(grantOf)
  })
  await writeFileAtomic(options.out, `${JSON.stringify(genesis, null, 2)}\n`, GENESIS_FILE_MODE)
  const genesisHash = hashOfGenesis(genesis)
  return { file: options.out, chainId, validators: members.length, genesisHash }
}

function wholeTokens(units: Units): bigint {
  if (units % UNITS_PER_TOKEN === 0n) return units / UNITS_PER_TOKEN
  throw new HoldfastError('INVALID_ARGUMENT', 'a bond is a number of whole tokens')
}

function grantOf(text: string): { address: string; units: Units } {
  const at = text.indexOf('=')
  if (at < 0) throw new HoldfastError('INVALID_ARGUMENT', `not address=tokens: ${text}`)
  return { address: addressArgument(text.slice(0, at)), units: parseTokens(text.slice(at + 1)) }
}
