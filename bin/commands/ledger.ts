/** holdfast ledger status, block H, tx HASH, account ADDRESS, validators, prove, verify */
import type { Command } from 'commander'
import type { LightFacts } from '../../src/index.ts'
import type {
  LedgerAccount,
  LedgerBlock,
  LedgerStatus,
  LedgerTx,
  ValidatorRow
} from '../../src/node/control/ledger-types.ts'
import { addressArgument, countArgument, hashArgument } from '../arguments.ts'
import { formatFacts, formatMoney, formatTable } from '../format.ts'
import { askLedger, type LightOptions, lightFacts, withLightOptions } from '../light.ts'
import { type AddCommands, examples, type OpenSession } from '../session.ts'
import { addProve, addVerify } from './ledger-proof.ts'

type MaybeLight<T> = T & { light?: LightFacts }

export const addLedger: AddCommands = (program, open) => {
  const ledger = program.command('ledger').description('the replicated state of the network')
  addStatus(ledger, open)
  addBlock(ledger, open)
  addTx(ledger, open)
  addAccount(ledger, open)
  addValidators(ledger, open)
  addProve(ledger, open)
  addVerify(ledger, open)
}

function addStatus(ledger: Command, open: OpenSession): void {
  withLightOptions(ledger.command('status'))
    .description('show the newest block: that of this node, or with --light of the network')
    .addHelpText(
      'after',
      examples('holdfast ledger status --json', 'holdfast ledger status --light')
    )
    .action(async (options: LightOptions, command: Command) => {
      const session = open(command)
      const status = await askLedger<MaybeLight<LedgerStatus>>(session, options, {
        daemon: api => api.ledgerStatus(),
        light: light => light.status()
      })
      session.output.result(status, describeStatus)
    })
}

function addBlock(ledger: Command, open: OpenSession): void {
  ledger
    .command('block')
    .description('show a block')
    .argument('<height>', 'height of the block', countArgument(0))
    .addHelpText('after', examples('holdfast ledger block 17'))
    .action(async (height: number, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.ledgerBlock(height), describeBlock)
    })
}

function addTx(ledger: Command, open: OpenSession): void {
  ledger
    .command('tx')
    .description('show where a transaction ended up')
    .argument('<hash>', 'hash of the transaction', hashArgument)
    .addHelpText('after', examples('holdfast ledger tx 5d1e…a0'))
    .action(async (hash: string, _options: object, command: Command) => {
      const { api, output } = open(command)
      output.result(await api.ledgerTx(hash), describeTx)
    })
}

function addAccount(ledger: Command, open: OpenSession): void {
  withLightOptions(ledger.command('account'))
    .description('show what an account has')
    .argument('<address>', 'address of the account', addressArgument)
    .addHelpText('after', examples('holdfast ledger account hf1… --light'))
    .action(async (address: string, options: LightOptions, command: Command) => {
      const session = open(command)
      const account = await askLedger<MaybeLight<LedgerAccount>>(session, options, {
        daemon: api => api.ledgerAccount(address),
        light: light => light.account(address)
      })
      session.output.result(account, describeAccount)
    })
}

function addValidators(ledger: Command, open: OpenSession): void {
  withLightOptions(ledger.command('validators'))
    .description('list the validators and their power')
    .addHelpText('after', examples('holdfast ledger validators'))
    .action(async (options: LightOptions, command: Command) => {
      const session = open(command)
      const rows = await askLedger<ValidatorRow[]>(session, options, {
        daemon: api => api.ledgerValidators(),
        light: async light => {
          const { validators, light: facts } = await light.validators()
          session.output.note(formatFacts(lightFacts(facts)))
          return validators
        }
      })
      session.output.result(rows, describeValidators)
    })
}

function describeStatus(status: MaybeLight<LedgerStatus>): string {
  const tolerated =
    status.faultsTolerated === 0
      ? 'none: fewer than four validators are not Byzantine fault tolerant'
      : `${status.faultsTolerated} validators`
  return formatFacts([
    ['chain', status.chainId],
    ['height', status.height],
    ['period', status.period],
    ['block hash', status.blockHash],
    ['state hash', status.appHash],
    ['validators', status.validators],
    ['faults tolerated', tolerated],
    ...lightFacts(status.light)
  ])
}

function describeBlock(block: LedgerBlock): string {
  const facts = formatFacts([
    ['height', block.height],
    ['time', block.time],
    ['proposer', block.proposer],
    ['block hash', block.blockHash],
    ['state hash', block.appHash]
  ])
  const table = formatTable(
    block.txs,
    [
      ['result', ({ ok, error }) => (ok ? 'ok' : (error ?? 'failed'))],
      ['kind', ({ kind }) => kind],
      ['sender', ({ sender }) => sender],
      ['hash', ({ hash }) => hash]
    ],
    'no transactions'
  )
  return `${facts}\n\n${table}`
}

function describeTx(tx: LedgerTx): string {
  return formatFacts([
    ['hash', tx.hash],
    ['result', tx.ok ? 'ok' : (tx.error ?? 'failed')],
    ['kind', tx.kind],
    ['sender', tx.sender],
    ['fee', formatMoney(tx.feeUnits)],
    ['block', `${tx.height}, transaction ${tx.index}, ${tx.time}`]
  ])
}

function describeAccount(account: MaybeLight<LedgerAccount>): string {
  return formatFacts([
    ['address', account.address],
    ['after height', account.height],
    ['available', formatMoney(account.available)],
    ['in escrow', formatMoney(account.escrow)],
    ['collateral', formatMoney(account.collateral)],
    ['transactions', account.nonce],
    ...lightFacts(account.light)
  ])
}

function describeValidators(rows: readonly ValidatorRow[]): string {
  return formatTable(
    rows,
    [
      ['power', ({ power }) => power],
      ['address', ({ address }) => address],
      ['public key', ({ publicKey }) => publicKey]
    ],
    'no validators'
  )
}
