/** The client role: the owner's namespace, deals and keys, built and started in order. */
import { extname, join } from 'node:path'
import type { Clock, Logger, Random, Startable } from '../../base/ports.ts'
import type { ClientPolicy } from '../../market/index.ts'
import { createKeyring } from '../../storage/index.ts'
import type { ChainContext } from '../chain/context.ts'
import type { Config } from '../config.ts'
import { DealBook } from '../deals/deal-book.ts'
import type { HomePaths } from '../home-files.ts'
import { type BytesDb, openDatabase } from '../open-database.ts'
import { WorkerPool } from '../workers/pool.ts'
import { ClientDeals } from './client-deals.ts'
import type { ClientContext } from './context.ts'
import { LedgerFactsBook } from './ledger-facts.ts'
import { Names } from './names.ts'
import { OrderBook } from './order-book.ts'
import { QualityBook } from './quality.ts'
import { Releaser } from './releaser.ts'
import { SharedMemory } from './shared-memory.ts'

export interface ClientRoleInit {
  chain: ChainContext
  config: Config
  paths: HomePaths
  /** 32 bytes. */
  contentSecret: Uint8Array
  random: Random
  clock: Clock
  logger: Logger
}

export class ClientRole implements Startable {
  readonly context: ClientContext
  readonly book: DealBook
  readonly #databases: BytesDb[]

  private constructor(context: ClientContext, book: DealBook, databases: BytesDb[]) {
    this.context = context
    this.book = book
    this.#databases = databases
  }

  /** @throws HoldfastError HOME_IN_USE */
  static async open(init: ClientRoleInit): Promise<ClientRole> {
    const { chain, config, paths, contentSecret, random, clock, logger } = init
    const namesDb = await openDatabase(join(paths.client, 'names'))
    const dealsDb = await openDatabase(join(paths.client, 'deals'))
    const names = new Names(namesDb)
    const book = await DealBook.open(dealsDb)
    const measuresDb = await openDatabase(join(paths.client, 'measures'))
    const facts = new LedgerFactsBook(chain.replica, chain.wallet.publicKey)
    const quality = new QualityBook(clock, { ledger: facts, db: measuresDb, logger })
    await quality.open()
    const orderBook = new OrderBook({ ...chain, quality, clock, logger })
    const dealPeriods = Math.min(config.client.dealPeriods, chain.replica.params.dealPeriodsMax)
    const locate = orderBook.locate.bind(orderBook)
    const deals = new ClientDeals({ ...chain, book, random, logger, dealPeriods, locate })
    const context: ClientContext = {
      ...chain,
      keyring: createKeyring(contentSecret),
      names,
      deals,
      quality,
      facts,
      orderBook,
      releaser: new Releaser({ names, deals, logger, signal: chain.signal }),
      random,
      clock,
      logger,
      workers: new WorkerPool({ url: workerUrl() }),
      memory: new SharedMemory(),
      options: {
        profile: config.client.profile,
        dealPeriods,
        policy: policyOf(config),
        unitsPerPeriodMax: config.client.maxUnitsPerPeriod
      }
    }
    return new ClientRole(context, book, [namesDb, dealsDb, measuresDb])
  }

  async start(): Promise<void> {
    await this.context.releaser.start()
  }

  async stop(): Promise<void> {
    await this.context.releaser.stop()
    await this.context.workers.close()
    await this.context.quality.close()
    for (const db of this.#databases) await db.close()
  }
}

function policyOf({ client }: Config): ClientPolicy {
  return {
    priceUnitsPerGiBPeriodMax: client.maxPriceUnitsPerGiBPeriod,
    egressUnitsPerGiBMax: client.maxEgressUnitsPerGiB,
    regionsAllowed: client.regionsAllowed,
    regionsDenied: client.regionsDenied,
    operatorSharePerMilleMax: client.maxOperatorSharePerMille,
    reputationMin: client.minReputation,
    unitsPerPutMax: client.maxUnitsPerPut
  }
}

/** Beside this file, with its extension: `.ts` in a checkout, `.js` when published. */
function workerUrl(): URL {
  return new URL(`./segment-worker${extname(import.meta.url)}`, import.meta.url)
}
