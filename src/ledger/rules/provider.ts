/** providerRegister: makes the sender a provider, or gives it a new peer key. A peer key serves one account. */
import { equal } from '../../base/bytes.ts'
import { type SigningKey, verifySignature } from '../../base/keys.ts'
import type { TxContext } from '../machine/context.ts'
import { requireThat } from '../machine/outcomes.ts'
import { peerKeys, providers } from '../state/tables.ts'
import { type PeerBinding, type ProviderRegister, peerBindingType } from '../types/tx.ts'

const BINDING_LABEL = 'ledger/peer-binding/v1'

/** 64-byte signature by the peer key. */
export function signPeerBinding(key: SigningKey, binding: PeerBinding): Uint8Array {
  return key.sign(BINDING_LABEL, peerBindingType.hashTreeRoot(binding))
}

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

function newProvider(ctx: TxContext, peerKey: Uint8Array) {
  return {
    peerKey,
    registeredHeight: ctx.height,
    provenCount: 0n,
    provenNext: 0n,
    slotCount: 0,
    freedHead: 0n,
    freedTail: 0n
  }
}
