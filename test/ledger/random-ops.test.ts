import assert from 'node:assert/strict'
import process from 'node:process'
import { toHex } from '../../src/base/bytes.ts'
import { GIB } from '../../src/base/limits.ts'
import { assertSupply, periodPriceUnits, totalsOf } from '../../src/ledger/machine/money.ts'
import type { Outcome } from '../../src/ledger/machine/outcomes.ts'
import { dealIdOf } from '../../src/ledger/types/deal.ts'
import { itRandom, seededRandom, type TestRandom } from '../proofs/random.ts'
import { keyOf, pieceOf, TestChain, type TestPiece, testGenesis } from './support.ts'

/** Raise it for a long run: HOLDFAST_TEST_OPS=50000. */
const OPERATIONS = Number(process.env['HOLDFAST_TEST_OPS'] ?? 3_000)

const CLIENTS = ['c0', 'c1', 'c2'].map(keyOf)
const PROVIDERS = ['p0', 'p1'].map(keyOf)
const EVERYBODY = [...CLIENTS, ...PROVIDERS]
const PIECES = [1, 900, 1024, 1025, 5_000, 20_000].map((n, i) => pieceOf(`r${i}`, n))

/** What an outside observer knows of a deal: enough to compute its pay from the definition. */
interface Followed {
  id: Uint8Array
  client: (typeof CLIENTS)[number]
  provider: (typeof PROVIDERS)[number]
  pricePerGiB: bigint
  endPeriod: bigint
  revision: bigint
  /** Pieces from a period on, newest last. */
  history: { from: bigint; revision: bigint; pieces: TestPiece[] }[]
}

class Play {
  readonly chain: TestChain
  readonly random: TestRandom
  readonly deals: Followed[] = []
  readonly proofs = new Map<string, Set<bigint>>()
  readonly outcomes = new Map<Outcome, number>()

