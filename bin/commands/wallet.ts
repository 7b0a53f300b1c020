/** holdfast wallet address, balance, send, phrase, restore */
import type { Command } from 'commander'
import type { Units } from '../../src/base/money.ts'
import { addressArgument, amountArgument } from '../arguments.ts'
import { formatFacts, formatMoney } from '../format.ts'
import { type AddCommands, examples, type OpenSession } from '../session.ts'

export const addWallet: AddCommands = (program, open) => {
  const wallet = program.command('wallet').description('money and the seed phrase')
  addReading(wallet, open)
  addSend(wallet, open)
  addRestore(wallet, open)
}

function addReading(wallet: Command, open: OpenSession): void {
  wallet
    .command('address')
    .description('show the address of this wallet')
    .addHelpText('after', examples('holdfast wallet address'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.walletAddress(), ({ address }) => address)
    })
  wallet
    .command('balance')
    .description('show what is available and what is locked')
    .addHelpText('after', examples('holdfast wallet balance --json'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.walletBalance(), balance =>
        formatFacts([
          ['address', balance.address],
          ['available', formatMoney(balance.available)],
          ['in escrow', formatMoney(balance.escrow)],
          ['collateral', formatMoney(balance.collateral)]
        ])
      )
    })
  wallet
    .command('phrase')
    .description('show the 24 words from which everything can be restored')
    .addHelpText('after', examples('holdfast wallet phrase'))
    .action(async (_options: object, command: Command) => {
      const { api, output } = open(command)
      if (!output.json) output.note('whoever knows these words has your money and your data')
      output.result(await api.walletPhrase(), ({ phrase }) => phrase)
    })
}

function addSend(wallet: Command, open: OpenSession): void {
  wallet
    .command('send')
    .description('send tokens and wait until the ledger has it')
    .argument('<to>', 'address of the receiver', addressArgument)
    .argument('<amount>', 'tokens, for example 1.5', amountArgument)
    .addHelpText('after', examples('holdfast wallet send hf1… 1.5'))
    .action(async (to: string, amount: Units, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(
        await api.walletSend(to, amount),
        sent => `sent ${formatMoney(sent.units)} to ${sent.to}\n${sent.tx} at height ${sent.height}`
      )
    })
}

interface RestoreOptions {
  networkOf: string
}

function addRestore(wallet: Command, open: OpenSession): void {
  wallet
    .command('restore')
    .description('make a home from a seed phrase and the network of another home')
    .requiredOption('--network-of <home>', 'home whose network to join')
    .requiredOption('--phrase-stdin', 'read the phrase from stdin')
    .addHelpText(
      'after',
      examples('holdfast --home new wallet restore --network-of old --phrase-stdin < phrase.txt')
    )
    .action(async ({ networkOf }: RestoreOptions, command: Command) => {
      const { home, output } = open(command)
      const { restoreHome } = await import('../setup.ts')
      const result = await restoreHome({ home, networkOf, phrase: await readPhrase() })
      output.result(result, ({ address }) => `restored ${address} in ${home}`)
    })
}

/** Longer than any phrase: the rest of a wrong file is not read. */
const PHRASE_CHARACTERS_MAX = 1024

async function readPhrase(): Promise<string> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) {
    text += chunk as string
    if (text.length > PHRASE_CHARACTERS_MAX) break
  }
  return text
}
