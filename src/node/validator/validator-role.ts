/**
 * The validator role: a mempool, links to the other validators, and the consensus driver between them. In the set or
 * not, alone or among a hundred, it is the same: the driver votes when its key is in the set of the open height.
 */
import { join } from 'node:path'
import { equal } from '../../base/bytes.ts'
import { messageOf } from '../../base/errors.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import type { KeySet } from '../../base/seed.ts'
import {
  type AppendFile,
  beaconKeyFromSecret,
  type ConsensusDriver,
  createDriver,
  Mempool,
  type Misbehaviour,
  type Replica,
  TIMEOUTS_DEFAULT
} from '../../ledger/index.ts'
import { serveTransactions } from '../chain/serve-txs.ts'
import { VALIDATOR_ROLE } from '../chain/validators.ts'
import { makePrivateFolder } from '../home-files.ts'
import type { Net } from '../net/types.ts'
import { systemClock } from '../system.ts'
import { openAppendFile } from './append-file.ts'
import { consensusClock, consensusRandom } from './consensus-system.ts'
import { ValidatorLinks } from './links.ts'

export interface ValidatorRoleInit {
  net: Net
  replica: Replica
  keys: KeySet
  /** Folder of the consensus journal. */
  folder: string
  /** T_leader of the first view of a height. */
  leaderTimeoutMs: number
  logger: Logger
}

type Files = [AppendFile, AppendFile]

export class ValidatorRole implements Startable {
  readonly mempool: Mempool
  /** What to do with the proof that a validator contradicted itself. */
  onEvidence: (evidence: Misbehaviour) => void = () => {}
  readonly #init: ValidatorRoleInit
  readonly #files: Files
  readonly #links: ValidatorLinks
  readonly #driver: ConsensusDriver
  readonly #stop = new AbortController()

  /** Opens the journal. */
  static async open(init: ValidatorRoleInit): Promise<ValidatorRole> {
    await makePrivateFolder(init.folder)
    const files: Files = [
      await openAppendFile(join(init.folder, 'journal-0')),
      await openAppendFile(join(init.folder, 'journal-1'))
    ]
    return new ValidatorRole(init, files)
  }

  private constructor(init: ValidatorRoleInit, files: Files) {
    const { net, replica, keys, logger } = init
    this.#init = init
    this.#files = files
    this.mempool = new Mempool(replica)
    this.#links = new ValidatorLinks({
      net,
      genesisHash: replica.network.genesisHash,
      validatorKey: keys.validator,
      isMember: publicKey =>
        replica.validators().some(member => equal(member.publicKey, publicKey)),
      membersCount: () => replica.validators().length,
      nowMs: systemClock.nowMs,
      logger
    })
    this.#driver = createDriver({
      replica,
      mempool: this.mempool,
      validatorKey: keys.validator,
      beaconKey: beaconKeyFromSecret(keys.beaconSecret),
      files,
      clock: consensusClock,
      random: consensusRandom,
      net: this.#links,
      logger,
      timeouts: { ...TIMEOUTS_DEFAULT, leaderMs: init.leaderTimeoutMs },
      onEvidence: evidence => this.onEvidence(evidence)
    })
    const { signal } = this.#stop
    serveTransactions({ net, mempool: this.mempool, logger, signal })
  }

  async start(): Promise<void> {
    this.#init.net.announce(VALIDATOR_ROLE)
    await this.#links.start()
    await this.#driver.start()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#driver.stop()
    await this.#links.stop()
    this.mempool.close()
    for (const file of this.#files) {
      await file.close().catch(error => {
        this.#init.logger.warn('validator.journal', { reason: messageOf(error) })
      })
    }
  }
}
