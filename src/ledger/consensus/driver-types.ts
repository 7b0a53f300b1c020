/** What the consensus driver is made of and what it shows. */
import type { HoldfastError } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import type { BeaconKey } from '../beacon.ts'
import type { Mempool } from '../mempool.ts'
import type { Replica } from '../replica.ts'
import type { Rules } from './height-run.ts'
import type { JournalFiles } from './journal.ts'
import type { ConsensusClock, ConsensusNet, ConsensusRandom } from './ports.ts'
import type { Misbehaviour, Sender, Timeouts, Verifier } from './types.ts'

export interface DriverInit {
  /** Open. Others may apply blocks to it at the same time. */
  replica: Replica
  mempool: Pick<Mempool, 'candidates'>
  validatorKey: SigningKey
  beaconKey: BeaconKey
  /** Two append-only files that belong to this key alone, outside the database; the caller opens and closes them. */
  files: JournalFiles
  clock: ConsensusClock
  random: ConsensusRandom
  net: ConsensusNet
  logger: Logger
  /** @default TIMEOUTS_DEFAULT */
  timeouts?: Timeouts
  /** @default realVerifier */
  verifier?: Verifier
  /** Size at which the journal changes files. @default JOURNAL_ROTATE_BYTES */
  journalRotateBytes?: number
  /**
   * Refuse to sign at a height where a peer shows a vote of this key that the journal lacks: the journal is older than
   * the key's last use (a restored backup, or the key runs twice). @default true
   */
  refusesForeignVotes?: boolean
  /** A peer speaks of a height above the open one: a hint to look for newer blocks. */
  onBehind?(height: bigint, from: Sender): void
  onEvidence?(evidence: Misbehaviour): void
  /** The rules; tests put broken ones in their place. @default RULES */
  rules?: Rules
}

/**
 * `waiting`: between two heights. `voting`: a member of the set. `watching`: not in the set. `read-only`: a disk error
 * or a diverged replica; no votes and no blocks from here until a restart, late messages are still answered.
 */
export type DriverState =
  | { kind: 'stopped' | 'waiting' | 'voting' | 'watching' }
  | { kind: 'read-only'; error: HoldfastError }

export interface ConsensusDriver extends Startable {
  /**
   * @throws HoldfastError JOURNAL_DAMAGED, STORE_READ_ONLY; CONFIG_INVALID when the beacon key is not that of the set
   */
  start(): Promise<void>
  /** Ends the turn under way. */
  stop(): Promise<void>
  readonly state: DriverState
  /** The height that is open, and its view; view 0 while waiting. */
  readonly position: { height: bigint; view: bigint }
}
