/** holdfast ledger prove, verify: one file that shows offline what the ledger says of a record */
import { readFile, stat } from 'node:fs/promises'
import { Argument, type Command, Option } from 'commander'
import { HoldfastError, messageOf } from '../../src/base/errors.ts'
import type { LedgerProof, ProvenKind } from '../../src/node/control/ledger-types.ts'
import { encodeJson } from '../../src/node/control/wire.ts'
import { readJsonFile } from '../../src/node/home-files.ts'
import {
  checkpointArgument,
  countArgument,
  durationArgument,
  hashArgument,
  UsageError
} from '../arguments.ts'
import { formatBytes, formatDuration, formatFacts } from '../format.ts'
import type { ProofReport } from '../proof-check.ts'
import { examples, type OpenSession } from '../session.ts'
import { openTarget } from '../target.ts'

interface ProveOptions {
  output: string
  from?: number
}

interface VerifyOptions {
  genesis?: string
  genesisHash?: string
  checkpoint?: { height: bigint; blockHash: string }
  trustingPeriod?: number
}

const KINDS: readonly ProvenKind[] = ['account', 'deal', 'provider']

export function addProve(ledger: Command, open: OpenSession): void {
  ledger
    .command('prove')
    .description('make a file that shows offline what the ledger says')
    .addArgument(new Argument('<kind>', 'of what').choices(KINDS))
    .argument('<key>', 'address, deal id, or address or peer id of a provider')
    .requiredOption('-o, --output <file>', 'file to write')
    .option('--from <height>', 'start from this block instead of the genesis', countArgument(1))
    .addHelpText(
      'after',
      examples(
        'holdfast ledger prove account hf1… -o balance.proof',
        'holdfast ledger verify --help'
      )
    )
    .action(async (kind: ProvenKind, key: string, options: ProveOptions, command: Command) => {
      const { api, output, signal } = open(command)
      const { file, ...made } = await api.ledgerProve(kind, key, options.from)
      const target = await openTarget(options.output, signal)
      try {
        await target.write(Buffer.from(file, 'base64'))
        await target.commit()
      } finally {
        await target.abandon()
      }
      output.result({ output: options.output, ...made }, describeMade)
    })
}

function describeMade(made: Omit<LedgerProof, 'file'> & { output: string }): string {
  const { output, bytes, kind, key, exists, height, genesisHash, checkpoint } = made
  return formatFacts([
    ['written', `${output}, ${formatBytes(bytes)}`],
    ['shows', `${exists ? '' : 'that there is no '}${kind} ${key} after height ${height}`],
    checkpoint === undefined
      ? ['trust in', `genesis ${genesisHash}`]
      : ['trust in', `checkpoint ${checkpoint.height}:${checkpoint.blockHash}`]
  ])
}

export function addVerify(ledger: Command, open: OpenSession): void {
  ledger
    .command('verify')
    .description('check such a file, without daemon, home or network')
    .argument('<file>', 'the file')
    .addOption(new Option('--genesis <file>', 'genesis of the network').conflicts('genesisHash'))
    .option('--genesis-hash <hex>', 'its hash, which is enough', hashArgument)
    .option('--checkpoint <height:hash>', 'recent block to start from', checkpointArgument)
    .option(
      '--trusting-period <duration>',
      'how old the start may be (default: 216h)',
      durationArgument
    )
    .addHelpText(
      'after',
      examples(
        'holdfast ledger verify balance.proof --genesis genesis.json',
        'holdfast ledger verify balance.proof --genesis-hash 3a91…07 --json'
      )
    )
    .action(async (file: string, options: VerifyOptions, command: Command) => {
      const { output } = open(command)
      const genesisHash = await genesisHashOf(options)
      const { checkProof } = await import('../proof-check.ts')
      const { PROOF_FILE_BYTES_MAX } = await import('../../src/ledger/light/proof-file.ts')
      const { TRUSTING_PERIOD_MS_DEFAULT } = await import('../../src/ledger/light/verify.ts')
      const { checkpoint, trustingPeriod } = options
      const report = checkProof(await readBounded(file, PROOF_FILE_BYTES_MAX), {
        genesisHash,
        ...(checkpoint && { checkpoint }),
        trustingPeriodMs:
          trustingPeriod === undefined ? TRUSTING_PERIOD_MS_DEFAULT : BigInt(trustingPeriod),
        nowMs: BigInt(Date.now())
      })
      output.result(report, describe)
    })
}

async function genesisHashOf({ genesis: file, genesisHash }: VerifyOptions): Promise<string> {
  if (genesisHash !== undefined) return genesisHash
  if (file === undefined) {
    throw new UsageError(
      new HoldfastError('INVALID_ARGUMENT', 'nothing says which network to trust', {
        hint: 'give --genesis FILE or --genesis-hash HEX'
      })
    )
  }
  const json = await readJsonFile(file)
  if (json === undefined) throw new HoldfastError('INVALID_ARGUMENT', `there is no file ${file}`)
  const { parseGenesis } = await import('../../src/ledger/genesis-json.ts')
  const { genesisHashOf: hashOf } = await import('../../src/ledger/genesis.ts')
  return Buffer.from(hashOf(parseGenesis(json))).toString('hex')
}

async function readBounded(file: string, bytesMax: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(file)
    if (size > bytesMax) {
      throw new HoldfastError('PROOF_INVALID', `${file} is too large to be a proof file`)
    }
    return new Uint8Array(await readFile(file))
  } catch (cause) {
    if (HoldfastError.is(cause)) throw cause
    throw new HoldfastError('INVALID_ARGUMENT', `cannot read ${file}: ${messageOf(cause)}`, {
      cause
    })
  }
}

function describe(report: ProofReport): string {
  const { table, key, exists, record } = report
  return formatFacts([
    ['network', `${report.chainId}, genesis ${report.genesisHash}`],
    ['state', `after height ${report.height}`],
    ['block above', `${report.headerHash}, ${report.time}`],
    ['trusting period', formatDuration(report.trustingPeriodMs)],
    [table, key],
    ['record', exists ? encodeJson(record) : 'there is none']
  ])
}
