/** holdfast evidence export, verify: one file that shows offline what the ledger says of deals */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { fromHex } from '../../src/base/bytes.ts'
import { HoldfastError, messageOf } from '../../src/base/errors.ts'
import type {
  DealEvidence,
  EvidenceReport,
  VerifyEvidenceInit
} from '../../src/evidence/browser.ts'
import type { EvidenceSubject } from '../../src/node/control/types.ts'
import { homePaths, readJsonFile } from '../../src/node/home-files.ts'
import { checkpointArgument, dealArgument, hashArgument, mapArgument } from '../arguments.ts'
import { formatBytes, formatFacts, formatMoney, formatTable } from '../format.ts'
import { type AddCommands, examples, type OpenSession } from '../session.ts'

interface ExportOptions {
  deal?: string
  object?: string
  output: string
}

interface VerifyOptions {
  genesis?: string
  checkpoint?: { height: bigint; blockHash: string }
}

export const addEvidence: AddCommands = (program, open) => {
  const evidence = program
    .command('evidence')
    .description('files that show offline who holds what, what was proven and what was paid')
  addExport(evidence, open)
  addVerify(evidence, open)
}

function addExport(evidence: Command, open: OpenSession): void {
  evidence
    .command('export')
    .description('make the evidence of a deal, or of all deals of an object')
    .addOption(
      new Option('--deal <id>', 'id of the deal').argParser(dealArgument).conflicts('object')
    )
    .addOption(new Option('--object <cid>', 'CID of the repair map').argParser(mapArgument))
    .requiredOption('-o, --output <file>', 'file to write')
    .addHelpText(
      'after',
      examples(
        'holdfast evidence export --deal 9f2c…e1 -o deal.evidence',
        'holdfast evidence export --object bafyrei… -o cat.evidence'
      )
    )
    .action(async ({ deal, object, output: file }: ExportOptions, command: Command) => {
      const { api, output } = open(command)
      const { bundle, ...made } = await api.exportEvidence(subjectOf(deal, object))
      await writeFile(file, Buffer.from(bundle, 'base64'))
      output.result({ file, ...made }, ({ bytes, deals, height, genesisHash, checkpoint }) =>
        formatFacts([
          ['written', `${file}, ${formatBytes(bytes)}`],
          ['shows', `${deals} deals at height ${height}`],
          checkpoint === undefined
            ? ['trust in', `genesis ${genesisHash}`]
            : ['trust in', `checkpoint ${checkpoint.height}:${checkpoint.blockHash}`]
        ])
      )
    })
}

function subjectOf(deal: string | undefined, repairMap: string | undefined): EvidenceSubject {
  if (deal !== undefined) return { deal }
  if (repairMap !== undefined) return { repairMap }
  throw new HoldfastError('INVALID_ARGUMENT', 'say of what: --deal ID or --object CID')
}

function addVerify(evidence: Command, open: OpenSession): void {
  evidence
    .command('verify')
    .description('check a file of evidence, offline, and say what it shows')
    .argument('<file>', 'the file')
    .option('--genesis <hash>', 'genesis hash to trust (default: that of this home)', hashArgument)
    .option('--checkpoint <height:hash>', 'recent block to trust', checkpointArgument)
    .addHelpText(
      'after',
      examples(
        'holdfast evidence verify deal.evidence',
        'holdfast evidence verify deal.evidence --genesis 3a91…07 --json'
      )
    )
    .action(async (file: string, options: VerifyOptions, command: Command) => {
      const { home, output } = open(command)
      const { EVIDENCE_BYTES_MAX, verifyEvidence } = await import('../../src/evidence/browser.ts')
      const bytes = await readBounded(file, EVIDENCE_BYTES_MAX)
      const trust = await trustOf(home, options)
      const report = verifyEvidence(bytes, { trust, nowMs: BigInt(Date.now()) })
      output.result(report, describe)
      if (!report.trustIsRecent) {
        output.note(
          'the start of trust is old: a recent --checkpoint from somebody you trust is better'
        )
      }
    })
}

async function readBounded(file: string, bytesMax: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(file)
    if (size > bytesMax) {
      throw new HoldfastError('PROOF_INVALID', `${file} is too large to be evidence`)
    }
    return new Uint8Array(await readFile(file))
  } catch (cause) {
    if (HoldfastError.is(cause)) throw cause
    throw new HoldfastError('INVALID_ARGUMENT', `cannot read ${file}: ${messageOf(cause)}`, {
      cause
    })
  }
}

/** @throws HoldfastError HOME_MISSING when neither a flag nor a home says what to trust */
async function trustOf(
  home: string,
  { genesis, checkpoint }: VerifyOptions
): Promise<VerifyEvidenceInit['trust']> {
  if (genesis !== undefined && checkpoint === undefined) return { genesisHash: fromHex(genesis) }
  const raw = await readJsonFile(homePaths(home).genesis)
  if (raw === undefined) {
    throw new HoldfastError('HOME_MISSING', 'nothing says which network to trust', {
      hint: 'give --genesis HASH, or use the home of a node of the network'
    })
  }
  const { parseGenesis } = await import('../../src/ledger/genesis-json.ts')
  const { genesisHashOf } = await import('../../src/ledger/genesis.ts')
  const parsed = parseGenesis(raw)
  const genesisHash = genesisHashOf(parsed)
  if (checkpoint === undefined) return { genesisHash }
  const { height, blockHash } = checkpoint
  const network = { chainId: parsed.chainId, genesisHash }
  return { network, checkpoint: { height, blockHash: fromHex(blockHash) } }
}

function describe(report: EvidenceReport): string {
  const { object } = report
  const facts = formatFacts([
    ['network', `${report.chainId}, genesis ${report.genesisHash}`],
    ['state', `after height ${report.height}, period ${report.period}`],
    ['block', `${report.headerHash}, ${new Date(report.timeMs).toISOString()}`],
    ...(object === undefined
      ? []
      : [
          ['object', object.repairMap] as const,
          [
            'pieces',
            `${object.heldPieces} of ${object.pieces} in these deals (${object.profile})`
          ] as const
        ])
  ])
  return `${facts}\n\n${report.deals.map(describeDeal).join('\n\n')}`
}

function describeDeal(deal: DealEvidence): string {
  const facts = formatFacts([
    ['deal', deal.id],
    ['provider', deal.provider],
    ['client', deal.client],
    ['until period', deal.endPeriod],
    ['proven', `${deal.provenPeriods} periods, ${deal.missedPeriods} missed`],
    ['paid', formatMoney(deal.paidUnits)],
    ['escrow', formatMoney(deal.escrowUnits)]
  ])
  const table = formatTable(
    deal.contents,
    [
      ['revision', ({ revision }) => revision],
      ['from period', ({ fromPeriod }) => fromPeriod],
      ['proven', ({ provenPeriods }) => provenPeriods],
      ['size', ({ bytes }) => formatBytes(bytes)],
      ['root', ({ root }) => root]
    ],
    'nothing on the ledger yet'
  )
  return `${facts}\n${table}`
}
