/**
 * A durable receipt: the provider's node key signs, after fsync, that a piece is on its disk. The client counts a piece
 * only with its receipt. The provider keeps an unreferenced piece until `heldUntilHeight`; a signed revision of the
 * deal replaces the receipt.
 */
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { type SigningKey, verifySignature } from '../base/keys.ts'
import { bytes32, container, decodeStrict, type Ssz, u32, u64 } from '../ledger/index.ts'

const RECEIPT_LABEL = 'receipt/v1'
export const RECEIPT_BYTES_MAX = 256

export interface Receipt {
  /** 32-byte genesis hash of the network. */
  genesisHash: Uint8Array
  deal: Uint8Array
  root: Uint8Array
  bytes: number
  heldUntilHeight: bigint
}

const receiptType: Ssz<Receipt> = container<Receipt>('Receipt', {
  genesisHash: bytes32,
  deal: bytes32,
  root: bytes32,
  bytes: u32,
  heldUntilHeight: u64
})

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
  const receipt = decodeStrict(receiptType, bytes.receipt, 'the receipt', 'PROTOCOL_VIOLATION')
  const matches =
    equal(receipt.genesisHash, expected.genesisHash) &&
    equal(receipt.deal, expected.deal) &&
    equal(receipt.root, expected.root) &&
    receipt.bytes === expected.bytes
  const root = receiptType.hashTreeRoot(receipt)
  if (!matches || !verifySignature(peerKey, RECEIPT_LABEL, root, bytes.signature)) {
    throw new HoldfastError('PROTOCOL_VIOLATION', 'the receipt is not for this piece')
  }
  return receipt
}
