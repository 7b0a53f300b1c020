/** A deal and its provider as the own replica has them. */
import { toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { DealView } from '../../ledger/index.ts'
import type { AuditorContext } from './context.ts'

export interface DealOnLedger {
  deal: DealView
  peerKey: Uint8Array
}

/** @throws HoldfastError NOT_FOUND */
export function dealOnLedger({ replica }: AuditorContext, id: Uint8Array): DealOnLedger {
  const deal = replica.deal(id)
  const provider = deal && replica.provider(deal.provider)
  if (deal !== undefined && provider !== undefined) return { deal, peerKey: provider.peerKey }
  throw new HoldfastError('NOT_FOUND', `the ledger has no deal ${toHex(id)}`)
}
