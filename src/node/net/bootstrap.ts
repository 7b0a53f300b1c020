/**
 * Finds a first peer: dials the bootstrap addresses until one answers, and again whenever no peer is left. Having none,
 * or reaching none, is no error: the first node of a network has nobody to call.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { toHoldfastError } from '../../base/errors.ts'
import type { Logger } from '../../base/ports.ts'
import { BOOTSTRAP_BACKOFF_MS_MAX, BOOTSTRAP_BACKOFF_MS_MIN, FOREIGN_PEER_MS } from './limits.ts'

export interface BootstrapInit {
  addresses: readonly string[]
  connect: (address: string) => Promise<unknown>
  alone: () => boolean
  logger: Logger
  /** Pause after the first failure, doubled by each. @default 500 */
  backoffMsMin?: number
  /** Ends the search for good. */
  signal: AbortSignal
}

export class Bootstrap {
  readonly #init: BootstrapInit
  readonly #parkedUntilMs = new Map<string, number>()
  #searching = false

  constructor(init: BootstrapInit) {
    this.#init = init
  }

  /** Starts a search unless one is running or there are peers. */
  async search(): Promise<void> {
    const { addresses, alone, signal } = this.#init
    if (this.#searching || addresses.length === 0) return
    this.#searching = true
    const { backoffMsMin = BOOTSTRAP_BACKOFF_MS_MIN } = this.#init
    for (let backoffMs = backoffMsMin; alone() && !signal.aborted; ) {
      await Promise.all(addresses.map(address => this.#try(address)))
      if (!alone()) break
      // jitter: a network that restarts together must not call together for ever
      await sleep(backoffMs * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(
        () => {}
      )
      backoffMs = Math.min(backoffMs * 2, BOOTSTRAP_BACKOFF_MS_MAX)
    }
    this.#searching = false
  }

  async #try(address: string): Promise<void> {
    const { connect, logger, signal } = this.#init
    if ((this.#parkedUntilMs.get(address) ?? 0) > Date.now()) return
    try {
      await connect(address)
    } catch (error) {
      if (signal.aborted) return
      const { code, message } = toHoldfastError(error)
      logger.debug('net.bootstrap.failed', { address, code, reason: message })
      if (code === 'WRONG_NETWORK') {
        logger.warn('net.bootstrap.foreign', { address })
        this.#parkedUntilMs.set(address, Date.now() + FOREIGN_PEER_MS)
      } else if (code === 'INVALID_ARGUMENT') {
        // our own address, usually
        this.#parkedUntilMs.set(address, Infinity)
      }
    }
  }
}
