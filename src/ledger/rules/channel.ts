/**
 * channelOpen, channelTopUp, channelRedeem and channelClose: payments for retrieval. One deposit per payee, never
 * shared, so a voucher within it cannot bounce. All work is O(1). A deposit is escrow of the payer.
 */
import { assert } from '../../base/assert.ts'
import { equal } from '../../base/bytes.ts'
import type { TxContext } from '../machine/context.ts'
import { lockEscrow, payFromEscrow } from '../machine/money.ts'
import { requireThat } from '../machine/outcomes.ts'
import type { Overlay } from '../state/overlay.ts'
import { channels, numbered, payerChannelCounts, payerChannels } from '../state/tables.ts'
import {
  type ChannelOpen,
  type ChannelRecord,
  type ChannelRedeem,
  type ChannelRef,
  type ChannelTopUp,
  channelIdOf,
  verifyVoucher
} from '../types/channel.ts'

/**
 * By the payer.
 *
 * Money flows: depositUnits from the sender's balance to its escrow.
 */
export function applyChannelOpen(ctx: TxContext, payload: ChannelOpen): void {
  const { state, sender: payer, params } = ctx
  const { payee, depositUnits, expiryHeight } = payload
  requireThat(depositUnits > 0n, 'AmountInvalid', 'nothing to deposit')
  checkExpiry(ctx, expiryHeight)
  const id = channelIdOf(ctx.network, payer, payload)
  requireThat(state.get(channels, id) === undefined, 'ChannelExists', 'the channel is open')
  lockEscrow(state, payer, payer, depositUnits)
  const index = state.get(payerChannelCounts, payer) ?? 0
  assert(index < 2 ** 32 - 1, 'channel indexes fit u32')
  state.put(payerChannels, numbered(payer, index), id)
  state.put(payerChannelCounts, payer, index + 1)
  state.put(channels, id, {
    payer,
    payee,
    depositUnits,
    redeemedUnits: 0n,
    expiryHeight,
    settledHeight: expiryHeight + BigInt(params.channelSettleHeights),
    index
  })
}

/**
 * By the payer: a greater deposit, a later expiry, or both. The delay of settlement never gets shorter.
 *
 * Money flows: amountUnits from the sender's balance to its escrow.
 */
export function applyChannelTopUp(ctx: TxContext, payload: ChannelTopUp): void {
  const { channelId, amountUnits, expiryHeight } = payload
  const channel = openChannel(ctx, channelId)
  requireThat(equal(ctx.sender, channel.payer), 'NotAParty', 'the channel has another payer')
  requireThat(
    ctx.height <= channel.expiryHeight && expiryHeight >= channel.expiryHeight,
    'ChannelExpired',
    `the channel expires at height ${channel.expiryHeight}`
  )
  requireThat(
    amountUnits > 0n || expiryHeight > channel.expiryHeight,
    'AmountInvalid',
    'nothing to add'
  )
  checkExpiry(ctx, expiryHeight)
  lockEscrow(ctx.state, channel.payer, channel.payer, amountUnits)
  const settledHeight = expiryHeight + BigInt(ctx.params.channelSettleHeights)
  ctx.state.put(channels, channelId, {
    ...channel,
    depositUnits: channel.depositUnits + amountUnits,
    expiryHeight,
    settledHeight: settledHeight > channel.settledHeight ? settledHeight : channel.settledHeight
  })
}

/**
 * By anybody, with the payer's voucher; as long as the channel is there.
 *
 * Money flows: what the voucher promises beyond what was redeemed, from the payer's escrow to the payee's balance.
 */
export function applyChannelRedeem(ctx: TxContext, payload: ChannelRedeem): void {
  const { channelId, cumulativeUnits, signature } = payload
  const channel = openChannel(ctx, channelId)
  const { payer, payee, depositUnits, redeemedUnits } = channel
  requireThat(
    cumulativeUnits > redeemedUnits,
    'VoucherStale',
    `${redeemedUnits} units are redeemed already`
  )
  requireThat(
    cumulativeUnits <= depositUnits,
    'VoucherUnbacked',
    `the deposit is ${depositUnits} units`
  )
  const { chainId, genesisHash } = ctx.network
  requireThat(
    verifyVoucher(payer, { chainId, genesisHash, channelId, cumulativeUnits }, signature),
    'SignatureInvalid',
    'the voucher is not by the payer, or for another channel'
  )
  payFromEscrow(ctx.state, payer, payee, cumulativeUnits - redeemedUnits)
  ctx.state.put(channels, channelId, { ...channel, redeemedUnits: cumulativeUnits })
}

/**
 * By the payee at any time, by the payer when the settlement delay after the expiry is over. The record goes.
 *
 * Money flows: what is left of the deposit, from the payer's escrow to its balance.
 */
export function applyChannelClose(ctx: TxContext, { channelId }: ChannelRef): void {
  const { state, sender } = ctx
  const channel = openChannel(ctx, channelId)
  const { payer, payee, depositUnits, redeemedUnits, settledHeight } = channel
  if (!equal(sender, payee)) {
    requireThat(equal(sender, payer), 'NotAParty', 'only payer and payee close a channel')
    requireThat(
      ctx.height > settledHeight,
      'ChannelNotOver',
      `the payer can close the channel above height ${settledHeight}`
    )
  }
  payFromEscrow(state, payer, payer, depositUnits - redeemedUnits)
  state.delete(channels, channelId)
  removeFromList(state, channel)
}

/** The last of the payer's list takes the place. */
function removeFromList(state: Overlay, { payer, index }: ChannelRecord): void {
  const last = (state.get(payerChannelCounts, payer) ?? 0) - 1
  assert(index <= last, 'an open channel is in the list of its payer')
  if (index < last) {
    const moved = state.get(payerChannels, numbered(payer, last))!
    state.put(payerChannels, numbered(payer, index), moved)
    state.put(channels, moved, { ...state.get(channels, moved)!, index })
  }
  state.delete(payerChannels, numbered(payer, last))
  if (last === 0) state.delete(payerChannelCounts, payer)
  else state.put(payerChannelCounts, payer, last)
}

/** Nobody locks money for longer than the longest deal. */
function checkExpiry({ height, params }: TxContext, expiryHeight: bigint): void {
  requireThat(expiryHeight > height, 'ChannelExpired', 'the channel would be over at once')
  const heightsMax = BigInt(params.dealPeriodsMax) * BigInt(params.periodHeights)
  requireThat(
    expiryHeight - height <= heightsMax,
    'ChannelTooLong',
    `a channel lasts at most ${heightsMax} heights from now`
  )
}

function openChannel(ctx: TxContext, channelId: Uint8Array): ChannelRecord {
  const channel = ctx.state.get(channels, channelId)
  requireThat(channel !== undefined, 'ChannelUnknown', 'no such channel')
  return channel
}
