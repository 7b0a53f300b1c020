/**
 * The proof journey, once per proving period: the beacon's seed draws leaves over everything this provider holds →
 * each leaf is read from disk with its path up to the piece root and the deal root → one transaction → the ledger
 * checks it and counts the period as proven, which is what gets paid.
 */
import { messageOf } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import type { Clock, Logger, Startable } from '../../base/ports.ts'
import type { Challenge, Replica } from '../../ledger/index.ts'
import { type Opening, openingFor, type SumTree } from '../../proofs/index.ts'
import type { PieceStore } from '../../storage/index.ts'
import { isCurrent } from '../chain/current.ts'
import type { TxSender } from '../chain/tx-sender.ts'
import type { DealBook } from '../deals/deal-book.ts'
import { readProvenGroup } from './read-proven-group.ts'
import { proofHeight } from './schedule.ts'

export interface ProverComponents {
  replica: Replica
  book: DealBook
  store: PieceStore
  sender: TxSender
  clock: Clock
  wallet: SigningKey
  onDamage: (root: Uint8Array, groups: readonly number[]) => void
  logger: Logger
}

export class Prover implements Startable {
  readonly #components: ProverComponents
  #unsubscribe: () => void = () => {}
  #working: Promise<void> = Promise.resolve()
  #busy = false

  constructor(components: ProverComponents) {
    this.#components = components
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#components.replica.onBlock(() => this.#look())
    this.#look()
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    await this.#working
  }

  /** After every block: is a proof due that is not on its way? A failed attempt is repeated with the next block. */
  #look(): void {
    if (this.#busy || !isCurrent(this.#components.replica, this.#components.clock)) return
    const period = this.#duePeriod()
    if (period === undefined) return
    this.#busy = true
    this.#working = this.#prove(period).finally(() => {
      this.#busy = false
    })
  }

  /**
   * The oldest period that can still be proven and is not: the one before the current one first (its grace is running
   * out), then the current one from this provider's own height in it on, so that not all proofs meet in one block.
   */
  #duePeriod(): bigint | undefined {
    const { replica, wallet } = this.#components
    const account = wallet.publicKey
    const record = replica.provider(account)
    if (record === undefined) return undefined
    const proven = record.lastProvenPeriod ?? -1n
    const { height } = replica.head()
    const now = replica.period()
    const late = now - 1n
    const isOpen = (period: bigint): boolean =>
      period > proven && replica.challenge(account, period) !== undefined
    if (late > 0n && isOpen(late)) return late
    const due = proofHeight(account, now, replica.params.periodHeights)
    return height >= due && isOpen(now) ? now : undefined
  }

  async #prove(period: bigint): Promise<void> {
    const { replica, wallet, sender, logger } = this.#components
    try {
      const challenge = replica.challenge(wallet.publicKey, period)
      if (challenge === undefined) return
      const openings = await this.#openLeaves(challenge)
      const { height } = await sender.send({ kind: 'proof', payload: { period, openings } })
      logger.info('proof.accepted', { period: Number(period), height: Number(height) })
    } catch (error) {
      logger.warn('proof.failed', { period: Number(period), reason: messageOf(error) })
    }
  }

  /** One opening per drawn leaf, in the order of the draw. */
  async #openLeaves({ leaves }: Challenge): Promise<Opening[]> {
    const { book, store, onDamage } = this.#components
    const trees = new Map<string, SumTree>()
    const openings: Opening[] = []
    for (const { dealId, revision, leafIndex } of leaves) {
      const file = book.get(dealId)
      if (file === undefined) throw new Error('the ledger has a deal of ours that our book has not')
      const key = `${Buffer.from(dealId).toString('hex')}/${revision}`
      const tree = trees.get(key) ?? (await file.treeAt(revision))
      trees.set(key, tree)
      openings.push(
        await openingFor({
          tree,
          leafIndex,
          readGroup: (root, group) => readProvenGroup(store, root, group, onDamage),
          groupCvsOf: root => store.groupCvs(root)
        })
      )
    }
    return openings
  }
}
