/**
 * Random clients, providers and strangers on one chain, and what an outside observer knows of their deals and channels:
 * enough to compute every payment from the definition, period by period.
 */
import assert from 'node:assert/strict'
import { equal } from '../../src/base/bytes.ts'
import type { SigningKey } from '../../src/base/keys.ts'
import { GIB } from '../../src/base/limits.ts'
import { assertSupply, periodPriceUnits, totalsOf } from '../../src/ledger/machine/money.ts'
import type { Outcome } from '../../src/ledger/machine/outcomes.ts'
import { dealIdOf, type Extension, signExtension } from '../../src/ledger/types/deal.ts'
import type { TestRandom } from '../proofs/random.ts'
import { type OpenChannel, PlayChannels } from './play-channels.ts'
import { keyOf, pieceOf, TestChain, type TestPiece, testGenesis } from './support.ts'

const CLIENTS = ['c0', 'c1', 'c2'].map(keyOf)
const PROVIDERS = ['p0', 'p1'].map(keyOf)
export const EVERYBODY: readonly SigningKey[] = [...CLIENTS, ...PROVIDERS]
const PIECES = [1, 900, 1024, 1025, 5_000, 20_000].map((n, i) => pieceOf(`r${i}`, n))
const RULES = {
  periodHeights: 4,
  revealEveryHeights: 4,
  dealPeriodsMax: 12,
  leavesPerProof: 2,
  abandonPeriods: 4,
  bountyPeriods: 3,
  noticePeriods: 2,
  compensationPerMille: 333,
  maintenancePeriodsMax: 3,
  maintenanceWindowPeriods: 10,
  channelSettleHeights: 6
}
const GENESIS = testGenesis(
  {
    ...Object.fromEntries(['c0', 'c1', 'c2'].map(name => [name, 10n ** 12n])),
    ...Object.fromEntries(['p0', 'p1'].map(name => [name, 10n ** 11n]))
  },
  RULES
)

/** Deals of so many closes back may still be drawn from by a late proof. */
const CLOSED_KEPT = 64

interface Followed {
  id: Uint8Array
  client: SigningKey
  provider: SigningKey
  pricePerGiB: bigint
  revision: bigint
  /** Pieces from a period on, newest last. */
  history: { from: bigint; revision: bigint; pieces: TestPiece[] }[]
  /** Periods that can still be paid, by the proofs that were accepted. */
  proven: bigint[]
}

export class Play {
  readonly chain: TestChain
  readonly random: TestRandom
  /** Those that are not closed. */
  deals: Followed[] = []
  readonly channels: PlayChannels
  proofs = 0
  readonly outcomes: Map<string, number> = new Map()
  readonly #closed: Followed[] = []
  #nonce = 0n

