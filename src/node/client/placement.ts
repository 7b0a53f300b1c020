/**
 * Who holds what of one put: n providers with an open deal each, and the spares that step in. A provider that failed
 * once is not used again for this put.
 */
import { HoldfastError, messageOf } from '../../base/errors.ts'
import {
  assertWithinBudget,
  type Candidate,
  fitsOperatorShare,
  operatorPiecesMax,
  periodUnits,
  type Rejection,
  type SelectionPolicy,
  selectProviders,
  tooFewProviders
} from '../../market/index.ts'
import type { Profile } from '../../storage/index.ts'
import type { ClientContext } from './context.ts'
import { bytesPerProvider, wishesFor } from './wishes.ts'

export interface Holder {
  peerId: string
  peerKey: Uint8Array
  /** 32-byte ledger account. */
  account: Uint8Array
  /** 32-byte deal id. */
  deal: Uint8Array
}

interface Placed extends Holder {
  candidate: Candidate
}

export class Placement {
  readonly #client: ClientContext
  readonly #profile: Profile
  readonly #policy: SelectionPolicy
  readonly #holders: Placed[] = []
  readonly #spares: Candidate[]
  readonly #signal: AbortSignal

  private constructor(
    client: ClientContext,
    wish: { profile: Profile; policy: SelectionPolicy; spares: Candidate[] },
    signal: AbortSignal
  ) {
    this.#client = client
    this.#profile = wish.profile
    this.#policy = wish.policy
    this.#spares = wish.spares
    this.#signal = signal
  }

  /**
   * Chooses n providers and makes sure of a deal with each.
   * @param objectBytes plaintext length when known, else 0
   * @throws HoldfastError TOO_FEW_PROVIDERS | BUDGET_EXCEEDED | INSUFFICIENT_FUNDS | ABORTED
   */
  static async choose(
    client: ClientContext,
    profile: Profile,
    objectBytes: number,
    signal: AbortSignal
  ): Promise<Placement> {
    const { dealPeriods } = client.options
    const object = { profile, objectBytes, dealPeriods }
    const { candidates, policy } = await wishesFor(client, object, signal)
    const { chosen, spares, rejected } = selectProviders(candidates, profile.n, policy)
    const placement = new Placement(client, { profile, policy, spares }, signal)
    const failures = [...rejected]
    const { pieceBytes } = policy
    // All at once: the deals that must be opened then share one block.
    const settled = await Promise.allSettled(
      chosen.map(candidate => placement.#holderOf(candidate, pieceBytes))
    )
    for (const [i, result] of settled.entries()) {
      if (result.status === 'fulfilled') placement.#holders.push(result.value)
      else if (isFatal(result.reason)) throw result.reason
      else failures.push(disagreement(chosen[i]!, result.reason))
    }
    while (placement.#holders.length < profile.n) {
      const holder = await placement.#nextSpare(placement.#holders, pieceBytes, failures)
      if (holder === undefined) {
        throw tooFewProviders(profile.n, placement.#holders.length, failures)
      }
      placement.#holders.push(holder)
    }
    placement.assertWithinBudget(objectBytes)
    return placement
  }

  /**
   * For an object whose length was not known before it was read, and after providers were replaced.
   * @throws HoldfastError BUDGET_EXCEEDED
   */
  assertWithinBudget(objectBytes: number): void {
    const pieceBytes = bytesPerProvider(this.#profile, objectBytes)
    const chosen = this.#holders.map(({ candidate }) => candidate)
    assertWithinBudget(periodUnits(chosen, pieceBytes), this.#policy)
  }

  holder(position: number): Holder {
    return this.#holders[position]!
  }

  /** Puts a spare in the place of a provider that failed; false when none is left. */
  async replace(position: number, failed: Holder): Promise<boolean> {
    if (this.#holders[position] !== failed) return true
    const others = this.#holders.filter((_, at) => at !== position)
    const spare = await this.#nextSpare(others, 0, [])
    if (spare === undefined) return false
    this.#holders[position] = spare
    return true
  }

  /** The next spare that makes a deal and does not give its operator too large a share beside the others. */
  async #nextSpare(
    others: readonly Placed[],
    pieceBytes: number,
    failures: Rejection[]
  ): Promise<Placed | undefined> {
    const piecesMax = operatorPiecesMax(this.#profile.n, this.#policy)
    const beside = others.map(({ candidate }) => candidate)
    for (;;) {
      this.#signal.throwIfAborted()
      const at = this.#spares.findIndex(spare => fitsOperatorShare(spare, beside, piecesMax))
      if (at < 0) return undefined
      const [candidate] = this.#spares.splice(at, 1) as [Candidate]
      try {
        return await this.#holderOf(candidate, pieceBytes)
      } catch (error) {
        if (isFatal(error)) throw error
        failures.push(disagreement(candidate, error))
      }
    }
  }

  async #holderOf(candidate: Candidate, pieceBytes: number): Promise<Placed> {
    const { account, peerKey } = candidate.ask
    const deal = await this.#client.deals.ensureDeal(candidate, pieceBytes, this.#signal)
    return { peerId: candidate.peerId, peerKey, account, deal, candidate }
  }
}

/** Another provider would not help. */
function isFatal(error: unknown): boolean {
  return HoldfastError.is(error, 'INSUFFICIENT_FUNDS') || HoldfastError.is(error, 'ABORTED')
}

function disagreement({ peerId }: Candidate, error: unknown): Rejection {
  return { peerId, rule: 'agreement', reason: messageOf(error) }
}
