/** What `holdfast ledger …` shows of the replica. */
import { accountOfAddress, addressOf } from '../base/address.ts'
import { fromHex, toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import {
  blockHashOf,
  decodeTx,
  faultsTolerated,
  type Replica,
  txHash,
  txKindName
} from '../ledger/index.ts'
import type {
  LedgerAccount,
  LedgerBlock,
  LedgerStatus,
  LedgerTx,
  ValidatorRow
} from './control/ledger-types.ts'

export function ledgerStatus(replica: Replica): LedgerStatus {
  const { height, blockHash, appHash } = replica.head()
  const validators = replica.validators()
  return {
    chainId: replica.network.chainId,
    height: Number(height),
    blockHash: toHex(blockHash),
    appHash: toHex(appHash),
    validators: validators.length,
    faultsTolerated: faultsTolerated(validators.length),
    period: Number(replica.period())
  }
}

/** @throws HoldfastError NOT_FOUND above the head, and at 0: the genesis is no block */
export function ledgerBlock(replica: Replica, height: number): LedgerBlock {
  const found = replica.block(BigInt(height))
  const appHash = replica.stateHashAt(BigInt(height))
  if (found === undefined || appHash === undefined) {
    throw new HoldfastError('NOT_FOUND', `there is no block at height ${height}`, {
      hint: `this replica holds blocks ${replica.earliestHeight} to ${replica.head().height}`
    })
  }
  const { header, txs } = found
  return {
    height,
    blockHash: toHex(blockHashOf(found.header)),
    appHash: toHex(appHash),
    time: new Date(Number(header.timeMs)).toISOString(),
    proposer: toHex(header.proposer),
    txs: txs.map(bytes => txRow(replica, bytes))
  }
}

function txRow(replica: Replica, bytes: Uint8Array): LedgerBlock['txs'][number] {
  const { tx } = decodeTx(bytes)
  const hash = txHash(bytes)
  const outcome = replica.txResult(hash)?.outcome ?? 'ok'
  return {
    hash: toHex(hash),
    kind: txKindName(tx.kind),
    sender: addressOf(tx.sender),
    ok: outcome === 'ok',
    ...(outcome === 'ok' ? {} : { error: outcome })
  }
}

export function ledgerValidators(replica: Replica): ValidatorRow[] {
  return replica.validators().map(({ publicKey, account, power }) => ({
    publicKey: toHex(publicKey),
    address: addressOf(account),
    power: Number(power)
  }))
}

/** @param hash 64 hex digits @throws HoldfastError NOT_FOUND */
export function ledgerTx(replica: Replica, hash: string): LedgerTx {
  const result = replica.txResult(fromHex(hash))
  const block = result && replica.block(result.height)
  if (result === undefined || block === undefined) {
    throw new HoldfastError('NOT_FOUND', `no block has a transaction ${hash}`, {
      hint: `this replica holds blocks ${replica.earliestHeight} to ${replica.head().height}`
    })
  }
  const { height, index, feeUnits } = result
  return {
    height: Number(height),
    index,
    time: new Date(Number(block.header.timeMs)).toISOString(),
    feeUnits,
    ...txRow(replica, block.txs[index]!)
  }
}

/** @throws HoldfastError INVALID_ARGUMENT when it is no address */
export function ledgerAccount(replica: Replica, address: string): LedgerAccount {
  const { nonce, availableUnits, escrowUnits, collateralUnits } = replica.account(
    accountOfAddress(address)
  )
  return {
    address,
    height: Number(replica.head().height),
    nonce: Number(nonce),
    available: availableUnits,
    escrow: escrowUnits,
    collateral: collateralUnits
  }
}
