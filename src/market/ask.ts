/**
 * An ask: a provider's signed, expiring price sheet. SSZ, signed by the provider's wallet account, so that the account
 * that will be paid is the one that promises. The peer key inside binds it to the libp2p identity that serves it.
 */
import {
  ByteListType,
  ByteVectorType,
  ContainerType,
  UintBigintType,
  UintNumberType,
  type ValueOf
} from '@chainsafe/ssz'
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { type SigningKey, verifySignature } from '../base/keys.ts'
import { PIECE_BYTES_MAX } from '../base/limits.ts'
import { UNITS_MAX } from '../base/money.ts'

const ASK_LABEL = 'ask/v1'
export const TAG_BYTES_MAX = 32
export const ASK_BYTES_MAX = 512

const askFields = {
  chainId: new ByteListType(32),
  account: new ByteVectorType(32),
  peerKey: new ByteVectorType(32),
  priceUnitsPerGiBPeriod: new UintBigintType(8),
  collateralUnits: new UintBigintType(8),
  dealPeriodsMax: new UintNumberType(4),
  pieceBytesMax: new UintNumberType(4),
  freeBytes: new UintBigintType(8),
  region: new ByteListType(TAG_BYTES_MAX),
  operator: new ByteListType(TAG_BYTES_MAX),
  validUntilHeight: new UintBigintType(8)
}
const askType: ContainerType<typeof askFields> = new ContainerType(askFields)

export type Ask = ValueOf<typeof askType>

export interface SignedAsk {
  ask: Ask
  signature: Uint8Array
}

/** The two byte strings that travel. */
export interface SignedAskBytes {
  ask: Uint8Array
  signature: Uint8Array
}

export function signAsk(ask: Ask, wallet: SigningKey): SignedAsk {
  return { ask, signature: wallet.sign(ASK_LABEL, askType.hashTreeRoot(ask)) }
}

export function encodeAsk({ ask, signature }: SignedAsk): SignedAskBytes {
  return { ask: askType.serialize(ask), signature }
}

export interface AskContext {
  chainId: Uint8Array
  height: bigint
  /** The authenticated libp2p key of whoever sent it. */
  peerKey: Uint8Array
}

/**
 * Decodes and checks an ask as received.
 * @throws HoldfastError ASK_INVALID | ASK_EXPIRED | WRONG_NETWORK
 */
export function openAsk(bytes: SignedAskBytes, context: AskContext): SignedAsk {
  const ask = decodeAsk(bytes.ask)
  if (!equal(ask.chainId, context.chainId)) {
    throw new HoldfastError('WRONG_NETWORK', 'the ask belongs to another network')
  }
  if (!verifySignature(ask.account, ASK_LABEL, askType.hashTreeRoot(ask), bytes.signature)) {
    throw new HoldfastError('ASK_INVALID', 'the signature of the ask does not verify')
  }
  if (!equal(ask.peerKey, context.peerKey)) {
    throw new HoldfastError('ASK_INVALID', 'the ask names another peer than the one that sent it')
  }
  if (ask.priceUnitsPerGiBPeriod > UNITS_MAX || ask.collateralUnits > UNITS_MAX) {
    throw new HoldfastError('ASK_INVALID', 'the ask names an amount above the supply')
  }
  if (ask.pieceBytesMax > PIECE_BYTES_MAX) {
    throw new HoldfastError('ASK_INVALID', 'the ask promises pieces above the maximum')
  }
  assertAskCurrent(ask, context.height)
  return { ask, signature: bytes.signature }
}

/** @throws HoldfastError ASK_EXPIRED */
export function assertAskCurrent(ask: Ask, height: bigint): void {
  if (height > ask.validUntilHeight) {
    throw new HoldfastError(
      'ASK_EXPIRED',
      `the ask was valid until height ${ask.validUntilHeight}, the ledger is at ${height}`,
      { retryable: true, hint: 'fetch the current ask of this provider' }
    )
  }
}

function decodeAsk(bytes: Uint8Array): Ask {
  if (bytes.length > ASK_BYTES_MAX) {
    throw new HoldfastError('ASK_INVALID', `ask of ${bytes.length} bytes, ${ASK_BYTES_MAX} allowed`)
  }
  try {
    return askType.deserialize(bytes)
  } catch (cause) {
    throw new HoldfastError('ASK_INVALID', 'the ask does not decode', { cause })
  }
}
