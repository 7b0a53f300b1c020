/** The settings of a node's replica of the ledger. */
import { z } from 'zod'
import { setting } from './config-setting.ts'

export interface ReplicaConfig {
  stateSync: boolean
  stateSyncBehindHeights: number
  checkpoint: string
  snapshotEveryHeights: number
  retainHeights: number
}

const HEIGHTS_MAX = 2 ** 40
/** A replica that is no further behind executes the blocks: that is as fast. */
const STATE_SYNC_BEHIND_HEIGHTS_DEFAULT = 1_000
/** Fourteen hours at the usual pace: what is above a snapshot is executed in minutes. */
const SNAPSHOT_EVERY_HEIGHTS_DEFAULT = 10_000
const RETAIN_HEIGHTS_MIN = 100

const heights = z.int().min(0).max(HEIGHTS_MAX)

interface ReplicaShape {
  stateSync: z.ZodDefault<z.ZodBoolean>
  stateSyncBehindHeights: z.ZodDefault<z.ZodInt>
  checkpoint: z.ZodDefault<z.ZodString>
  snapshotEveryHeights: z.ZodDefault<z.ZodInt>
  retainHeights: z.ZodDefault<z.ZodInt>
}

export const replicaShape: ReplicaShape = {
  stateSync: setting(
    z.boolean().default(true),
    'true or false',
    'Whether an empty replica begins with a snapshot instead of all blocks; needs three peers.'
  ),
  stateSyncBehindHeights: setting(
    heights.default(STATE_SYNC_BEHIND_HEIGHTS_DEFAULT),
    `blocks, 0 to ${HEIGHTS_MAX}`,
    'Only a replica that is further behind begins with a snapshot.'
  ),
  checkpoint: setting(
    z
      .string()
      .regex(/^([1-9]\d{0,14}:[0-9a-f]{64})?$/)
      .default(''),
    'HEIGHT:HASH, the hash in hex; empty for none',
    'A block from somebody you trust; needed once the genesis is older than nine days.'
  ),
  snapshotEveryHeights: setting(
    heights.default(SNAPSHOT_EVERY_HEIGHTS_DEFAULT),
    `blocks, 0 to ${HEIGHTS_MAX}; 0 for none`,
    'How often a snapshot of the state is made for replicas that begin; the two newest are kept.'
  ),
  retainHeights: setting(
    heights.refine(value => value === 0 || value >= RETAIN_HEIGHTS_MIN).default(0),
    `blocks, ${RETAIN_HEIGHTS_MIN} to ${HEIGHTS_MAX}; 0 for all`,
    'How many of the newest blocks are kept; peers that are further behind have to begin with a snapshot.'
  )
}
