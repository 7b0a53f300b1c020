/** Opens the replica of a node, and what brings it near its network when it has no block yet. */
import { fromHex } from '../../base/bytes.ts'
import type { Logger } from '../../base/ports.ts'
import {
  type Checkpoint,
  type Genesis,
  type LedgerDb,
  openLedgerDb,
  Replica,
  type ReplicaInit
} from '../../ledger/index.ts'
import type { Config } from '../config.ts'
import type { Net } from '../net/types.ts'
import { lockingErrors } from '../open-database.ts'
import { systemClock } from '../system.ts'
import { StateSync } from './state-sync.ts'

export interface OpenLedgerInit {
  /** Folder of the database. */
  folder: string
  genesis: Genesis
  config: Config
  logger: Logger
}

export interface OpenLedger {
  db: LedgerDb
  replica: Replica
  close(): Promise<void>
}

/** @throws HoldfastError HOME_IN_USE | WRONG_NETWORK | REPLICA_DIVERGED */
export async function openLedger(init: OpenLedgerInit): Promise<OpenLedger> {
  const { folder, genesis, config, logger } = init
  const db = await lockingErrors(folder, () => openLedgerDb(folder))
  const replica = new Replica({ db, genesis, logger, ...policyOf(config) })
  await replica.open()
  return { db, replica, close: () => replica.close().then(() => db.close()) }
}

function policyOf(config: Config): Pick<ReplicaInit, 'snapshots' | 'retainHeights'> {
  const { snapshotEveryHeights: every, retainHeights: retain } = config
  return {
    ...(every > 0 && { snapshots: { everyHeights: BigInt(every) } }),
    ...(retain > 0 && { retainHeights: BigInt(retain) })
  }
}

/** Undefined where there is nothing to bring near: blocks are here, or nobody is known to ask. */
export function stateSyncOf(
  { db, replica }: OpenLedger,
  net: Net,
  { config, logger }: Pick<OpenLedgerInit, 'config' | 'logger'>
): StateSync | undefined {
  if (!config.stateSync || replica.height > 0n || config.bootstrap.length === 0) return undefined
  const checkpoint = checkpointOf(config)
  return new StateSync({
    ...{ net, replica, db, logger, clock: systemClock },
    behindHeights: config.stateSyncBehindHeights,
    ...(checkpoint && { checkpoint })
  })
}

/** From its setting, whose form the schema has checked. */
function checkpointOf({ checkpoint }: Config): Checkpoint | undefined {
  if (checkpoint === '') return undefined
  const [height, hash] = checkpoint.split(':') as [string, string]
  return { height: BigInt(height), blockHash: fromHex(hash) }
}
