/** What an object would cost: the same selection and the same arithmetic that a put uses. */
import { SEGMENT_BYTES_DEFAULT } from '../../base/limits.ts'
import { quoteStorage } from '../../market/index.ts'
import {
  formatProfile,
  type Profile,
  parseProfile,
  segmentLayout,
  segmentsOf
} from '../../storage/index.ts'
import type { QuoteRequest, QuoteResult } from '../control/types.ts'
import type { ClientContext } from './context.ts'

/** @throws HoldfastError TOO_FEW_PROVIDERS | PROFILE_IMPOSSIBLE */
export async function quote(client: ClientContext, request: QuoteRequest): Promise<QuoteResult> {
  const profile = parseProfile(request.profile ?? client.options.profile)
  const periods = request.periods ?? client.options.dealPeriods
  const pieceBytes = bytesPerProvider(profile, request.bytes)
  const candidates = await client.orderBook.candidates(profile.n, client.signal)
  const { chosen, costUnitsPerPeriod } = quoteStorage(candidates, profile.n, {
    priceUnitsPerGiBPeriodMax: client.options.priceUnitsPerGiBPeriodMax,
    dealPeriods: periods,
    pieceBytes,
    pieceBytesMax: Math.min(pieceBytes, segmentLayout(profile, SEGMENT_BYTES_DEFAULT).pieceBytes)
  })
  return {
    bytes: request.bytes,
    profile: formatProfile(profile),
    storedBytes: pieceBytes * profile.n,
    periods,
    costUnitsPerPeriod,
    costUnits: costUnitsPerPeriod * BigInt(periods),
    providers: chosen.map(({ peerId, ask }) => ({
      provider: peerId,
      priceUnitsPerGiBPeriod: ask.priceUnitsPerGiBPeriod,
      bytes: pieceBytes
    }))
  }
}

/** Bytes of one piece index over all segments. */
function bytesPerProvider(profile: Profile, objectBytes: number): number {
  const segments = segmentsOf(objectBytes, SEGMENT_BYTES_DEFAULT)
  if (segments === 0) return 0
  const rest = objectBytes - (segments - 1) * SEGMENT_BYTES_DEFAULT
  const full = segmentLayout(profile, SEGMENT_BYTES_DEFAULT).pieceBytes
  return (segments - 1) * full + segmentLayout(profile, rest).pieceBytes
}
