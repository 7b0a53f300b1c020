/** The validator role: takes transactions, makes blocks at the network's pace, and serves them like everyone else. */
import { setTimeout } from 'node:timers/promises'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import type { KeySet } from '../../base/seed.ts'
import {
  createEmbeddedEngine,
  type EmbeddedEngine,
  Mempool,
  type Replica
} from '../../ledger/index.ts'
import { serveTransactions } from '../chain/serve-txs.ts'
import type { Net } from '../net/types.ts'
import { systemClock } from '../system.ts'

export const VALIDATOR_ROLE = 'validator'

export interface ValidatorRoleInit {
  net: Net
  replica: Replica
  keys: KeySet
  logger: Logger
}

export class ValidatorRole implements Startable {
  readonly mempool: Mempool
  readonly #init: ValidatorRoleInit
  readonly #engine: EmbeddedEngine
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()

  constructor(init: ValidatorRoleInit) {
    const { net, replica, keys } = init
    this.#init = init
    this.mempool = new Mempool(replica)
    this.#engine = createEmbeddedEngine({
      replica,
      mempool: this.mempool,
      validatorKey: keys.validator,
      beaconSecret: keys.beaconSecret
    })
    serveTransactions(net, this.mempool)
  }

  async start(): Promise<void> {
    this.#init.net.announce(VALIDATOR_ROLE)
    this.#running = this.#produce()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    this.mempool.close()
  }

  /** One block per interval, counted from the last block's time so that a pause is not made up for. */
  async #produce(): Promise<void> {
    const { replica, logger } = this.#init
    const { signal } = this.#stop
    while (!signal.aborted) {
      const dueMs = Number(replica.head().timeMs) + replica.params.blockIntervalMs
      const waitMs = Math.max(0, dueMs - systemClock.nowMs())
      await setTimeout(waitMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      try {
        await this.#engine.proposeAndFinalize(systemClock.nowMs())
      } catch (error) {
        logger.error('block.failed', { reason: messageOf(error) })
        if (HoldfastError.is(error) && !error.retryable) return
        throw error
      }
    }
  }
}
