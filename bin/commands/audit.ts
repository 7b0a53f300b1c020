/** holdfast audit CID|DEAL */
import type { Command } from 'commander'
import type { AuditResult } from '../../src/node/control/types.ts'
import { auditArgument } from '../arguments.ts'
import { formatBytes, formatFacts, formatTable } from '../format.ts'
import { type AddCommands, examples } from '../session.ts'

const EXIT_FAILED = 1

export const addAudit: AddCommands = (program, open) => {
  program
    .command('audit')
    .description('have random leaves of an object or a deal shown by whoever holds it')
    .argument('<map|deal>', 'CID of a repair map (see `stat`), or id of a deal', auditArgument)
    .addHelpText('after', '\nNeeds no key and no money of yours. Exit 1 when any provider fails.')
    .addHelpText(
      'after',
      examples(
        'holdfast audit bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
        'holdfast audit 9f2c…e1 --json'
      )
    )
    .action(async (subject: string, _options: object, command: Command) => {
      const { api, output } = open(command)
      const result = await api.audit(subject)
      output.result(result, describe)
      if (!result.ok) process.exitCode = EXIT_FAILED
    })
}

function describe(result: AuditResult): string {
  const failing = result.providers.filter(({ ok }) => !ok).length
  const facts = formatFacts([
    [result.kind, result.id],
    ...(result.profile === undefined
      ? []
      : [['profile', `${result.profile}, ${result.segments} segments`] as const]),
    ['ledger height', result.height],
    ['leaves shown', `${result.leaves}, ${formatBytes(result.transferredBytes)} transferred`],
    ['took', `${(result.elapsedMs / 1000).toFixed(1)} s`],
    ['result', failing === 0 ? statementOf(result) : `${failing} providers fail`]
  ])
  const table = formatTable(
    result.providers,
    [
      ['result', ({ ok }) => (ok ? 'ok' : 'FAILS')],
      ['leaves', ({ leaves }) => leaves],
      ['provider', ({ provider }) => provider],
      ['reason', ({ reason }) => reason ?? '']
    ],
    'nobody holds anything of it'
  )
  return `${facts}\n\n${table}`
}

function statementOf({ kind, loss, confidence, providersToLose }: AuditResult): string {
  const sure = `with ${(Math.floor(confidence * 1e4) / 100).toFixed(2)} %`
  const what = `${loss * 100} % loss excluded ${sure}`
  return kind === 'deal' ? what : `${what} at ${providersToLose} or more providers together`
}
