/**
 * proof: a provider opens the leaves that the beacon drew for a period over everything it holds. Accepted during the
 * period and the one after it, once. The block that seeds a period cannot carry a proof of it.
 */
import { assert } from '../../base/assert.ts'
import { u64be } from '../../base/bytes.ts'
import { challengeSeed, drawLeaves } from '../../proofs/challenge.ts'
import { verifyOpening } from '../../proofs/verify.ts'
import { locateLeaves, totalLeaves } from '../leaf-tree.ts'
import type { TxContext } from '../machine/context.ts'
import { requireThat } from '../machine/outcomes.ts'
import { markProven } from '../machine/proven.ts'
import { versionAt } from '../machine/versions.ts'
import type { Params } from '../params.ts'
import type { Overlay } from '../state/overlay.ts'
import { deals, numbered, periodMixes, providers, slots } from '../state/tables.ts'
import type { ProofPayload } from '../types/proof.ts'

export interface ChallengedLeaf {
  dealId: Uint8Array
  /** Within the deal. */
  leafIndex: bigint
  dealRoot: Uint8Array
  dealLeaves: bigint
  revision: bigint
}

export interface Challenge {
  seed: Uint8Array
  /** In the order of the draw. */
  leaves: ChallengedLeaf[]
}

/**
 * What a provider has to open for a period; undefined before the seed exists, without leaves, or for an unknown
 * provider. Exact for the current period and the one before; the caller keeps to these.
 */
export function challengeFor(
  state: Overlay,
  params: Params,
  provider: Uint8Array,
  period: bigint
): Challenge | undefined {
  const record = state.get(providers, provider)
  const mix = state.get(periodMixes, u64be(period))
  if (record === undefined || mix === undefined) return undefined
  const { slotCount } = record
  const total = totalLeaves(state, provider, slotCount, period)
  if (total === 0n) return undefined
  const seed = challengeSeed(mix, period, provider)
  const drawn = drawLeaves(seed, params.leavesPerProof, total)
  const places = locateLeaves(state, { provider, slotCount, period, leaves: drawn })
  const leaves = places.map(place => leafOfSlot(state, { provider, period, ...place }))
  return { seed, leaves }
}

function leafOfSlot(
  state: Overlay,
  init: { provider: Uint8Array; slot: number; period: bigint; leafIndex: bigint }
): ChallengedLeaf {
  const dealId = state.get(slots, numbered(init.provider, init.slot))
  const deal = dealId === undefined ? undefined : state.get(deals, dealId)
  assert(dealId !== undefined && deal !== undefined, 'a slot with leaves has a deal')
  const { root, leaves, revision } = versionAt(deal.contents, init.period)
  assert(init.leafIndex < leaves, 'the tree of counts agrees with the deals')
  return { dealId, leafIndex: init.leafIndex, dealRoot: root, dealLeaves: leaves, revision }
}

/** Money flows: none; the period can be settled. */
export function applyProof(ctx: TxContext, payload: ProofPayload): void {
  const { state, params, sender, height, period: now } = ctx
  const { period, openings } = payload
  const record = state.get(providers, sender)
  requireThat(record !== undefined, 'ProviderUnknown', 'the sender is not a provider')
  const seedHeight = period * BigInt(params.periodHeights)
  requireThat(
    seedHeight < height && (period === now || period === now - 1n),
    'ProofOutsideWindow',
    `a proof of period ${period} is not accepted at height ${height}`
  )
  requireThat(period >= record.provenNext, 'ProofRepeated', 'the period is proven, or an older one')
  requireThat(
    openings.length === params.leavesPerProof,
    'ProofIncomplete',
    `a proof opens ${params.leavesPerProof} leaves`
  )
  const challenge = challengeFor(state, params, sender, period)
  requireThat(challenge !== undefined, 'ProofNotDue', 'the provider held nothing in this period')
  for (const [i, { dealRoot, dealLeaves, leafIndex }] of challenge.leaves.entries()) {
    requireThat(
      verifyOpening({ opening: openings[i]!, dealRoot, dealLeaves, leafIndex }),
      'ProofInvalid',
      `opening ${i} does not verify`
    )
  }
  markProven(state, params, sender, period)
}
