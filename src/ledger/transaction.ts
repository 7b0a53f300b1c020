/** Building, signing, naming and checking transactions. On the wire a transaction is the SSZ of SignedTx. */
import { assert } from '../base/assert.ts'
import { toHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { domainHash, type Hash } from '../base/hash.ts'
import { SIGNATURE_BYTES, type SigningKey, verifySignature } from '../base/keys.ts'
import { TX_BYTES_MAX } from '../base/limits.ts'
import type { Units } from '../base/money.ts'
import { feeOf, type Params } from './params.ts'
import {
  type ChannelOpen,
  type ChannelRedeem,
  type ChannelRef,
  type ChannelTopUp,
  channelOpenType,
  channelRedeemType,
  channelRefType,
  channelTopUpType
} from './types/channel.ts'
import type { NetworkId } from './types/network.ts'
import { type ProofPayload, proofPayloadType } from './types/proof.ts'
import { decodeStrict, type Ssz } from './types/ssz.ts'
import {
  type DealExtend,
  type DealOpen,
  type DealRef,
  type DealRevise,
  type DealTopUp,
  dealExtendType,
  dealOpenType,
  dealRefType,
  dealReviseType,
  dealTopUpType,
  type ProviderMaintenance,
  type ProviderRegister,
  providerMaintenanceType,
  providerRegisterType,
  type SignedTx,
  signedTxType,
  type Transfer,
  TX_KINDS,
  type Tx,
  type TxKindName,
  transferType,
  txType
} from './types/tx.ts'
import {
  type BondAmount,
  bondAmountType,
  type Evidence,
  evidenceType,
  type GovPropose,
  type GovVote,
  govProposeType,
  govVoteType,
  type ValidatorRef,
  type ValidatorRegister,
  validatorRefType,
  validatorRegisterType
} from './types/validator-tx.ts'

export type TxBody =
  | { kind: 'transfer'; payload: Transfer }
  | { kind: 'providerRegister'; payload: ProviderRegister }
  | { kind: 'dealOpen'; payload: DealOpen }
  | { kind: 'dealTopUp'; payload: DealTopUp }
  | { kind: 'dealRevise'; payload: DealRevise }
  | { kind: 'dealSettle'; payload: DealRef }
  | { kind: 'dealClose'; payload: DealRef }
  | { kind: 'proof'; payload: ProofPayload }
  | { kind: 'validatorRegister'; payload: ValidatorRegister }
  | { kind: 'validatorBond'; payload: BondAmount }
  | { kind: 'validatorUnbond'; payload: BondAmount }
  | { kind: 'validatorWithdraw'; payload: ValidatorRef }
  | { kind: 'validatorUnjail'; payload: ValidatorRef }
  | { kind: 'evidence'; payload: Evidence }
  | { kind: 'govPropose'; payload: GovPropose }
  | { kind: 'govVote'; payload: GovVote }
  | { kind: 'providerMaintenance'; payload: ProviderMaintenance }
  | { kind: 'dealExtend'; payload: DealExtend }
  | { kind: 'dealTerminate'; payload: DealRef }
  | { kind: 'dealFail'; payload: DealRef }
  | { kind: 'channelOpen'; payload: ChannelOpen }
  | { kind: 'channelTopUp'; payload: ChannelTopUp }
  | { kind: 'channelRedeem'; payload: ChannelRedeem }
  | { kind: 'channelClose'; payload: ChannelRef }

export interface TxInit {
  network: NetworkId
  params: Params
  /** 32-byte account. */
  sender: Uint8Array
  nonce: bigint
  expiryHeight: bigint
  /** @default exactly the fee of this transaction */
  maxFeeUnits?: Units
  body: TxBody
}

const TX_LABEL = 'ledger/tx/v1'

export function buildTx(init: TxInit): Tx {
  const tx: Tx = {
    ...init.network,
    sender: init.sender,
    nonce: init.nonce,
    maxFeeUnits: init.maxFeeUnits ?? 0n,
    expiryHeight: init.expiryHeight,
    kind: TX_KINDS.indexOf(init.body.kind),
    payload: encodePayload(init.body)
  }
  if (init.maxFeeUnits !== undefined) return tx
  const bytes = encodeTx({ tx, signature: new Uint8Array(SIGNATURE_BYTES) }).length
  return { ...tx, maxFeeUnits: feeOf(init.params, bytes) }
}

/** The encoded, signed transaction. */
export function signTx(key: SigningKey, tx: Tx): Uint8Array {
  return encodeTx({ tx, signature: key.sign(TX_LABEL, txType.hashTreeRoot(tx)) })
}

/** @throws HoldfastError TX_INVALID above TX_BYTES_MAX */
function encodeTx(signed: SignedTx): Uint8Array {
  const bytes = signedTxType.serialize(signed)
  checkSize(bytes)
  return bytes
}

/** Strict: bounded, canonical. Nothing else is checked. @throws HoldfastError TX_INVALID */
export function decodeTx(bytes: Uint8Array): SignedTx {
  checkSize(bytes)
  return decodeStrict(signedTxType, bytes, 'transaction', 'TX_INVALID')
}

/** 32-byte name of an encoded transaction. */
export function txHash(bytes: Uint8Array): Hash {
  return domainHash('ledger/tx-hash/v1', bytes)
}

/** The kind's name, or "unknown". */
export function txKindName(kind: number): TxKindName | 'unknown' {
  return TX_KINDS[kind] ?? 'unknown'
}

const VERIFIED_MAX = 8_192
/** Hashes of transactions whose signature was found valid: mempool, proposal and block check the same ones. */
const verified = new Set<string>()

/** True if the sender signed. `hash` is the txHash of the encoding, which covers the signature. */
export function isSigned(signed: SignedTx, hash: Hash): boolean {
  const id = toHex(hash)
  if (verified.has(id)) return true
  const { tx, signature } = signed
  if (!verifySignature(tx.sender, TX_LABEL, txType.hashTreeRoot(tx), signature)) return false
  if (verified.size >= VERIFIED_MAX) verified.delete(verified.keys().next().value!)
  verified.add(id)
  return true
}

type PayloadOf<K extends TxKindName> = Extract<TxBody, { kind: K }>['payload']

const PAYLOAD_TYPES: { [K in TxKindName]: Ssz<PayloadOf<K>> } = {
  transfer: transferType,
  providerRegister: providerRegisterType,
  dealOpen: dealOpenType,
  dealTopUp: dealTopUpType,
  dealRevise: dealReviseType,
  dealSettle: dealRefType,
  dealClose: dealRefType,
  proof: proofPayloadType,
  validatorRegister: validatorRegisterType,
  validatorBond: bondAmountType,
  validatorUnbond: bondAmountType,
  validatorWithdraw: validatorRefType,
  validatorUnjail: validatorRefType,
  evidence: evidenceType,
  govPropose: govProposeType,
  govVote: govVoteType,
  providerMaintenance: providerMaintenanceType,
  dealExtend: dealExtendType,
  dealTerminate: dealRefType,
  dealFail: dealRefType,
  channelOpen: channelOpenType,
  channelTopUp: channelTopUpType,
  channelRedeem: channelRedeemType,
  channelClose: channelRefType
}

function encodePayload({ kind, payload }: TxBody): Uint8Array {
  // The table pairs every kind with the type of its payload; the compiler loses that at a union.
  return (PAYLOAD_TYPES[kind] as Ssz<typeof payload>).serialize(payload)
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= TX_BYTES_MAX) return
  throw new HoldfastError(
    'TX_INVALID',
    `transaction of ${bytes.length} bytes, ${TX_BYTES_MAX} allowed`
  )
}

assert(signedTxType.maxSize >= TX_BYTES_MAX, 'the size limit is the binding one')