  constructor(random: TestRandom) {
    this.random = random
    this.chain = new TestChain(GENESIS)
    for (const provider of PROVIDERS) this.chain.register(provider)
    const parties = { payers: CLIENTS, payees: PROVIDERS }
    this.channels = new PlayChannels(this.chain, random, parties)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.random.int(from.length)]!
  }

  async step(): Promise<void> {
    const { chain, random } = this
    if (random.int(5) === 0) chain.toHeight(chain.height + 1n + BigInt(random.int(3)))
    if (random.int(400) === 0) chain.toHeight(chain.height + BigInt(random.int(80)))
    const [name, outcome] = await this.#operation()
    if (outcome === undefined) return
    const key = `${name} ${outcome}`
    this.outcomes.set(key, (this.outcomes.get(key) ?? 0) + 1)
  }

  async #operation(): Promise<[name: string, outcome: Outcome | undefined]> {
    const roll = this.random.int(100)
    if (roll < 8) return ['transfer', this.#transfer()]
    if (roll < 18) return ['dealOpen', this.#open()]
    if (roll < 22) return ['providerMaintenance', this.#maintain()]
    if (roll < 34) return ['channel', this.channels.operation()]
    if (roll < 62) return ['proof', await this.#prove()]
    const deal = this.#someDeal(roll >= 86)
    if (deal === undefined) return ['none', undefined]
    if (roll < 78) return ['dealRevise', this.#revise(deal)]
    return this.#about(deal, roll)
  }

  /** One of the newest or of the oldest: those have something to live through, these to come to an end. */
  #someDeal(old: boolean): Followed | undefined {
    const { length } = this.deals
    if (length === 0) return undefined
    const place = this.random.int(Math.min(8, length))
    return this.deals[old ? place : length - 1 - place]
  }

  #about(deal: Followed, roll: number): [name: string, outcome: Outcome] {
    const { chain, random } = this
    const { id: dealId } = deal
    const sender = this.pick(EVERYBODY)
    if (roll < 80) {
      const payload = { dealId, amountUnits: BigInt(random.int(1_000)) }
      return ['dealTopUp', chain.send(sender, { kind: 'dealTopUp', payload })]
    }
    if (roll < 83) return ['dealExtend', this.#extend(deal)]
    const kind = this.#kindOf(roll)
    const outcome = chain.send(sender, { kind, payload: { dealId } })
    if (kind === 'dealClose' && outcome === 'ok') this.#forget(deal)
    return [kind, outcome]
  }

  #kindOf(roll: number): 'dealTerminate' | 'dealSettle' | 'dealFail' | 'dealClose' {
    if (roll < 86) return 'dealTerminate'
    if (roll < 88) return 'dealSettle'
    return roll < 92 ? 'dealFail' : 'dealClose'
  }

  #transfer(): Outcome {
    const amountUnits = BigInt(this.random.int(20_000))
    const payload = { to: this.pick(EVERYBODY).publicKey, amountUnits }
    return this.chain.send(this.pick(EVERYBODY), { kind: 'transfer', payload })
  }

  #open(): Outcome {
    const { chain, random } = this
    const [client, provider] = [this.pick(CLIENTS), this.pick(PROVIDERS)]
    const terms = chain.terms(client, provider, {
      priceUnitsPerGiBPeriod: BigInt(random.int(3)) * BigInt(GIB / 64),
      escrowUnits: BigInt(random.int(4_000)),
      collateralUnits: BigInt(random.int(50)),
      endPeriod: chain.period + BigInt(random.int(14)),
      openNonce: this.#nonce++
    })
    const outcome = chain.open(client, provider, terms)
    if (outcome === 'ok') {
      const pricePerGiB = terms.priceUnitsPerGiBPeriod
      const id = dealIdOf(terms)
      this.deals.push({ id, client, provider, pricePerGiB, revision: 0n, history: [], proven: [] })
    }
    return outcome
  }

  #revise(deal: Followed): Outcome {
    const { chain, random } = this
    const revision = deal.revision + BigInt(random.int(3))
    const pieces = PIECES.filter(() => random.int(3) === 0)
    const outcome = chain.hold(deal.client, deal.provider, deal.id, revision, pieces)
    if (outcome !== 'ok') return outcome
    deal.revision = revision
    deal.history.push({ from: chain.period + 1n, revision, pieces })
    return outcome
  }

  #extend({ id: dealId, client, provider }: Followed): Outcome {
    const { chain, random } = this
    const extension: Extension = {
      chainId: chain.network.chainId,
      dealId,
      endPeriod: chain.period + BigInt(random.int(14)),
      escrowUnits: BigInt(random.int(200_000)),
      acceptHeightMax: chain.height + BigInt(random.int(5)) - 1n
    }
    const payload = {
      extension,
      clientSignature: signExtension(client, extension),
      providerSignature: signExtension(provider, extension)
    }
    return chain.send(this.pick(EVERYBODY), { kind: 'dealExtend', payload })
  }

  #maintain(): Outcome {
    const { chain, random } = this
    const fromPeriod = chain.period + BigInt(random.int(4))
    const payload = { fromPeriod, periods: random.int(4) }
    return chain.send(this.pick(PROVIDERS), { kind: 'providerMaintenance', payload })
  }

  async #prove(): Promise<Outcome> {
    const { chain, random } = this
    // one of them is silent most of the time
    const provider = PROVIDERS[random.int(12) === 0 ? 1 : 0]!
    const period = chain.period - (chain.period > 0n ? BigInt(random.int(2)) : 0n)
    const payload = await chain.proofOf(provider, period, (dealId, revision) => {
      const deal = [...this.deals, ...this.#closed].find(({ id }) => equal(id, dealId))
      assert.ok(deal !== undefined, 'no challenge draws from a deal that is closed for long')
      return deal.history.find(item => item.revision === revision)!.pieces
    })
    const outcome = chain.send(provider, { kind: 'proof', payload })
    if (outcome === 'ok') {
      this.proofs++
      for (const deal of this.deals) if (deal.provider === provider) deal.proven.push(period)
    }
    assert.notEqual(outcome, 'ProofInvalid', 'an honest proof always verifies')
    return outcome
  }

  /** Nothing is negative, nothing appears, and every deal was paid exactly what its proofs earned. */
  check(): void {
    const { chain } = this
    this.#settleAll()
    assertSupply(chain.state, chain.supplyUnits)
    let [escrow, collateral] = [0n, 0n]
    for (const deal of this.deals) {
      const record = chain.record(deal.id)
      for (const value of [record.escrowUnits, record.collateralUnits]) assert.ok(value >= 0n)
      escrow += record.escrowUnits
      collateral += record.collateralUnits
      this.#checkPay(deal)
    }
    escrow += this.channels.lockedUnits()
    const totals = totalsOf(chain.state)
    assert.deepEqual([totals.escrowUnits, totals.collateralUnits], [escrow, collateral])
    const sums = [0n, 0n, 0n]
    for (const key of [...EVERYBODY, keyOf('validator')]) {
      const { balanceUnits, escrowUnits, collateralUnits } = chain.account(key)
      for (const [i, units] of [balanceUnits, escrowUnits, collateralUnits].entries()) {
        assert.ok(units >= 0n)
        sums[i]! += units
      }
    }
    assert.deepEqual(sums, [totals.balanceUnits, escrow, collateral])
  }

  /** Often enough that no proof falls out of the ring. */
  #settleAll(): void {
    for (const { id: dealId } of this.deals) {
      const { failedPeriod } = this.chain.record(dealId)
      const body = { kind: 'dealSettle' as const, payload: { dealId } }
      const expected = failedPeriod > 0n ? 'DealFailed' : 'ok'
      assert.equal(this.chain.send(CLIENTS[0]!, body), expected)
    }
  }

  /** Closed: checks its pay once more; from now on nobody can draw from it. */
  #forget(deal: Followed): void {
    const record = this.chain.record(deal.id)
    this.#checkPay(deal)
    assert.deepEqual([record.escrowUnits, record.collateralUnits], [0n, 0n])
    this.deals = this.deals.filter(other => other !== deal)
    this.#closed.push(deal)
    if (this.#closed.length > CLOSED_KEPT) this.#closed.shift()
  }

  /** Pay of the periods below settledTo by the definition, period by period. */
  #checkPay(deal: Followed): void {
    const { settledTo, endPeriod, paidUnits } = this.chain.record(deal.id)
    let sum = 0n
    for (const period of deal.proven) {
      if (period >= settledTo || period > endPeriod) continue
      const held = deal.history.filter(({ from }) => from <= period).at(-1)
      const bytes = (held?.pieces ?? []).reduce((all, piece) => all + piece.bytes.length, 0)
      sum += periodPriceUnits(deal.pricePerGiB, BigInt(bytes))
    }
    assert.equal(paidUnits, sum)
  }

  /** On a fork: everything that is open comes to its end by transactions that are accepted, and all money comes out. */
  endAll(): void {
    const chain = this.chain.fork()
    const send = (kind: 'dealFail' | 'dealClose', { id }: Followed): Outcome =>
      chain.send(CLIENTS[0]!, { kind, payload: { dealId: id } })
    for (const { id: dealId, client, provider } of this.deals) {
      const sender = this.pick([undefined, client, provider])
      if (sender !== undefined) chain.send(sender, { kind: 'dealTerminate', payload: { dealId } })
    }
    const byPayee = this.channels.open.filter(() => this.random.int(2) === 0)
    const close = (key: SigningKey, { id: channelId }: OpenChannel): void =>
      assert.equal(chain.send(key, { kind: 'channelClose', payload: { channelId } }), 'ok')
    for (const channel of byPayee) close(channel.payee, channel)
    chain.toPeriod(chain.period + BigInt(RULES.dealPeriodsMax) + 2n)
    for (const channel of this.channels.open)
      if (!byPayee.includes(channel)) close(channel.payer, channel)
    const failed = this.deals.filter(deal => {
      const outcome = send('dealClose', deal)
      if (outcome === 'ok') return false
      assert.equal(outcome, 'DealAbandoned')
      assert.equal(send('dealFail', deal), 'ok')
      return true
    })
    chain.toPeriod(chain.period + BigInt(RULES.bountyPeriods) + 1n)
    for (const deal of failed) assert.equal(send('dealClose', deal), 'ok')
    const { escrowUnits, collateralUnits } = totalsOf(chain.state)
    assert.deepEqual([escrowUnits, collateralUnits], [0n, 0n])
    assertSupply(chain.state, chain.supplyUnits)
  }
}
