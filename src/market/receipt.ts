/**
 * A durable receipt: the provider's node key signs, after fsync, that a piece is on its disk. The client counts a piece
 * only with its receipt. The provider keeps an unreferenced piece until `heldUntilHeight`; a signed revision of the deal
 * replaces the receipt.
 */
import { ByteListType, ByteVectorType, ContainerType, UintBigintType, UintNumberType, type ValueOf } from '@chainsafe/ssz'
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { type SigningKey, verifySignature } from '../base/keys.ts'

const RECEIPT_LABEL = 'receipt/v1'
export const RECEIPT_BYTES_MAX = 256

const receiptFields = {
  chainId: new ByteListType(32),
  deal: new ByteVectorType(32),
  root: new ByteVectorType(32),
  bytes: new UintNumberType(4),
  heldUntilHeight: new UintBigintType(8)
}
const receiptType: ContainerType<typeof receiptFields> = new ContainerType(receiptFields)

export type Receipt = ValueOf<typeof receiptType>

export interface ReceiptBytes {
  receipt: Uint8Array
  signature: Uint8Array
}

export function signReceipt(receipt: Receipt, node: SigningKey): ReceiptBytes {
  return {
    receipt: receiptType.serialize(receipt),
    signature: node.sign(RECEIPT_LABEL, receiptType.hashTreeRoot(receipt))
  }
}

/**
 * Checks that a receipt is for exactly this piece and deal.
 * @throws HoldfastError PROTOCOL_VIOLATION
 */
export function openReceipt(
  bytes: ReceiptBytes,
  peerKey: Uint8Array,
  expected: Omit<Receipt, 'heldUntilHeight'>
): Receipt {
  const receipt = decodeReceipt(bytes.receipt)
  const matches =
    equal(receipt.chainId, expected.chainId) &&
    equal(receipt.deal, expected.deal) &&
    equal(receipt.root, expected.root) &&
    receipt.bytes === expected.bytes
  const root = receiptType.hashTreeRoot(receipt)
  if (!matches || !verifySignature(peerKey, RECEIPT_LABEL, root, bytes.signature)) {
    throw new HoldfastError('PROTOCOL_VIOLATION', 'the receipt is not for this piece')
  }
  return receipt
}

function decodeReceipt(bytes: Uint8Array): Receipt {
  try {
    if (bytes.length <= RECEIPT_BYTES_MAX) return receiptType.deserialize(bytes)
  } catch {
    // one error for every malformed receipt, below
  }
  throw new HoldfastError('PROTOCOL_VIOLATION', 'the receipt does not decode')
}
