/**
 * Who holds what of one put: n providers with an open deal each, and the spares that step in. A provider that failed
 * once is not used again for this put.
 */
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { SEGMENT_BYTES_DEFAULT } from '../../base/limits.ts'
import { type Candidate, selectProviders } from '../../market/index.ts'
import { type Profile, segmentLayout } from '../../storage/index.ts'
import type { ClientContext } from './context.ts'

export interface Holder {
  peerId: string
  peerKey: Uint8Array
  /** 32-byte ledger account. */
  account: Uint8Array
  /** 32-byte deal id. */
  deal: Uint8Array
}

export class Placement {
  readonly #client: ClientContext
  readonly #holders: Holder[]
  readonly #spares: Candidate[]
  readonly #signal: AbortSignal

  private constructor(
    client: ClientContext,
    holders: Holder[],
    spares: Candidate[],
    signal: AbortSignal
  ) {
    this.#client = client
    this.#holders = holders
    this.#spares = spares
    this.#signal = signal
  }

  /**
   * Chooses n providers and makes sure of a deal with each.
   * @param objectBytes plaintext length when known, else 0
   * @throws HoldfastError TOO_FEW_PROVIDERS | INSUFFICIENT_FUNDS | ABORTED
   */
  static async choose(
    client: ClientContext,
    profile: Profile,
    objectBytes: number,
    signal: AbortSignal
  ): Promise<Placement> {
    const segment = segmentLayout(profile, SEGMENT_BYTES_DEFAULT)
    const pieceBytes = Math.ceil(objectBytes / profile.k)
    const candidates = await client.orderBook.candidates(profile.n, signal)
    const { chosen, spares, rejected } = selectProviders(candidates, profile.n, {
      priceUnitsPerGiBPeriodMax: client.options.priceUnitsPerGiBPeriodMax,
      dealPeriods: client.options.dealPeriods,
      pieceBytes,
      pieceBytesMax: Math.min(segment.pieceBytes, pieceBytes + segment.shareBytes)
    })
    const placement = new Placement(client, [], spares, signal)
    const failures: typeof rejected = [...rejected]
    // All at once: the deals that must be opened then share one block.
    const settled = await Promise.allSettled(
      chosen.map(candidate => placement.#holderOf(candidate, pieceBytes))
    )
    for (const [i, result] of settled.entries()) {
      if (result.status === 'fulfilled') placement.#holders.push(result.value)
      else if (isFatal(result.reason)) throw result.reason
      else failures.push({ peerId: chosen[i]!.peerId, reason: messageOf(result.reason) })
    }
    while (placement.#holders.length < profile.n) {
      const holder = await placement.#nextSpare(pieceBytes, failures)
      if (holder === undefined) throw tooFew(profile.n, placement.#holders.length, failures)
      placement.#holders.push(holder)
    }
    return placement
  }

  holder(position: number): Holder {
    return this.#holders[position]!
  }

  /** Puts a spare in the place of a provider that failed; false when none is left. */
  async replace(position: number, failed: Holder): Promise<boolean> {
    if (this.#holders[position] !== failed) return true
    const spare = await this.#nextSpare(0, [])
    if (spare === undefined) return false
    this.#holders[position] = spare
    return true
  }

  async #nextSpare(
    pieceBytes: number,
    failures: { peerId: string; reason: string }[]
  ): Promise<Holder | undefined> {
    for (;;) {
      this.#signal.throwIfAborted()
      const candidate = this.#spares.shift()
      if (candidate === undefined) return undefined
      try {
        return await this.#holderOf(candidate, pieceBytes)
      } catch (error) {
        if (isFatal(error)) throw error
        failures.push({ peerId: candidate.peerId, reason: messageOf(error) })
      }
    }
  }

  async #holderOf(candidate: Candidate, pieceBytes: number): Promise<Holder> {
    const { account, peerKey } = candidate.ask
    const deal = await this.#client.deals.ensureDeal(candidate, pieceBytes, this.#signal)
    return { peerId: candidate.peerId, peerKey, account, deal }
  }
}

/** Another provider would not help. */
function isFatal(error: unknown): boolean {
  return HoldfastError.is(error, 'INSUFFICIENT_FUNDS') || HoldfastError.is(error, 'ABORTED')
}

function tooFew(
  needed: number,
  usable: number,
  rejected: { peerId: string; reason: string }[]
): HoldfastError {
  return new HoldfastError(
    'TOO_FEW_PROVIDERS',
    `${needed} providers are needed, a deal could be made with ${usable}`,
    { details: { needed, usable, rejected }, retryable: true }
  )
}
