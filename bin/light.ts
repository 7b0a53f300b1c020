/** Reads of the ledger by the daemon, or by a light client of this process. */
import type { Command } from 'commander'
import { fromHex } from '../src/base/bytes.ts'
import { HoldfastError } from '../src/base/errors.ts'
import type { LightFacts, LightLedger } from '../src/index.ts'
import type { ControlApi } from '../src/node/control/types.ts'
import { checkpointArgument, collect, countArgument } from './arguments.ts'
import type { Session } from './session.ts'

export interface LightOptions {
  light?: boolean
  witnesses?: number
  bootstrap?: string[]
  checkpoint?: { height: bigint; blockHash: string }
}

const WITNESSES_MAX = 7

export function withLightOptions(command: Command): Command {
  return command
    .option('--light', 'ask peers and check their proofs, without the daemon')
    .option(
      '--witnesses <count>',
      'peers that have to confirm the header (default: 2)',
      countArgument(0, WITNESSES_MAX)
    )
    .option(
      '--bootstrap <address>',
      'peer to ask besides those of the settings, repeatable',
      collect
    )
    .option('--checkpoint <height:hash>', 'recent block to trust', checkpointArgument)
}

/** Asks the daemon; where none runs, or with --light, peers. */
export async function askLedger<T>(
  session: Session,
  options: LightOptions,
  ask: { daemon: (api: ControlApi) => Promise<T>; light: (ledger: LightLedger) => Promise<T> }
): Promise<T> {
  if (options.light === true) return await askPeers(session, options, ask.light)
  try {
    return await ask.daemon(session.api)
  } catch (error) {
    if (!HoldfastError.is(error, 'NOT_RUNNING')) throw error
    session.output.note('no daemon runs for this home: asking peers, with proofs')
    return await askPeers(session, options, ask.light)
  }
}

async function askPeers<T>(
  { home, signal }: Session,
  { witnesses, bootstrap, checkpoint }: LightOptions,
  ask: (ledger: LightLedger) => Promise<T>
): Promise<T> {
  const { openLightLedger } = await import('../src/index.ts')
  const ledger = await openLightLedger({
    home,
    signal,
    ...(witnesses !== undefined && { witnesses }),
    ...(bootstrap && { bootstrap }),
    ...(checkpoint && {
      checkpoint: { height: checkpoint.height, blockHash: fromHex(checkpoint.blockHash) }
    })
  })
  try {
    return await ask(ledger)
  } finally {
    await ledger.close()
  }
}

/** Lines that say why to believe the answer. */
export function lightFacts(light: LightFacts | undefined): (readonly [string, string])[] {
  if (light === undefined) return []
  const { headerHeight, headerTime, witnesses, faulty } = light
  const by = `header ${headerHeight} of ${headerTime}, ${witnesses} witnesses`
  return [
    ['proven under', by],
    ...faulty.map(({ id, reason }) => ['faulty peer', `${id}: ${reason}`] as const)
  ]
}
