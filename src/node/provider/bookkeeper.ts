/**
 * What a provider owes its books after each block: registers itself, posts the newest revisions once per period,
 * settles and closes deals, lets go of pieces whose removal is final and of leases that ran out. Every duty can be
 * repeated.
 */
import { toHex } from '../../base/bytes.ts'
import { messageOf } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import type { Logger, Startable } from '../../base/ports.ts'
import { type DealView, dealTermsType, type Replica, revisionType } from '../../ledger/index.ts'
import type { PieceStore } from '../../storage/index.ts'
import type { TxSender } from '../chain/tx-sender.ts'
import type { DealBook, DealFile } from '../deals/deal-book.ts'
import type { PieceEntry } from '../deals/types.ts'
import type { Leases } from './leases.ts'
import { postHeight } from './schedule.ts'

/** Pay is pulled about this often while a deal runs, counted in expected block time; the rest comes at its end. */
const SETTLE_EVERY_MS = 24 * 60 * 60_000
/** A deal that never came to the ledger is forgotten this long after it could have. */
const UNOPENED_HEIGHTS = 1_200n
/** A piece whose lease has ended and that our books still name is looked at again after so many periods. */
const CHECK_PERIODS = 64

export interface BookkeeperComponents {
  replica: Replica
  book: DealBook
  store: PieceStore
  leases: Leases
  sender: TxSender
  wallet: SigningKey
  logger: Logger
}

export class Bookkeeper implements Startable {
  readonly #components: BookkeeperComponents
  /** Duties under way or done for good, by key. */
  readonly #inFlight = new Set<string>()
  #unsubscribe: () => void = () => {}
  #cleaning: Promise<void> = Promise.resolve()
  #lastPeriod = -1n
  readonly #settleEvery: bigint
  #stopped = false

  constructor(components: BookkeeperComponents) {
    this.#components = components
    const { blockIntervalMs, periodHeights } = components.replica.params
    const periodMs = blockIntervalMs * periodHeights
    // On a devnet with short periods pay is pulled every period, so that people see money move.
    this.#settleEvery =
      periodMs < SETTLE_EVERY_MS / 24 ? 0n : BigInt(Math.round(SETTLE_EVERY_MS / periodMs))
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#components.replica.onBlock(() => this.#look())
    this.#look()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#unsubscribe()
    await this.#cleaning
  }

  #look(): void {
    const { replica, book } = this.#components
    const period = replica.period()
    for (const file of book.all()) {
      const record = replica.deal(file.id)
      if (record === undefined) continue
      this.#post(file, record, period)
      this.#settleOrClose(file, record, period)
    }
    if (period !== this.#lastPeriod) {
      this.#lastPeriod = period
      this.#cleaning = this.#cleaning.then(() => this.#clean())
    }
  }

  /** Once per period, from this provider's height on: what is posted now counts from the next period. */
  #post(file: DealFile, record: DealView, period: bigint): void {
    const { replica, wallet } = this.#components
    const { revision } = file.head
    if (record.state !== 'open' || period >= record.endPeriod) return
    if (revision <= record.revision) return
    const due = postHeight(wallet.publicKey, period, replica.params.periodHeights)
    if (replica.head().height < due) return
    this.#duty(`post/${toHex(file.id)}`, async sender => {
      const log = await file.revision(revision)
      if (log === undefined) return
      const { clientSignature, providerSignature } = log
      await sender.send({
        kind: 'dealRevise',
        payload: {
          revision: revisionType.deserialize(log.revision),
          clientSignature,
          providerSignature
        }
      })
    })
  }

  #settleOrClose(file: DealFile, record: DealView, period: bigint): void {
    if (record.state === 'closed' || record.state === 'failed') return
    // The proof of the last period may still come in the one after it.
    const ended = period >= record.closableFrom
    const pays = record.owedUnits > 0n && period - record.settledTo >= this.#settleEvery
    const kind = ended ? 'dealClose' : 'dealSettle'
    if (!ended && !pays) return
    this.#duty(`${kind}/${toHex(file.id)}`, async sender => {
      await sender.send({ kind, payload: { dealId: file.id } })
    })
  }

  /** One attempt at a time per duty; the next block looks again. */
  #duty(key: string, work: (sender: TxSender) => Promise<void>): void {
    if (this.#inFlight.has(key) || this.#stopped) return
    const { sender, logger } = this.#components
    this.#inFlight.add(key)
    work(sender)
      .catch(error => logger.info('duty.failed', { duty: key, reason: messageOf(error) }))
      .finally(() => this.#inFlight.delete(key))
  }

  /** Once per period: bytes that nobody can ask for any more. */
  async #clean(): Promise<void> {
    const { replica, book, leases, store, logger } = this.#components
    try {
      for (const file of book.all()) {
        const record = replica.deal(file.id)
        if (record === undefined) {
          if (isForgotten(file, replica.head().height)) await this.#drop(await book.remove(file.id))
        } else if (record.state === 'closed') {
          await this.#drop(await book.remove(file.id))
        } else {
          // The revision before this one can no longer be drawn by any seed that may still be answered.
          await this.#drop(await file.prune(replica.oldestProvableRevision(file.id) ?? 0n))
        }
      }
      for await (const root of leases.expired(replica.head().height)) {
        await leases.release(root)
        await this.#drop([{ root, bytes: 0 }])
      }
      // Our books have the last word: what they name stays, whatever its lease says.
      const height = Number(replica.head().height)
      const later = height + CHECK_PERIODS * replica.params.periodHeights
      await store.sweep(height, async root => ((await book.references(root)) ? later : undefined))
    } catch (error) {
      logger.warn('clean.failed', { reason: messageOf(error) })
    }
  }

  async #drop(pieces: readonly PieceEntry[]): Promise<void> {
    const { book, leases, store } = this.#components
    for (const { root } of pieces) {
      if ((await book.references(root)) || (await leases.has(root))) continue
      await store.remove(root)
    }
  }
}

function isForgotten(file: DealFile, height: bigint): boolean {
  const { startHeightMax } = dealTermsType.deserialize(file.head.terms)
  return height > startHeightMax + UNOPENED_HEIGHTS
}
