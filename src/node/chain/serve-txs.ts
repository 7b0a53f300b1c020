/**
 * A validator takes transactions from anyone, checked by its mempool before they are kept, and hands what is new to the
 * other validators, so that whoever leads next can include it. What came from a validator is not handed on again.
 */
import { z } from 'zod'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { KIB, TX_BYTES_MAX } from '../../base/limits.ts'
import type { Logger } from '../../base/ports.ts'
import { type Mempool, txHash } from '../../ledger/index.ts'
import { TX_PROTOCOL } from '../net/protocols.ts'
import { request, serve } from '../net/rpc.ts'
import type { Net } from '../net/types.ts'
import { byteString, parseMessage } from '../wire/schema.ts'
import { connectedValidators } from './validators.ts'

const SUBMIT_TIMEOUT_MS = 10_000
const ANSWER_BYTES_MAX = 1_024
/** Transactions on their way to one validator; more are dropped, their senders send them again. */
const RELAYS_PER_PEER_MAX = 64

const txRequest = z.strictObject({ tx: byteString(1, TX_BYTES_MAX) })

export interface ServeTransactionsInit {
  net: Net
  mempool: Mempool
  logger: Logger
  /** Ends what is being handed on. */
  signal: AbortSignal
}

export function serveTransactions({ net, mempool, logger, signal }: ServeTransactionsInit): void {
  const relaying = new Map<string, number>()
  serve(net, TX_PROTOCOL, { requestBytesMax: TX_BYTES_MAX + KIB }, async (body, remote) => {
    const { tx } = parseMessage(txRequest, body)
    const { added } = mempool.add(tx)
    const validators = connectedValidators(net)
    if (added && !validators.includes(remote.peerId)) {
      for (const peer of validators) void relay(peer, tx)
    }
    return { hash: txHash(tx) }
  })

  const relay = async (peer: string, tx: Uint8Array): Promise<void> => {
    const count = relaying.get(peer) ?? 0
    if (count >= RELAYS_PER_PEER_MAX) return
    relaying.set(peer, count + 1)
    try {
      await submitTransaction(net, peer, tx, signal)
    } catch (error) {
      logger.debug('tx.relay', { peer, reason: messageOf(error) })
    } finally {
      relaying.set(peer, relaying.get(peer)! - 1)
      if (relaying.get(peer) === 0) relaying.delete(peer)
    }
  }
}

/** @throws HoldfastError what the validator refused it with; TIMEOUT, UNREACHABLE, ABORTED */
export async function submitTransaction(
  net: Net,
  peer: string,
  tx: Uint8Array,
  signal: AbortSignal
): Promise<void> {
  const options = { responseBytesMax: ANSWER_BYTES_MAX, timeoutMs: SUBMIT_TIMEOUT_MS, signal }
  await request(net, peer, TX_PROTOCOL, { tx }, options)
}

/**
 * Hands a transaction to every validator given; one acceptance is enough.
 * @throws HoldfastError UNREACHABLE without validators; else what the first of them refused it with
 */
export async function submitToValidators(
  net: Net,
  tx: Uint8Array,
  signal: AbortSignal
): Promise<void> {
  const attempts = connectedValidators(net).map(peer => submitTransaction(net, peer, tx, signal))
  if (attempts.length === 0) {
    throw new HoldfastError('UNREACHABLE', 'no validator is connected to take the transaction', {
      retryable: true
    })
  }
  try {
    await Promise.any(attempts)
  } catch (error) {
    throw (error as AggregateError).errors[0]
  }
}
