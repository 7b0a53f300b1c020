/**
 * Sends transactions of this node's wallet: one nonce after the other, handed to validators, waited for in our own
 * replica. A transaction that is not in a block when its expiry height passes is gone for good, so its nonce is free
 * again.
 */
import { toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { SigningKey } from '../../base/keys.ts'
import { KeyedMutex } from '../../base/mutex.ts'
import type { Logger } from '../../base/ports.ts'
import {
  buildTx,
  type Mempool,
  type NetworkId,
  type Replica,
  signTx,
  type TxBody,
  txHash
} from '../../ledger/index.ts'
import type { Net } from '../net/types.ts'
import { submitToValidators } from './serve-txs.ts'

/** Heights a transaction may wait for its block. */
const EXPIRY_HEIGHTS = 40n
/** Handed out again when this many blocks passed without it: validators forget their mempool when they restart. */
const RESEND_HEIGHTS = 6n

export interface TxSenderComponents {
  net: Net
  replica: Replica
  network: NetworkId
  wallet: SigningKey
  /** Of a validator: its own mempool takes the transaction first. */
  mempool?: Mempool
  logger: Logger
  signal: AbortSignal
}

export interface TxInclusion {
  /** 32-byte transaction hash. */
  hash: Uint8Array
  height: bigint
}

export class TxSender {
  readonly #components: TxSenderComponents
  readonly #mutex = new KeyedMutex()
  #nextNonce = 0n

  constructor(components: TxSenderComponents) {
    this.#components = components
  }

  /**
   * Resolves once the transaction took effect in a final block.
   * @throws HoldfastError TX_REJECTED (refused before it was sent, or included and failed) | TX_EXPIRED | TX_INVALID |
   *   INSUFFICIENT_FUNDS | UNREACHABLE (no validator took it) | ABORTED
   */
  async send(body: TxBody): Promise<TxInclusion> {
    const { bytes, hash, expiryHeight } = await this.#mutex.run('nonce', () =>
      this.#submitNext(body)
    )
    return await this.#inclusion(bytes, hash, expiryHeight)
  }

  /** The nonce is spent only when some validator accepted the transaction. */
  async #submitNext(
    body: TxBody
  ): Promise<{ bytes: Uint8Array; hash: Uint8Array; expiryHeight: bigint }> {
    const { replica, network, wallet } = this.#components
    const onLedger = replica.account(wallet.publicKey).nonce
    if (onLedger > this.#nextNonce) this.#nextNonce = onLedger
    const expiryHeight = replica.head().height + EXPIRY_HEIGHTS
    const { params } = replica
    const sender = wallet.publicKey
    const build = (nonce: bigint): Uint8Array =>
      signTx(wallet, buildTx({ network, params, sender, nonce, expiryHeight, body }))
    let bytes = build(this.#nextNonce)
    // What the next block would refuse is not worth its fee.
    if (this.#nextNonce === onLedger) {
      const outcome = replica.simulate(bytes)
      if (outcome !== 'ok') throw rejected(outcome, txHash(bytes))
    }
    try {
      await this.#submit(bytes)
    } catch (error) {
      // The gap that an expired transaction left: what the ledger says is the truth.
      if (!HoldfastError.is(error, 'TX_INVALID') || this.#nextNonce === onLedger) throw error
      this.#nextNonce = onLedger
      bytes = build(onLedger)
      await this.#submit(bytes)
    }
    this.#nextNonce++
    return { bytes, hash: txHash(bytes), expiryHeight }
  }

  /** A validator has it in its own mempool first; the others get it too, because one of them may lead next. */
  async #submit(bytes: Uint8Array): Promise<void> {
    const { mempool, net, signal, logger } = this.#components
    const submitted = (): Promise<void> => submitToValidators(net, bytes, signal)
    if (mempool === undefined) {
      await submitted()
      return
    }
    mempool.add(bytes)
    submitted().catch(error => logger.debug('tx.relay', { reason: messageOf(error) }))
  }

  #inclusion(bytes: Uint8Array, hash: Uint8Array, expiryHeight: bigint): Promise<TxInclusion> {
    const { replica, signal, logger } = this.#components
    const { promise, resolve, reject } = Promise.withResolvers<TxInclusion>()
    let resendAt = replica.head().height + RESEND_HEIGHTS
    const check = (): void => {
      const found = replica.txResult(hash)
      const { height } = replica.head()
      if (found !== undefined) {
        if (found.ok) resolve({ hash, height: found.height })
        else reject(rejected(found.outcome, hash))
      } else if (height > expiryHeight) {
        reject(
          new HoldfastError(
            'TX_EXPIRED',
            `no block took the transaction up to height ${expiryHeight}`,
            {
              retryable: true
            }
          )
        )
      } else if (height >= resendAt) {
        resendAt = height + RESEND_HEIGHTS
        this.#submit(bytes).catch(error => {
          logger.debug('tx.resend', { hash: toHex(hash), reason: messageOf(error) })
        })
      }
    }
    const onAbort = (): void => reject(new HoldfastError('ABORTED', 'the node is stopping'))
    signal.addEventListener('abort', onAbort, { once: true })
    const unsubscribe = replica.onBlock(check)
    check()
    return promise.finally(() => {
      unsubscribe()
      signal.removeEventListener('abort', onAbort)
    })
  }
}

function rejected(outcome: string, hash: Uint8Array): HoldfastError {
  const code = outcome === 'InsufficientFunds' ? 'INSUFFICIENT_FUNDS' : 'TX_REJECTED'
  return new HoldfastError(code, `the ledger refused the transaction: ${outcome}`, {
    details: { outcome, tx: toHex(hash) }
  })
}
