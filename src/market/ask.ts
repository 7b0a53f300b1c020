/**
 * An ask: a provider's signed, expiring price sheet. SSZ, signed by the provider's wallet account, so that the account
 * that will be paid is the one that promises. The peer key inside binds it to the libp2p identity that serves it.
 */
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { type SigningKey, verifySignature } from '../base/keys.ts'
import { PIECE_BYTES_MAX } from '../base/limits.ts'
import { UNITS_MAX, type Units } from '../base/money.ts'
import {
  asciiList,
  bytes32,
  chainIdType,
  container,
  decodeStrict,
  type NetworkId,
  type Ssz,
  u32,
  u64
} from '../ledger/index.ts'

const ASK_LABEL = 'ask/v1'
export const TAG_BYTES_MAX = 32
const PRINTABLE = /^[\x20-\x7e]*$/
export const ASK_BYTES_MAX = 512

export interface Ask {
  chainId: string
  /** 32 bytes. */
  genesisHash: Uint8Array
  /** 32-byte ledger account of the provider. */
  account: Uint8Array
  /** 32-byte libp2p identity that serves the pieces. */
  peerKey: Uint8Array
  priceUnitsPerGiBPeriod: Units
  /** For what is read, beyond the provider's free credit. */
  egressUnitsPerGiB: Units
  /** Locked by the provider in every deal. */
  collateralUnits: Units
  /** Shortest and longest deal, in periods. */
  dealPeriodsMin: number
  dealPeriodsMax: number
  /** Shortest and longest piece. */
  pieceBytesMin: number
  pieceBytesMax: number
  freeBytes: bigint
  /** Printable ASCII chosen by the provider; a claim, not a fact. */
  region: string
  operator: string
  validUntilHeight: bigint
}

const askType: Ssz<Ask> = container<Ask>('Ask', {
  chainId: chainIdType,
  genesisHash: bytes32,
  account: bytes32,
  peerKey: bytes32,
  priceUnitsPerGiBPeriod: u64,
  egressUnitsPerGiB: u64,
  collateralUnits: u64,
  dealPeriodsMin: u32,
  dealPeriodsMax: u32,
  pieceBytesMin: u32,
  pieceBytesMax: u32,
  freeBytes: u64,
  region: asciiList(TAG_BYTES_MAX),
  operator: asciiList(TAG_BYTES_MAX),
  validUntilHeight: u64
})

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
  network: NetworkId
  height: bigint
  /** The authenticated libp2p key of whoever sent it. */
  peerKey: Uint8Array
}

/**
 * Decodes and checks an ask as received.
 * @throws HoldfastError ASK_INVALID | ASK_EXPIRED | WRONG_NETWORK
 */
export function openAsk(bytes: SignedAskBytes, context: AskContext): SignedAsk {
  const ask = decodeStrict(askType, bytes.ask, 'the ask', 'ASK_INVALID')
  if (!equal(ask.genesisHash, context.network.genesisHash)) {
    throw new HoldfastError('WRONG_NETWORK', 'the ask belongs to another network')
  }
  if (!verifySignature(ask.account, ASK_LABEL, askType.hashTreeRoot(ask), bytes.signature)) {
    throw new HoldfastError('ASK_INVALID', 'the signature of the ask does not verify')
  }
  if (!equal(ask.peerKey, context.peerKey)) {
    throw new HoldfastError('ASK_INVALID', 'the ask names another peer than the one that sent it')
  }
  assertAskPossible(ask)
  assertAskCurrent(ask, context.height)
  return { ask, signature: bytes.signature }
}

/** What a signature cannot make true. @throws HoldfastError ASK_INVALID */
function assertAskPossible(ask: Ask): void {
  const refuse = (problem: string): never => {
    throw new HoldfastError('ASK_INVALID', `the ask ${problem}`)
  }
  const amounts = [ask.priceUnitsPerGiBPeriod, ask.egressUnitsPerGiB, ask.collateralUnits]
  if (amounts.some(units => units > UNITS_MAX)) refuse('names an amount above the supply')
  if (ask.pieceBytesMax > PIECE_BYTES_MAX) refuse('promises pieces above the maximum')
  if (ask.pieceBytesMin > ask.pieceBytesMax) refuse('wants pieces longer than it takes')
  if (ask.dealPeriodsMin > ask.dealPeriodsMax) refuse('wants deals longer than it takes')
  if (!PRINTABLE.test(ask.region) || !PRINTABLE.test(ask.operator)) {
    refuse('has tags that are not printable ASCII')
  }
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
