/** The object of a bundle: which of the pieces in its repair map the holdings show. */
import { equal, toHex } from '../base/bytes.ts'
import type { NetworkId } from '../ledger/types/network.ts'
import { formatProfile } from '../storage/profile.ts'
import { decodeRepairMap, type MapPiece, repairMapCid } from '../storage/repair-map.ts'
import { type EvidenceBundle, invalid } from './bundle.ts'
import type { ObjectEvidence } from './types.ts'

/** The holdings have been verified. @throws HoldfastError PROOF_INVALID, MANIFEST_INVALID */
export function objectEvidence(
  { holdings }: EvidenceBundle,
  mapBytes: Uint8Array,
  network: NetworkId
): ObjectEvidence {
  const map = decodeRepairMap(mapBytes)
  if (!equal(map.network, network.genesisHash)) throw invalid('has a map of another network')
  const shown = new Set(
    holdings.flatMap(({ deal, pieces }) =>
      pieces.map(({ slot, root, bytes }) => nameOf(deal, slot, root, bytes))
    )
  )
  const deals = new Set(holdings.map(({ deal }) => toHex(deal)))
  const held = map.segments.map(({ pieceBytes, pieces }) => {
    const inDeals = pieces.filter(({ deal }) => deals.has(toHex(deal)))
    const isShown = ({ deal, slot, root }: MapPiece): boolean =>
      shown.has(nameOf(deal, slot, root, pieceBytes))
    if (!inDeals.every(isShown)) throw invalid('shows a deal without a piece that it should hold')
    return inDeals.length
  })
  const heldPieces = held.reduce((sum, count) => sum + count, 0)
  if (heldPieces !== shown.size) throw invalid('shows pieces that are not part of the object')
  return {
    repairMap: repairMapCid(mapBytes),
    profile: formatProfile(map.profile),
    segments: map.segments.length,
    pieces: map.segments.reduce((sum, { pieces }) => sum + pieces.length, 0),
    heldPieces,
    heldPerSegmentMin: held.reduce((least, count) => Math.min(least, count), map.profile.n)
  }
}

function nameOf(deal: Uint8Array, slot: number, root: Uint8Array, bytes: number): string {
  return `${toHex(deal)}/${slot}/${toHex(root)}/${bytes}`
}
