/**
 * providerRegister: makes the sender a provider, or gives it a new peer key. A peer key serves one account.
 * providerMaintenance: says before it happens that some periods will not be proven.
 */
import { equal } from '../../base/bytes.ts'
import { type SigningKey, verifySignature } from '../../base/keys.ts'
import type { TxContext } from '../machine/context.ts'
import { coveredBy, spansOf } from '../machine/misses.ts'
import { requireThat } from '../machine/outcomes.ts'
import { maintenances, peerKeys, providers } from '../state/tables.ts'
import {
  MAINTENANCE_SPANS_MAX,
  type MaintenanceSpan,
  type ProviderRecord
} from '../types/records.ts'
import {
  type PeerBinding,
  type ProviderMaintenance,
  type ProviderRegister,
  peerBindingType
} from '../types/tx.ts'

const BINDING_LABEL = 'ledger/peer-binding/v1'

/** 64-byte signature by the peer key. */
export function signPeerBinding(key: SigningKey, binding: PeerBinding): Uint8Array {
  return key.sign(BINDING_LABEL, peerBindingType.hashTreeRoot(binding))
}

/** Money flows: none. */
export function applyProviderRegister(ctx: TxContext, payload: ProviderRegister): void {
  const { state, sender } = ctx
  const { peerKey, peerSignature } = payload
  const binding = { ...ctx.network, account: sender, peerKey }
  const root = peerBindingType.hashTreeRoot(binding)
  requireThat(
    verifySignature(peerKey, BINDING_LABEL, root, peerSignature),
    'SignatureInvalid',
    'the peer key did not sign for this account'
  )
  const owner = state.get(peerKeys, peerKey)
  requireThat(
    owner === undefined || equal(owner, sender),
    'PeerKeyTaken',
    'the peer key belongs to another provider'
  )
  const before = state.get(providers, sender)
  if (before !== undefined) state.delete(peerKeys, before.peerKey)
  state.put(peerKeys, peerKey, sender)
  state.put(
    providers,
    sender,
    before === undefined ? newProvider(ctx, peerKey) : { ...before, peerKey }
  )
}

function newProvider(ctx: TxContext, peerKey: Uint8Array): ProviderRecord {
  return {
    peerKey,
    registeredHeight: ctx.height,
    provenCount: 0n,
    provenNext: 0n,
    slotCount: 0,
    freedHead: 0n,
    freedTail: 0n,
    dueFrom: 0n,
    resumedFrom: 0n,
    failedDeals: 0
  }
}

/**
 * The sender's misses in the declared periods do not count towards abandonment. They stay unpaid. The current period
 * may be among them; in no span of maintenanceWindowPeriods are more than maintenancePeriodsMax declared. The window
 * that ends with the new declaration holds the most, so it is the only one to look at.
 *
 * Money flows: none.
 */
export function applyProviderMaintenance(ctx: TxContext, payload: ProviderMaintenance): void {
  const { state, params, sender, period } = ctx
  requireThat(
    state.get(providers, sender) !== undefined,
    'ProviderUnknown',
    'the sender is not a provider'
  )
  const window = BigInt(params.maintenanceWindowPeriods)
  const from = payload.fromPeriod
  const to = from + BigInt(payload.periods)
  const spans = spansOf(state, sender)
  requireThat(
    payload.periods > 0 && from >= period && from <= period + window,
    'MaintenanceInvalid',
    `maintenance begins between period ${period} and ${period + window}`
  )
  requireThat(
    from >= (spans.at(-1)?.to ?? 0n),
    'MaintenanceInvalid',
    'later maintenance is declared already'
  )
  const all = [...spans, { from, to }]
  requireThat(
    coveredBy(all, to > window ? to - window : 0n, to) <= BigInt(params.maintenancePeriodsMax),
    'MaintenanceUsedUp',
    `at most ${params.maintenancePeriodsMax} of ${window} periods can be declared`
  )
  state.put(maintenances, sender, remembered(all, period - window))
}

/** When there is no room, the oldest span goes if it is over for a whole window. */
function remembered(spans: MaintenanceSpan[], over: bigint): MaintenanceSpan[] {
  if (spans.length <= MAINTENANCE_SPANS_MAX) return spans
  const [oldest, ...rest] = spans
  requireThat(
    oldest!.to <= over,
    'MaintenanceUsedUp',
    `${MAINTENANCE_SPANS_MAX} declarations are remembered`
  )
  return rest
}
