/** The payer's book of a channel: what it asked for, what it promised. */
import { equal } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import type { SigningKey } from '../base/keys.ts'
import { min, type Units } from '../base/money.ts'
import { signVoucher, verifyVoucher } from '../ledger/index.ts'
import {
  type ChannelFacts,
  type RetrievalTerms,
  retrievalUnits,
  type SignedVoucher
} from './voucher.ts'

export interface PayerBook {
  readonly channel: ChannelFacts
  /** Good bytes that came, and all that was asked for in requests the payer itself cut short. */
  readonly receivedBytes: bigint
  /** The greatest promise so far. */
  readonly voucher?: SignedVoucher
}

export function openPayerBook(channel: ChannelFacts): PayerBook {
  return { channel, receivedBytes: 0n }
}

/** Bytes that have to be paid. Bytes that did not verify are not among them. */
export function received(book: PayerBook, bytes: number): PayerBook {
  return { ...book, receivedBytes: book.receivedBytes + BigInt(bytes) }
}

/** What the ledger says now. */
export function refreshPayer(book: PayerBook, channel: ChannelFacts): PayerBook {
  return { ...book, channel }
}

/**
 * The greatest promise this book has to give, never above the deposit: a new one, or the last one again, which may
 * have been lost on the way.
 * @param claimedUnits what the payee says it is owed. @default what came
 * @returns the book with the voucher; it has none while nothing is owed
 * @throws HoldfastError PROTOCOL_VIOLATION when the claim is more than a window above what came
 */
export function promise(
  book: PayerBook,
  terms: RetrievalTerms,
  wallet: SigningKey,
  claimedUnits?: Units
): PayerBook {
  const { channel, receivedBytes, voucher } = book
  const owedUnits = claimedUnits ?? retrievalUnits(terms, receivedBytes)
  if (owedUnits > retrievalUnits(terms, receivedBytes + BigInt(terms.windowBytes))) {
    throw new HoldfastError(
      'PROTOCOL_VIOLATION',
      'the peer asks to be paid for what it did not send',
      {
        details: { claimedUnits: owedUnits.toString(), receivedBytes: receivedBytes.toString() }
      }
    )
  }
  const cumulativeUnits = min(owedUnits, channel.depositUnits)
  if (cumulativeUnits <= (voucher?.cumulativeUnits ?? 0n)) return book
  const { network, channelId } = channel
  const signature = signVoucher(wallet, { ...network, channelId, cumulativeUnits })
  return { ...book, voucher: { cumulativeUnits, signature } }
}

/** What a top-up has to add so that `bytes` more can be paid; 0 when the deposit suffices. */
export function depositShortfall(book: PayerBook, terms: RetrievalTerms, bytes: number): Units {
  const needed = retrievalUnits(terms, book.receivedBytes + BigInt(bytes))
  const { depositUnits } = book.channel
  return needed > depositUnits ? needed - depositUnits : 0n
}

/**
 * The book of a payer that lost it, from its own newest voucher as the payee shows it.
 * @param receivedBytes what the payer believes it has had; it is only a start for the next claims
 * @throws HoldfastError VOUCHER_INVALID unless it is the payer's own
 */
export function restorePayerBook(
  channel: ChannelFacts,
  wallet: SigningKey,
  voucher: SignedVoucher,
  receivedBytes: bigint
): PayerBook {
  const { network, channelId, payer } = channel
  const { cumulativeUnits, signature } = voucher
  const isOwn =
    equal(wallet.publicKey, payer) &&
    verifyVoucher(payer, { ...network, channelId, cumulativeUnits }, signature)
  if (!isOwn) throw new HoldfastError('VOUCHER_INVALID', 'the voucher is not our own')
  return { channel, receivedBytes, voucher }
}
