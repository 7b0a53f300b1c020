/** What the steps of the client role share. Built once by `client.ts`, passed explicitly. */
import type { SigningKey } from '../../base/keys.ts'
import type { Units } from '../../base/money.ts'
import type { Clock, Logger, Random } from '../../base/ports.ts'
import type { NetworkId, Replica } from '../../ledger/index.ts'
import type { ClientPolicy } from '../../market/index.ts'
import type { Keyring } from '../../storage/index.ts'
import type { Net } from '../net/types.ts'
import type { ClientDeals } from './client-deals.ts'
import type { LedgerFactsBook } from './ledger-facts.ts'
import type { Names } from './names.ts'
import type { OrderBook } from './order-book.ts'
import type { QualityBook } from './quality.ts'
import type { Releaser } from './releaser.ts'
import type { SegmentWorkers } from './segment-tasks.ts'
import type { SharedMemory } from './shared-memory.ts'

export interface ClientOptions {
  /** "k/n" when a put names none. */
  profile: string
  /** Periods a new deal runs. */
  dealPeriods: number
  policy: ClientPolicy
  /** Most that all deals may cost in one period. */
  unitsPerPeriodMax: Units
}

export interface ClientContext {
  net: Net
  replica: Replica
  network: NetworkId
  wallet: SigningKey
  keyring: Keyring
  names: Names
  deals: ClientDeals
  orderBook: OrderBook
  quality: QualityBook
  facts: LedgerFactsBook
  releaser: Releaser
  workers: SegmentWorkers
  /** What is under way between the network and the workers. */
  memory: SharedMemory
  random: Random
  clock: Clock
  logger: Logger
  options: ClientOptions
  /** Aborted when the node stops. */
  signal: AbortSignal
}
