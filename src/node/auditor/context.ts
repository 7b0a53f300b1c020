/** What an auditor needs: a replica, a network and randomness. No key, no money. */
import type { Clock, Logger, Random } from '../../base/ports.ts'
import type { NetworkId, Replica } from '../../ledger/index.ts'
import type { Net } from '../net/types.ts'
import { Locator } from './locator.ts'

export interface AuditorContext {
  net: Net
  replica: Replica
  network: NetworkId
  locator: Locator
  random: Random
  clock: Clock
  logger: Logger
  /** Aborted when the node stops. */
  signal: AbortSignal
}

export function createAuditor(init: Omit<AuditorContext, 'locator'>): AuditorContext {
  const { net, clock, signal } = init
  return { ...init, locator: new Locator(net, clock, signal) }
}
