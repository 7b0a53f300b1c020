/** The payee's book of a channel: what it served, the best voucher it holds, when to redeem it. */
import { HoldfastError } from '../base/errors.ts'
import type { Units } from '../base/money.ts'
import { verifyVoucher } from '../ledger/index.ts'
import {
  type ChannelFacts,
  type RetrievalTerms,
  retrievalUnits,
  type SignedVoucher
} from './voucher.ts'

export interface PayeeBook {
  readonly channel: ChannelFacts
  readonly servedBytes: bigint
  /** The greatest so far. */
  readonly voucher?: SignedVoucher
}

export interface RedeemPolicy {
  /** Redeem as soon as so much is promised and not redeemed: what a redeem costs is small beside it. */
  thresholdUnits: Units
  /** Redeem everything from so many heights before the expiry on. */
  marginHeights: bigint
}

export function openPayeeBook(channel: ChannelFacts): PayeeBook {
  return { channel, servedBytes: 0n }
}

/** What the ledger says now. */
export function refreshPayee(book: PayeeBook, channel: ChannelFacts): PayeeBook {
  return { ...book, channel }
}

/** What has to be promised before `bytes` more are served: all but the newest window. */
export function claimUnits(book: PayeeBook, terms: RetrievalTerms, bytes: number): Units {
  const covered = book.servedBytes + BigInt(bytes) - BigInt(terms.windowBytes)
  return retrievalUnits(terms, covered)
}

/**
 * Whether `bytes` more may be served on the strength of the promises so far. Never beyond the deposit, and never when
 * the channel is about to expire.
 */
export function mayServe(
  book: PayeeBook,
  terms: RetrievalTerms,
  init: { bytes: number; height: bigint }
): boolean {
  const { channel, servedBytes, voucher } = book
  if (init.height >= channel.expiryHeight) return false
  const after = retrievalUnits(terms, servedBytes + BigInt(init.bytes))
  if (after > channel.depositUnits) return false
  return claimUnits(book, terms, init.bytes) <= (voucher?.cumulativeUnits ?? 0n)
}

export function served(book: PayeeBook, bytes: number): PayeeBook {
  return { ...book, servedBytes: book.servedBytes + BigInt(bytes) }
}

/**
 * The book with a voucher as it came; the same book when it holds a better one.
 * @throws HoldfastError VOUCHER_INVALID when it is not by the payer, not for this channel or not covered by the deposit
 */
export function accept(book: PayeeBook, voucher: SignedVoucher): PayeeBook {
  const { network, channelId, payer, depositUnits } = book.channel
  const { cumulativeUnits, signature } = voucher
  if (cumulativeUnits <= (book.voucher?.cumulativeUnits ?? 0n)) return book
  if (cumulativeUnits > depositUnits) {
    throw new HoldfastError('VOUCHER_INVALID', 'the voucher promises more than the deposit', {
      hint: 'top the channel up first'
    })
  }
  if (!verifyVoucher(payer, { ...network, channelId, cumulativeUnits }, signature)) {
    throw new HoldfastError('VOUCHER_INVALID', 'the voucher is not by the payer of this channel')
  }
  return { ...book, voucher }
}

/** The voucher to redeem now; undefined when it can wait or there is none. */
export function redeemDue(
  { channel, voucher }: PayeeBook,
  policy: RedeemPolicy,
  height: bigint
): SignedVoucher | undefined {
  if (voucher === undefined) return undefined
  const openUnits = voucher.cumulativeUnits - channel.redeemedUnits
  if (openUnits <= 0n) return undefined
  const isLate = height + policy.marginHeights >= channel.expiryHeight
  return isLate || openUnits >= policy.thresholdUnits ? voucher : undefined
}
