/**
 * Paying for retrieval: prices, and the vouchers both sides keep books by (voucher-payer.ts, voucher-payee.ts). Both
 * books are pure: what happens makes a new state, which its owner stores.
 *
 * A voucher promises the sum of all payments so far, so a lost, repeated or reordered one does no harm. The payee stays
 * at most one window of bytes ahead of what is promised; the payer promises at most one window more than it asked for.
 */
import { assert } from '../base/assert.ts'
import { GIB } from '../base/limits.ts'
import { mulDivCeil, type Units } from '../base/money.ts'
import type { ChannelView, NetworkId } from '../ledger/index.ts'

export interface RetrievalTerms {
  egressUnitsPerGiB: Units
  /** What one side trusts the other with. */
  windowBytes: number
  /** Served in a channel before anything is owed. */
  freeBytes: number
}

/** What travels: the voucher's network and channel are those that both sides speak about. */
export interface SignedVoucher {
  cumulativeUnits: Units
  /** 64 bytes by the payer. */
  signature: Uint8Array
}

/** The channel as both sides know it from the ledger. */
export interface ChannelFacts extends Omit<ChannelView, 'id'> {
  channelId: Uint8Array
  network: NetworkId
}

export function channelFacts(
  { chainId, genesisHash }: NetworkId,
  { id, ...view }: ChannelView
): ChannelFacts {
  return { ...view, channelId: id, network: { chainId, genesisHash } }
}

/** Price of the first `bytes` of a channel: ceil(price · what is above the free bytes / GiB). */
export function retrievalUnits(terms: RetrievalTerms, bytes: bigint): Units {
  assert(terms.windowBytes > 0 && terms.freeBytes >= 0, 'a window has bytes')
  const paid = bytes - BigInt(terms.freeBytes)
  return paid > 0n ? mulDivCeil(terms.egressUnitsPerGiB, paid, BigInt(GIB)) : 0n
}
