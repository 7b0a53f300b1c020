/** What an object would cost and how safe it would be: the same selection and the same arithmetic that a put uses. */
import { ninesOfObject, quoteStorage, readUnitsMax } from '../../market/index.ts'
import { formatProfile, parseProfile } from '../../storage/index.ts'
import type { QuoteRequest, QuoteResult } from '../control/types.ts'
import type { ClientContext } from './context.ts'
import { wishesFor } from './wishes.ts'

const MONTH_MS: number = 30 * 86_400_000

/** @throws HoldfastError TOO_FEW_PROVIDERS | BUDGET_EXCEEDED | PROFILE_IMPOSSIBLE */
export async function quote(client: ClientContext, request: QuoteRequest): Promise<QuoteResult> {
  const profile = parseProfile(request.profile ?? client.options.profile)
  const periods = request.periods ?? client.options.dealPeriods
  const object = { profile, objectBytes: request.bytes, dealPeriods: periods }
  const { candidates, policy } = await wishesFor(client, object, client.signal)
  const { chosen, costUnitsPerPeriod } = quoteStorage(candidates, profile.n, policy)
  const { periodHeights, blockIntervalMs } = client.replica.params
  const periodsPerMonth = BigInt(Math.ceil(MONTH_MS / (periodHeights * blockIntervalMs)))
  const rates = client.facts.rates(chosen.map(({ ask }) => ask.account))
  const { pieceBytes } = policy
  return {
    bytes: request.bytes,
    profile: formatProfile(profile),
    storedBytes: pieceBytes * profile.n,
    periods,
    costUnitsPerPeriod,
    costUnitsPerMonth: costUnitsPerPeriod * periodsPerMonth,
    costUnits: costUnitsPerPeriod * BigInt(periods),
    lockUnits: chosen.reduce(
      (sum, candidate) => sum + client.deals.lockUnits(candidate, pieceBytes, periods),
      0n
    ),
    egressUnits: readUnitsMax(chosen, profile.k, pieceBytes),
    nines: ninesOfObject(profile, rates, [0]),
    providers: chosen.map(({ peerId, ask, quality }) => ({
      provider: peerId,
      priceUnitsPerGiBPeriod: ask.priceUnitsPerGiBPeriod,
      egressUnitsPerGiB: ask.egressUnitsPerGiB,
      bytes: pieceBytes,
      reputation: quality,
      region: ask.region,
      operator: ask.operator
    }))
  }
}