  constructor(random: TestRandom) {
    this.random = random
    const accounts = Object.fromEntries([
      ...['c0', 'c1', 'c2'].map(name => [name, 10n ** 8n] as const),
      ...['p0', 'p1'].map(name => [name, 10n ** 6n] as const)
    ])
    this.chain = new TestChain(
      testGenesis(accounts, { periodHeights: 4, dealPeriodsMax: 12, leavesPerProof: 2 })
    )
    for (const provider of PROVIDERS) this.chain.register(provider)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.random.int(from.length)]!
  }

  async step(): Promise<void> {
    const { chain, random } = this
    if (random.int(5) === 0) chain.toHeight(chain.height + 1n + BigInt(random.int(3)))
    if (random.int(400) === 0) chain.toHeight(chain.height + BigInt(random.int(80)))
    const outcome = await this.#operation()
    if (outcome !== undefined) this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }

  async #operation(): Promise<Outcome | undefined> {
    const { chain, random } = this
    const roll = random.int(100)
    if (roll < 15) {
      const payload = {
        to: this.pick(EVERYBODY).publicKey,
        amountUnits: BigInt(random.int(20_000))
      }
      return chain.send(this.pick(EVERYBODY), { kind: 'transfer', payload })
    }
    if (roll < 25) return this.#open()
    const deal =
      this.deals[this.deals.length - 1 - random.int(Math.min(12, this.deals.length || 1))]
    if (deal === undefined) return undefined
    const { id: dealId } = deal
    if (roll < 50) return this.#revise(deal)
    if (roll < 55) {
      const payload = { dealId, amountUnits: BigInt(random.int(1_000)) }
      return chain.send(this.pick(EVERYBODY), { kind: 'dealTopUp', payload })
    }
    if (roll < 65) {
      return chain.send(this.pick(EVERYBODY), { kind: 'dealSettle', payload: { dealId } })
    }
    if (roll < 72)
      return chain.send(this.pick(EVERYBODY), { kind: 'dealClose', payload: { dealId } })
    return await this.#prove()
  }

  #open(): Outcome {
    const { chain, random } = this
    const [client, provider] = [this.pick(CLIENTS), this.pick(PROVIDERS)]
    const terms = chain.terms(client, provider, {
      priceUnitsPerGiBPeriod: BigInt(random.int(3)) * BigInt(GIB / 64),
      escrowUnits: BigInt(random.int(20_000)),
      collateralUnits: BigInt(random.int(50)),
      endPeriod: chain.period + BigInt(random.int(14)),
      openNonce: BigInt(random.int(1_000_000))
    })
    const outcome = chain.open(client, provider, terms)
    if (outcome === 'ok') {
      const id = dealIdOf(terms)
      this.deals.push({
        id,
        client,
        provider,
        pricePerGiB: terms.priceUnitsPerGiBPeriod,
        endPeriod: terms.endPeriod,
        revision: 0n,
        history: []
      })
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

  async #prove(): Promise<Outcome> {
    const { chain, random } = this
    const provider = this.pick(PROVIDERS)
    const period = chain.period - (chain.period > 0n ? BigInt(random.int(2)) : 0n)
    const payload = await chain.proofOf(provider, period, (dealId, revision) => {
      const deal = this.deals.find(({ id }) => toHex(id) === toHex(dealId))!
      return deal.history.find(item => item.revision === revision)!.pieces
    })
    const outcome = chain.send(provider, { kind: 'proof', payload })
    const id = toHex(provider.publicKey)
    if (outcome === 'ok') {
      const proven = this.proofs.get(id) ?? new Set()
      assert.ok(!proven.has(period), 'a period is proven once')
      this.proofs.set(id, proven.add(period))
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
      escrow += record.escrowUnits
      collateral += record.collateralUnits
      assert.equal(record.paidUnits, this.#earned(deal, record.settledTo))
      for (const value of [record.escrowUnits, record.collateralUnits]) assert.ok(value >= 0n)
    }
    const totals = totalsOf(chain.state)
    assert.deepEqual([totals.escrowUnits, totals.collateralUnits], [escrow, collateral])
    const sums = [0n, 0n, 0n]
    for (const key of [...EVERYBODY, keyOf('validator')]) {
      const account = chain.account(key)
      for (const [i, units] of [
        account.balanceUnits,
        account.escrowUnits,
        account.collateralUnits
      ].entries()) {
        assert.ok(units >= 0n)
        sums[i]! += units
      }
    }
    assert.deepEqual(sums, [totals.balanceUnits, escrow, collateral])
  }

  /** Often enough that no proof falls out of the ring. */
  #settleAll(): void {
    for (const { id: dealId } of this.deals) {
      if (this.chain.record(dealId).closed === 1) continue
      const body = { kind: 'dealSettle' as const, payload: { dealId } }
      assert.equal(this.chain.send(CLIENTS[0]!, body), 'ok')
    }
  }

  /** Pay of the periods below `to` by the definition, period by period. */
  #earned(deal: Followed, to: bigint): bigint {
    const proven = this.proofs.get(toHex(deal.provider.publicKey))
    let sum = 0n
    for (const period of proven ?? []) {
      if (period >= to || period > deal.endPeriod) continue
      const held = deal.history.filter(({ from }) => from <= period).at(-1)
      const bytes = (held?.pieces ?? []).reduce((all, piece) => all + piece.bytes.length, 0)
      sum += periodPriceUnits(deal.pricePerGiB, BigInt(bytes))
    }
    return sum
  }

  /** Everything that was opened can be brought to its end. */
  closeAll(): void {
    const { chain } = this
    chain.toHeight(chain.height + 4n * 16n)
    const before = this.deals.filter(({ id }) => chain.record(id).closed === 0)
    for (const { id: dealId } of before) {
      assert.equal(chain.send(this.pick(CLIENTS), { kind: 'dealClose', payload: { dealId } }), 'ok')
    }
    const { escrowUnits, collateralUnits } = totalsOf(chain.state)
    assert.deepEqual([escrowUnits, collateralUnits], [0n, 0n])
  }
}

describe('random operations', function () {
  this.timeout(60_000)

  itRandom('conserve money, pay exactly what was proven, and never get stuck', async random => {
    const play = new Play(random)
    for (let i = 0; i < OPERATIONS; i++) {
      await play.step()
      if (i % 300 === 0) play.check()
    }
    play.closeAll()
    play.check()
    for (const outcome of ['ok', 'InsufficientEscrow', 'RevisionStale', 'DealNotOver'] as const) {
      assert.ok((play.outcomes.get(outcome) ?? 0) > 0, `${outcome} happened`)
    }
    assert.ok(
      [...play.proofs.values()].some(proven => proven.size > 20),
      'proofs happened'
    )
  })

  it('come to the same state when run again', async () => {
    const run = async () => {
      const play = new Play(seededRandom(7))
      for (let i = 0; i < 400; i++) await play.step()
      const records = play.chain.state
        .changes()
        .map(({ record, value }) =>
          value === undefined ? toHex(record) : `${toHex(record)}=${toHex(value)}`
        )
      return records.join()
    }
    assert.equal(await run(), await run())
  })
})
