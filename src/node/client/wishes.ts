/** What a put wants of the market, the same for puts and quotes: who offers, and the policy they have to meet. */
import { SEGMENT_BYTES_DEFAULT } from '../../base/limits.ts'
import { UNITS_MAX, type Units } from '../../base/money.ts'
import { type Candidate, type SelectionPolicy, storageUnits } from '../../market/index.ts'
import { type Profile, segmentLayout, segmentsOf } from '../../storage/index.ts'
import type { ClientContext } from './context.ts'

export interface Wishes {
  candidates: Candidate[]
  policy: SelectionPolicy
}

/**
 * Offers that are known, and the policy for an object.
 * @param objectBytes plaintext length when known, else 0
 * @param dealPeriods length of new deals
 */
export async function wishesFor(
  client: ClientContext,
  object: { profile: Profile; objectBytes: number; dealPeriods: number },
  signal: AbortSignal
): Promise<Wishes> {
  const { profile, objectBytes, dealPeriods } = object
  const candidates = await client.orderBook.candidates(profile.n, signal)
  const { unitsPerPeriodMax, policy } = client.options
  return {
    candidates,
    policy: {
      ...policy,
      dealPeriods,
      pieceBytes: bytesPerProvider(profile, objectBytes),
      ...pieceLengths(profile, objectBytes),
      unitsPerPeriodMax: unitsLeft(client, unitsPerPeriodMax)
    }
  }
}

/** Bytes of one piece index over all segments. */
export function bytesPerProvider(profile: Profile, objectBytes: number): number {
  const segments = segmentsOf(objectBytes, SEGMENT_BYTES_DEFAULT)
  if (segments === 0) return 0
  const rest = objectBytes - (segments - 1) * SEGMENT_BYTES_DEFAULT
  const full = segmentLayout(profile, SEGMENT_BYTES_DEFAULT).pieceBytes
  return (segments - 1) * full + segmentLayout(profile, rest).pieceBytes
}

/** Shortest and longest piece; any, up to that of a full segment, when the length is not known. */
function pieceLengths(
  profile: Profile,
  objectBytes: number
): Pick<SelectionPolicy, 'pieceBytesMin' | 'pieceBytesMax'> {
  const full = segmentLayout(profile, SEGMENT_BYTES_DEFAULT).pieceBytes
  const segments = segmentsOf(objectBytes, SEGMENT_BYTES_DEFAULT)
  if (segments === 0) return { pieceBytesMin: 0, pieceBytesMax: full }
  const rest = objectBytes - (segments - 1) * SEGMENT_BYTES_DEFAULT
  const last = segmentLayout(profile, rest).pieceBytes
  return { pieceBytesMin: last, pieceBytesMax: segments === 1 ? last : full }
}

/** What the deals there are leave of the budget of one period. */
function unitsLeft({ replica, wallet }: ClientContext, limit: Units): Units {
  if (limit === UNITS_MAX) return limit
  let spent = 0n
  for (const deal of replica.dealsOfClient(wallet.publicKey)) {
    if (deal.state === 'open') {
      spent += storageUnits(deal.priceUnitsPerGiBPeriod, Number(deal.bytes), 1)
    }
  }
  return spent < limit ? limit - spent : 0n
}
