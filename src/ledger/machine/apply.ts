/**
 * apply(state, tx): admission, fee, rule. Admission failures make a block invalid, so proposers filter; everything
 * after the fee ends in an outcome. Deterministic and synchronous: no clock, no randomness, no floats, no awaits.
 */

import { equal } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Hash } from '../../base/hash.ts'
import type { Units } from '../../base/money.ts'
import { feeOf } from '../params.ts'
import { applyRule } from '../rules/index.ts'
import { Overlay } from '../state/overlay.ts'
import { accounts } from '../state/tables.ts'
import { decodeTx, isSigned, txHash } from '../transaction.ts'
import type { TxOutcome } from '../types/block.ts'
import type { Tx } from '../types/tx.ts'
import type { BlockContext } from './context.ts'
import { accountOf, transfer } from './money.ts'
import { codeOf, type Outcome, TxFailure } from './outcomes.ts'

export interface AdmittedTx {
  tx: Tx
  hash: Hash
  feeUnits: Units
}

/**
 * What does not depend on other transactions: form, network, expiry, fee and signature; the nonce is not below the
 * sender's.
 * @throws HoldfastError TX_INVALID, TX_EXPIRED, INSUFFICIENT_FUNDS
 */
export function admit(ctx: BlockContext, bytes: Uint8Array): AdmittedTx {
  const signed = decodeTx(bytes)
  const { tx } = signed
  const feeUnits = feeOf(ctx.params, bytes.length)
  if (tx.chainId !== ctx.network.chainId || !equal(tx.genesisHash, ctx.network.genesisHash)) {
    throw new HoldfastError('TX_INVALID', 'the transaction is for another network')
  }
  if (ctx.height > tx.expiryHeight) {
    throw new HoldfastError('TX_EXPIRED', `the transaction expired at height ${tx.expiryHeight}`)
  }
  if (feeUnits > tx.maxFeeUnits) {
    throw new HoldfastError(
      'TX_INVALID',
      `the fee is ${feeUnits} units, the sender allows ${tx.maxFeeUnits}`
    )
  }
  const account = accountOf(ctx.state, tx.sender)
  if (tx.nonce < account.nonce) {
    throw new HoldfastError('TX_INVALID', `nonce ${tx.nonce} is used, next is ${account.nonce}`)
  }
  if (account.balanceUnits < feeUnits) {
    throw new HoldfastError('INSUFFICIENT_FUNDS', `the balance does not cover ${feeUnits} units`)
  }
  const hash = txHash(bytes)
  if (!isSigned(signed, hash)) {
    throw new HoldfastError('TX_INVALID', 'the signature does not verify')
  }
  return { tx, hash, feeUnits }
}

/** Applies one transaction to ctx.state. @throws HoldfastError like `admit`, with the state unchanged */
export function applyTx(ctx: BlockContext, bytes: Uint8Array): TxOutcome {
  const { tx, hash, feeUnits } = admit(ctx, bytes)
  const account = accountOf(ctx.state, tx.sender)
  if (tx.nonce !== account.nonce) {
    throw new HoldfastError('TX_INVALID', `nonce ${tx.nonce}, expected ${account.nonce}`)
  }
  ctx.state.put(accounts, tx.sender, { ...account, nonce: account.nonce + 1n })
  transfer(ctx.state, tx.sender, ctx.feeAccount, feeUnits)
  return { txHash: hash, code: codeOf(runRule(ctx, tx)), feeUnits }
}

/** The rule's effects are kept only if it succeeds. */
function runRule(ctx: BlockContext, tx: Tx): Outcome {
  const state = new Overlay(ctx.state)
  try {
    applyRule({ ...ctx, state, sender: tx.sender }, tx.kind, tx.payload)
  } catch (error) {
    if (error instanceof TxFailure) return error.failure
    throw error
  }
  ctx.state.merge(state)
  return 'ok'
}
