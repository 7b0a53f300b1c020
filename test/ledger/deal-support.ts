/** A client and a provider on a test chain, with what they send about deals and channels. */
import type { SigningKey } from '../../src/base/keys.ts'
import type { Outcome } from '../../src/ledger/machine/outcomes.ts'
import type { Params } from '../../src/ledger/params.ts'
import { maintenances, providers } from '../../src/ledger/state/tables.ts'
import { channelIdOf, signVoucher } from '../../src/ledger/types/channel.ts'
import { type DealTerms, type Extension, signExtension } from '../../src/ledger/types/deal.ts'
import { dealView, providerView, type ViewContext } from '../../src/ledger/views.ts'
import { keyOf, pieceOf, TestChain, type TestPiece, testGenesis } from './support.ts'

export const client: SigningKey = keyOf('alice')
export const provider: SigningKey = keyOf('bob')
/** Neither of them, with money for fees. */
export const stranger: SigningKey = keyOf('carol')

/** One leaf more than 4 KiB; one unit per byte and period at the price of the test terms. */
export const PIECE: TestPiece = pieceOf('held', 5_000)
export const PAY = 5_000n

export const RULES: Partial<Params> = {
  abandonPeriods: 4,
  bountyPeriods: 3,
  noticePeriods: 2,
  compensationPerMille: 300,
  maintenancePeriodsMax: 3,
  maintenanceWindowPeriods: 12,
  channelSettleHeights: 5
}

export class DealChain extends TestChain {
  constructor(changes: Partial<Params> = {}) {
    super(
      testGenesis({ alice: 10n ** 9n, bob: 10n ** 9n, carol: 10n ** 6n }, { ...RULES, ...changes })
    )
    this.register(provider)
  }

  /** A deal with one piece, held from the next period on. */
  holding(changes: Partial<DealTerms> = {}): Uint8Array {
    const id = this.deal(client, provider, changes)
    const outcome = this.hold(client, provider, id, 1n, [PIECE])
    if (outcome !== 'ok') throw new Error(`dealRevise: ${outcome}`)
    return id
  }

  async prove(period: bigint): Promise<Outcome> {
    const payload = await this.proofOf(provider, period, () => [PIECE])
    return this.send(provider, { kind: 'proof', payload })
  }

  /** Goes through the periods and proves those named. */
  async through(first: bigint, last: bigint, proven: readonly bigint[] = []): Promise<void> {
    for (let period = first; period <= last; period++) {
      this.toPeriod(period)
      if (proven.includes(period)) await this.prove(period)
    }
  }

  about(
    kind: 'dealSettle' | 'dealTerminate' | 'dealFail' | 'dealClose',
    dealId: Uint8Array,
    sender: SigningKey = stranger
  ): Outcome {
    return this.send(sender, { kind, payload: { dealId } })
  }

  maintain(fromPeriod: bigint, periods: number, sender: SigningKey = provider): Outcome {
    return this.send(sender, { kind: 'providerMaintenance', payload: { fromPeriod, periods } })
  }

  extend(
    dealId: Uint8Array,
    changes: Partial<Extension> & { signers?: [SigningKey, SigningKey] } = {}
  ): Outcome {
    const { signers = [client, provider], ...fields } = changes
    const extension: Extension = {
      chainId: this.network.chainId,
      dealId,
      endPeriod: this.record(dealId).endPeriod + 5n,
      escrowUnits: 100_000n,
      acceptHeightMax: this.height + 50n,
      ...fields
    }
    const [clientSignature, providerSignature] = signers.map(key => signExtension(key, extension))
    return this.send(stranger, {
      kind: 'dealExtend',
      payload: {
        extension,
        clientSignature: clientSignature!,
        providerSignature: providerSignature!
      }
    })
  }

  get now(): ViewContext {
    return { state: this.state, params: this.params, period: this.period }
  }

  view(id: Uint8Array): ReturnType<typeof dealView> {
    return dealView(this.now, id, this.record(id))
  }

  providerView(): ReturnType<typeof providerView> {
    const account = provider.publicKey
    return providerView(this.now, account, this.state.get(providers, account)!)
  }

  declared(): [from: bigint, to: bigint][] {
    const spans = this.state.get(maintenances, provider.publicKey) ?? []
    return spans.map(({ from, to }) => [from, to])
  }

  openChannel(changes: { depositUnits?: bigint; heights?: bigint; openNonce?: bigint } = {}): {
    outcome: Outcome
    id: Uint8Array
  } {
    const { depositUnits = 1_000n, heights = 30n, openNonce = 1n } = changes
    const expiryHeight = this.height + heights
    const payload = { payee: provider.publicKey, depositUnits, expiryHeight, openNonce }
    const outcome = this.send(client, { kind: 'channelOpen', payload })
    return { outcome, id: channelIdOf(this.network, client.publicKey, payload) }
  }

  redeem(
    channelId: Uint8Array,
    cumulativeUnits: bigint,
    by: { signer?: SigningKey; sender?: SigningKey; named?: Uint8Array } = {}
  ): Outcome {
    const { signer = client, sender = provider, named = channelId } = by
    const voucher = { ...this.network, channelId: named, cumulativeUnits }
    const signature = signVoucher(signer, voucher)
    const payload = { channelId, cumulativeUnits, signature }
    return this.send(sender, { kind: 'channelRedeem', payload })
  }

  closeChannel(channelId: Uint8Array, sender: SigningKey): Outcome {
    return this.send(sender, { kind: 'channelClose', payload: { channelId } })
  }
}
