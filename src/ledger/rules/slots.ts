/**
 * Deal slots of a provider. A freed slot waits until no accepted proof can draw from the deal it held: closed in period
 * w, its leaves are gone from w + 1, and proofs for w are accepted until the end of w + 1.
 */
import { assert } from '../../base/assert.ts'
import { addLeaves, DEALS_PER_PROVIDER_MAX, growByOne, totalLeaves } from '../leaf-tree.ts'
import type { TxContext } from '../machine/context.ts'
import { requireThat } from '../machine/outcomes.ts'
import { setFrom } from '../machine/versions.ts'
import { freedSlots, numbered, providers, queued, slots } from '../state/tables.ts'
import type { Contents, DealRecord, ProviderRecord } from '../types/records.ts'

const REST_PERIODS = 2n

/** A slot for the deal. @throws TxFailure TooManyDeals */
export function takeSlot(ctx: TxContext, provider: Uint8Array, dealId: Uint8Array): number {
  const { state } = ctx
  const record = providerOf(ctx, provider)
  const head = queued(provider, record.freedHead)
  const freed = record.freedHead < record.freedTail ? state.get(freedSlots, head) : undefined
  let slot = record.slotCount
  if (freed !== undefined && freed.freedPeriod + REST_PERIODS <= ctx.period) {
    slot = freed.slot
    state.delete(freedSlots, head)
    state.put(providers, provider, { ...record, freedHead: record.freedHead + 1n })
  } else {
    requireThat(slot < DEALS_PER_PROVIDER_MAX, 'TooManyDeals', 'the provider has no slot left')
    growByOne(state, provider, slot)
    state.put(providers, provider, { ...record, slotCount: slot + 1 })
  }
  state.put(slots, numbered(provider, slot), dealId)
  return slot
}

/** Queues the slot of a deal that is being closed or has failed. */
export function freeSlot(ctx: TxContext, deal: DealRecord): void {
  const { state } = ctx
  const record = providerOf(ctx, deal.provider)
  state.put(freedSlots, queued(deal.provider, record.freedTail), {
    slot: deal.slot,
    freedPeriod: ctx.period
  })
  state.put(providers, deal.provider, { ...record, freedTail: record.freedTail + 1n })
}

/** The deal with new contents from the next period on; its leaves in the provider's tree follow. */
export function setContents(ctx: TxContext, deal: DealRecord, contents: Contents): DealRecord {
  changeLeaves(ctx, deal, contents.leaves - deal.contents.v2.leaves)
  return { ...deal, contents: setFrom(deal.contents, ctx.period + 1n, contents) }
}

/** No challenge draws from the deal from the next period on; what it held stays on record. */
export function withdrawLeaves(ctx: TxContext, deal: DealRecord): void {
  changeLeaves(ctx, deal, -deal.contents.v2.leaves)
}

function changeLeaves(ctx: TxContext, { provider, slot }: DealRecord, delta: bigint): void {
  const { state } = ctx
  const period = ctx.period + 1n
  const record = providerOf(ctx, provider)
  const { slotCount } = record
  addLeaves(state, { provider, slotCount, slot, period, delta })
  const total = totalLeaves(state, provider, slotCount, period)
  if (total > 0n === record.dueFrom > 0n) return
  state.put(providers, provider, { ...record, dueFrom: total > 0n ? period : 0n })
}

export function providerOf(ctx: TxContext, account: Uint8Array): ProviderRecord {
  const record = ctx.state.get(providers, account)
  assert(record !== undefined, 'the provider of a deal is registered')
  return record
}
