/**
 * Transactions that wait for a block: one queue per sender in nonce order, bounded in count and bytes, per sender and
 * in all. A transaction replaces the one with its nonce if it allows at least a tenth more fee. After each block what
 * was included, expired or became unaffordable leaves.
 */
import { toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { Hash } from '../base/hash.ts'
import { MIB } from '../base/limits.ts'
import type { Units } from '../base/money.ts'
import { feeOf } from './params.ts'
import type { Replica } from './replica.ts'
import { decodeTx, txHash } from './transaction.ts'
import type { Tx } from './types/tx.ts'

export const MEMPOOL_TXS_MAX = 10_000
export const MEMPOOL_BYTES_MAX: number = 32 * MIB
export const SENDER_TXS_MAX = 64

export interface MempoolLimits {
  txsMax: number
  bytesMax: number
  senderTxsMax: number
}

interface Entry {
  hash: Hash
  bytes: Uint8Array
  tx: Tx
  feeUnits: Units
}

type Queue = Map<bigint, Entry>

export class Mempool {
  readonly #replica: Replica
  readonly #limits: MempoolLimits
  readonly #queues = new Map<string, Queue>()
  readonly #byHash = new Map<string, Entry>()
  readonly #unsubscribe: () => void
  #bytes = 0

  /** Follows the replica's blocks until close. */
  constructor(replica: Replica, limits: Partial<MempoolLimits> = {}) {
    this.#replica = replica
    this.#limits = {
      txsMax: MEMPOOL_TXS_MAX,
      bytesMax: MEMPOOL_BYTES_MAX,
      senderTxsMax: SENDER_TXS_MAX,
      ...limits
    }
    this.#unsubscribe = replica.onBlock(() => this.#recheck())
  }

  close(): void {
    this.#unsubscribe()
  }

  get size(): number {
    return this.#byHash.size
  }

  get bytes(): number {
    return this.#bytes
  }

  has(hash: Hash): boolean {
    return this.#byHash.has(toHex(hash))
  }

  get(hash: Hash): Uint8Array | undefined {
    return this.#byHash.get(toHex(hash))?.bytes
  }

  /**
   * Takes an encoded transaction; one it already has is taken again without effect.
   * @throws HoldfastError TX_INVALID, TX_EXPIRED, INSUFFICIENT_FUNDS; TX_INVALID and retryable when there is no room
   */
  add(bytes: Uint8Array): { hash: Hash; added: boolean } {
    const hash = txHash(bytes)
    if (this.has(hash)) return { hash, added: false }
    const { tx } = decodeTx(bytes)
    const entry = { hash, bytes, tx, feeUnits: feeOf(this.#replica.params, bytes.length) }
    this.#checkPlace(entry)
    this.#replica.admit(bytes)
    this.#checkFunds(entry)
    this.#put(entry)
    return { hash, added: true }
  }

  /** The nonce for the sender's next transaction: after the ones that wait without a gap. */
  nextNonce(sender: Uint8Array): bigint {
    const queue = this.#queues.get(toHex(sender))
    let nonce = this.#replica.account(sender).nonce
    while (queue?.has(nonce)) nonce++
    return nonce
  }

  /** Transactions that can follow the newest block, everybody's first before anybody's second. */
  candidates(bytesMax: number): Uint8Array[] {
    const out: Uint8Array[] = []
    let bytes = 0
    let heads = [...this.#queues.values()].map(queue => ({ queue, nonce: this.#firstNonce(queue) }))
    while (heads.length > 0) {
      const next: typeof heads = []
      for (const { queue, nonce } of heads) {
        const entry = queue.get(nonce)
        if (entry === undefined || bytes + entry.bytes.length > bytesMax) continue
        out.push(entry.bytes)
        bytes += entry.bytes.length
        next.push({ queue, nonce: nonce + 1n })
      }
      heads = next
    }
    return out
  }

  /** Hashes of all waiting transactions, oldest first. */
  hashes(): Hash[] {
    return [...this.#byHash.values()].map(({ hash }) => hash)
  }

  #firstNonce(queue: Queue): bigint {
    const [first] = queue.values()
    return this.#replica.account(first!.tx.sender).nonce
  }

  /** Room, distance of the nonce, and what a replacement has to allow. */
  #checkPlace({ tx, bytes }: Entry): void {
    const { txsMax, bytesMax, senderTxsMax } = this.#limits
    const next = this.#replica.account(tx.sender).nonce
    if (tx.nonce >= next + BigInt(senderTxsMax)) {
      throw new HoldfastError('TX_INVALID', `nonce ${tx.nonce} is too far ahead of ${next}`, {
        retryable: true
      })
    }
    const replaced = this.#queues.get(toHex(tx.sender))?.get(tx.nonce)
    if (replaced === undefined) {
      if (this.size < txsMax && this.#bytes + bytes.length <= bytesMax) return
      throw new HoldfastError('TX_INVALID', 'the mempool is full', { retryable: true })
    }
    if (tx.maxFeeUnits * 10n < replaced.tx.maxFeeUnits * 11n) {
      throw new HoldfastError(
        'TX_INVALID',
        `nonce ${tx.nonce} waits already; to replace it, allow a fee a tenth above its ` +
          `${replaced.tx.maxFeeUnits} units`
      )
    }
    if (this.#bytes - replaced.bytes.length + bytes.length > bytesMax) {
      throw new HoldfastError('TX_INVALID', 'the mempool is full', { retryable: true })
    }
  }

  /** The fees of all that waits have to be affordable together. */
  #checkFunds({ tx, feeUnits }: Entry): void {
    const queue = this.#queues.get(toHex(tx.sender))
    let sum = feeUnits
    for (const waiting of queue?.values() ?? []) {
      if (waiting.tx.nonce !== tx.nonce) sum += waiting.feeUnits
    }
    if (this.#replica.account(tx.sender).availableUnits >= sum) return
    throw new HoldfastError(
      'INSUFFICIENT_FUNDS',
      'the balance does not cover the fees of all waiting transactions'
    )
  }

  #put(entry: Entry): void {
    const id = toHex(entry.tx.sender)
    const queue = this.#queues.get(id) ?? new Map<bigint, Entry>()
    const replaced = queue.get(entry.tx.nonce)
    if (replaced !== undefined) this.#forget(replaced)
    queue.set(entry.tx.nonce, entry)
    this.#queues.set(id, queue)
    this.#byHash.set(toHex(entry.hash), entry)
    this.#bytes += entry.bytes.length
  }

  #forget(entry: Entry): void {
    this.#byHash.delete(toHex(entry.hash))
    this.#bytes -= entry.bytes.length
  }

  #recheck(): void {
    const next = this.#replica.height + 1n
    for (const [id, queue] of this.#queues) {
      const [first] = queue.values()
      const account = this.#replica.account(first!.tx.sender)
      let affordable = account.availableUnits
      const byNonce = [...queue.values()].sort((a, b) => (a.tx.nonce < b.tx.nonce ? -1 : 1))
      for (const entry of byNonce) {
        const { nonce, expiryHeight } = entry.tx
        affordable -= entry.feeUnits
        if (nonce >= account.nonce && expiryHeight >= next && affordable >= 0n) continue
        queue.delete(nonce)
        this.#forget(entry)
      }
      if (queue.size === 0) this.#queues.delete(id)
    }
  }
}
