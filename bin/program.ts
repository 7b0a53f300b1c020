/** The tree of commands. */
import { Command, Option } from 'commander'
import { addAudit } from './commands/audit.ts'
import { addBench } from './commands/bench.ts'
import { addCompletion } from './commands/completion.ts'
import { addDeals } from './commands/deals.ts'
import { addDevnet } from './commands/devnet.ts'
import { addEvidence } from './commands/evidence.ts'
import { addGenesis } from './commands/genesis.ts'
import { addGet } from './commands/get.ts'
import { addGovernance } from './commands/governance.ts'
import { addInit } from './commands/init.ts'
import { addLedger } from './commands/ledger.ts'
import { addObjects } from './commands/objects.ts'
import { addPeers } from './commands/peers.ts'
import { addPieceCid } from './commands/piece-cid.ts'
import { addProvider } from './commands/provider.ts'
import { addPut } from './commands/put.ts'
import { addQuote } from './commands/quote.ts'
import { addRepairMap } from './commands/repair-map.ts'
import { addStart } from './commands/start.ts'
import { addStatus } from './commands/status.ts'
import { addStop } from './commands/stop.ts'
import { addValidator } from './commands/validator.ts'
import { addWallet } from './commands/wallet.ts'
import { type AddCommands, examples, type OpenSession } from './session.ts'
import { version } from './version.ts'

/** In the order of the help. */
const GROUPS: readonly AddCommands[] = [
  addInit,
  addStart,
  addStop,
  addStatus,
  addPut,
  addGet,
  addObjects,
  addDeals,
  addAudit,
  addEvidence,
  addRepairMap,
  addQuote,
  addProvider,
  addWallet,
  addLedger,
  addValidator,
  addGovernance,
  addGenesis,
  addPeers,
  addPieceCid,
  addDevnet,
  addBench,
  addCompletion
]

/** Throws CommanderError instead of ending the process. */
export function createProgram(open: OpenSession): Command {
  const program = new Command('holdfast')
    .description('Decentralized storage: encrypted, erasure-coded, proven, paid for.')
    .version(version())
    .addOption(
      new Option('--home <dir>', 'home of the node (default: "~/.holdfast")').env('HOLDFAST_HOME')
    )
    .option('--json', 'print results as JSON')
    .option('--verbose', 'show stack traces')
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      examples(
        'holdfast devnet --dir /tmp/net',
        'holdfast --home /tmp/net/client-1 put photo.jpg /photos/cat.jpg',
        'holdfast --home /tmp/net/client-1 get /photos/cat.jpg -o copy.jpg'
      )
    )
  for (const add of GROUPS) add(program, open)
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .configureOutput({ outputError: () => {} }) // main prints every error, in one way
      .configureHelp({ showGlobalOptions: true })
  }
  return program
}

/** A command and all below it. */
export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)]
}
