import assert from 'node:assert/strict'
import type { ProviderState } from '../../src/ledger/machine/misses.ts'
import { totalsOf } from '../../src/ledger/machine/money.ts'
import { ONLY, paramsTable } from '../../src/ledger/state/tables.ts'
import { client, DealChain, PAY, PIECE, provider, stranger } from './deal-support.ts'

const LONG = { endPeriod: 30n }

describe('missed periods', () => {
  it('cost their pay and nothing else, however many, as long as a proof comes in between', async () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 13n })
    const before = chain.account(provider)
    await chain.through(1n, 15n, [4n, 8n, 12n])
    assert.equal(chain.about('dealFail', id), 'DealNotAbandoned')
    assert.equal(chain.about('dealClose', id), 'ok')
    const after = chain.account(provider)
    assert.equal(after.collateralUnits, 0n)
    const fees = 3n * 5n
    assert.ok(after.balanceUnits >= before.balanceUnits + 3n * PAY + 500n - 20n * fees)
    assert.deepEqual([chain.record(id).provenPeriods, chain.record(id).missedPeriods], [3n, 10n])
    assert.equal(totalsOf(chain.state).burntUnits, 0n)
  })

  it('make a deal fail at the fourth in a row, once its time to prove is over, and not before', async () => {
    const chain = new DealChain()
    const id = chain.holding(LONG)
    await chain.through(1n, 6n, [1n])
    // missed: 2, 3, 4; period 5 can be proven until the end of 6
    assert.deepEqual([chain.view(id).missedInARow, chain.view(id).canFail], [3n, false])
    assert.equal(chain.about('dealFail', id), 'DealNotAbandoned')
    chain.toPeriod(7n, 0n)
    assert.deepEqual([chain.view(id).missedInARow, chain.view(id).canFail], [4n, true])
    assert.equal(chain.about('dealFail', id), 'ok')
    assert.equal(chain.about('dealFail', id), 'DealFailed')
  })

  it('are forgotten with the next proof, even when the deal could have failed', async () => {
    const chain = new DealChain()
    const id = chain.holding(LONG)
    await chain.through(1n, 9n, [1n, 9n])
    assert.equal(chain.about('dealFail', id), 'DealNotAbandoned')
    assert.equal(chain.view(id).missedInARow, 0n)
    await chain.through(10n, 11n)
    assert.equal(chain.view(id).missedInARow, 0n)
  })

  it('do not count before there are leaves, nor after both sides took them out', async () => {
    const chain = new DealChain()
    const id = chain.deal(client, provider, LONG)
    chain.toPeriod(8n)
    assert.equal(chain.about('dealFail', id), 'DealNotAbandoned')
    chain.hold(client, provider, id, 1n, [])
    assert.equal(chain.hold(client, provider, id, 2n, [PIECE]), 'ok')
    chain.toPeriod(12n)
    assert.equal(chain.view(id).missedInARow, 2n)
    assert.equal(chain.hold(client, provider, id, 3n, []), 'ok')
    chain.toPeriod(25n)
    assert.equal(chain.about('dealFail', id), 'DealNotAbandoned')
  })

  it('keep the rule of the deal’s opening when the parameters change', async () => {
    const chain = new DealChain()
    const id = chain.holding(LONG)
    assert.equal(chain.record(id).abandonPeriods, 4)
    await chain.through(1n, 5n)
    chain.state.put(paramsTable, ONLY, { ...chain.params, abandonPeriods: 2 })
    chain.toPeriod(5n, 5n)
    assert.equal(chain.about('dealFail', id), 'DealNotAbandoned')
    const later = chain.deal(client, provider, { ...LONG, openNonce: 2n })
    assert.equal(chain.record(later).abandonPeriods, 2)
  })
})

describe('dealFail and its close', () => {
  async function failed() {
    const chain = new DealChain()
    const id = chain.holding({ ...LONG, collateralUnits: 1_001n })
    await chain.through(1n, 7n, [1n])
    return { chain, id }
  }

  it('pays what was proven, gives the rest of the escrow back, keeps the collateral', async () => {
    const { chain, id } = await failed()
    const [payer, payee] = [chain.account(client), chain.account(provider)]
    assert.equal(chain.about('dealFail', id), 'ok')
    const [payerAfter, payeeAfter] = [chain.account(client), chain.account(provider)]
    assert.equal(payerAfter.balanceUnits, payer.balanceUnits + 1_000_000n - PAY)
    assert.equal(payeeAfter.balanceUnits, payee.balanceUnits + PAY)
    assert.deepEqual([payerAfter.escrowUnits, payeeAfter.collateralUnits], [0n, 1_001n])
    const view = chain.view(id)
    assert.deepEqual(
      [view.state, view.failedPeriod, view.leaves, view.owedUnits, view.closableFrom],
      ['failed', 7n, 5n, 0n, 11n]
    )
    assert.equal(chain.providerView().failedDeals, 1)
    assert.ok(chain.challenge(provider, 7n))
    chain.toPeriod(8n)
    assert.equal(chain.challenge(provider, 8n), undefined, 'its leaves are out')
  })

  it('takes no other transaction than its close', async () => {
    const { chain, id } = await failed()
    chain.about('dealFail', id)
    assert.equal(chain.about('dealSettle', id), 'DealFailed')
    assert.equal(chain.about('dealTerminate', id, client), 'DealFailed')
    assert.equal(chain.extend(id), 'DealFailed')
    assert.equal(chain.hold(client, provider, id, 2n, []), 'DealFailed')
    const topUp = { kind: 'dealTopUp' as const, payload: { dealId: id, amountUnits: 1n } }
    assert.equal(chain.send(client, topUp), 'DealFailed')
  })

  it('compensates the client and burns the rest when the time for repairs is over', async () => {
    const { chain, id } = await failed()
    chain.about('dealFail', id)
    chain.toPeriod(10n, 9n)
    assert.equal(chain.about('dealClose', id), 'BountyNotOver')
    chain.toPeriod(11n, 0n)
    const before = chain.account(client).balanceUnits
    assert.equal(chain.about('dealClose', id), 'ok')
    assert.equal(chain.account(client).balanceUnits, before + 300n)
    assert.equal(chain.account(provider).collateralUnits, 0n)
    assert.equal(totalsOf(chain.state).burntUnits, 701n)
    assert.equal(chain.about('dealClose', id), 'DealClosed')
    assert.equal(chain.about('dealFail', id), 'DealClosed')
    assert.deepEqual([chain.view(id).state, chain.view(id).failedPeriod], ['closed', 7n])
  })

  it('frees the slot, two periods later', async () => {
    const { chain, id } = await failed()
    chain.about('dealFail', id)
    const early = chain.deal(client, provider, { ...LONG, openNonce: 5n })
    chain.toPeriod(9n)
    const late = chain.deal(client, provider, { ...LONG, openNonce: 6n })
    assert.deepEqual([chain.record(early).slot, chain.record(late).slot], [1, 0])
  })

  it('comes first when the provider was silent to the end of the deal', async () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 6n })
    const other = chain.holding({ endPeriod: 20n, openNonce: 1n })
    // proves again after the end, for the other deal
    await chain.through(1n, 8n, [1n, 2n])
    assert.equal(chain.about('dealSettle', id), 'ok')
    await chain.through(9n, 9n, [9n])
    assert.equal(chain.about('dealClose', id), 'DealAbandoned')
    assert.equal(chain.about('dealFail', other), 'DealNotAbandoned')
    assert.equal(chain.about('dealFail', id), 'ok')
    chain.toPeriod(13n)
    assert.equal(chain.about('dealClose', id), 'ok')
  })

  it('accuses nobody of periods that the ledger no longer remembers', async () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 5n })
    await chain.through(1n, 5n, [1n, 2n, 3n, 4n, 5n])
    // long after: other proofs have pushed these out of the ring
    chain.toPeriod(899n)
    const later = chain.holding({ endPeriod: 905n, openNonce: 1n })
    chain.about('dealSettle', later)
    await chain.through(900n, 900n, [900n])
    assert.equal(chain.about('dealFail', id), 'DealNotAbandoned')
    assert.equal(chain.about('dealClose', id), 'ok')
  })
})

describe('providerMaintenance', () => {
  it('takes declared periods out of the run of misses', async () => {
    const chain = new DealChain()
    const id = chain.holding(LONG)
    chain.toPeriod(1n)
    await chain.prove(1n)
    assert.equal(chain.maintain(3n, 3), 'ok')
    await chain.through(2n, 9n)
    // missed 2, 6, 7; declared 3, 4, 5
    assert.deepEqual([chain.view(id).missedInARow, chain.view(id).canFail], [3n, false])
    assert.equal(chain.record(id).paidUnits, 0n)
    chain.toPeriod(10n)
    assert.equal(chain.about('dealFail', id), 'ok')
    assert.equal(chain.record(id).missedPeriods, 7n, 'unpaid like any other')
  })

  it('is bounded in every window, by the sum of what is declared', () => {
    const chain = new DealChain()
    chain.toPeriod(20n)
    assert.equal(chain.maintain(20n, 4), 'MaintenanceUsedUp')
    assert.equal(chain.maintain(20n, 0), 'MaintenanceInvalid')
    assert.equal(chain.maintain(19n, 1), 'MaintenanceInvalid')
    assert.equal(chain.maintain(33n, 1), 'MaintenanceInvalid')
    assert.equal(chain.maintain(20n, 1, stranger), 'ProviderUnknown')
    assert.equal(chain.maintain(20n, 1), 'ok')
    assert.equal(chain.maintain(20n, 1), 'MaintenanceInvalid')
    assert.equal(chain.maintain(25n, 2), 'ok')
    assert.equal(chain.maintain(27n, 1), 'MaintenanceUsedUp')
    assert.equal(chain.maintain(31n, 1), 'MaintenanceUsedUp', '20 is in the window up to 31')
    assert.equal(chain.maintain(32n, 1), 'ok')
    assert.equal(chain.maintain(24n, 1), 'MaintenanceInvalid')
    chain.toPeriod(30n)
    assert.equal(chain.maintain(36n, 2), 'MaintenanceUsedUp')
    assert.equal(chain.maintain(37n, 2), 'ok')
    assert.deepEqual(chain.declared(), [
      [20n, 21n],
      [25n, 27n],
      [32n, 33n],
      [37n, 39n]
    ])
    for (let end = 21n; end < 60n; end++) {
      const days = chain
        .declared()
        .flatMap(([from, to]) =>
          Array.from({ length: Number(to - from) }, (_, i) => from + BigInt(i))
        )
      assert.ok(days.filter(day => day < end && day >= end - 12n).length <= 3, `to ${end}`)
    }
  })

  it('remembers thirty-two declarations and forgets what is long over', () => {
    const chain = new DealChain({ maintenancePeriodsMax: 40, maintenanceWindowPeriods: 80 })
    for (let i = 0n; i < 32n; i++) assert.equal(chain.maintain(1n + 2n * i, 1), 'ok')
    assert.equal(chain.maintain(70n, 1), 'MaintenanceUsedUp')
    chain.toPeriod(82n)
    assert.equal(chain.maintain(90n, 1), 'ok')
    assert.equal(chain.declared().length, 32)
    assert.deepEqual(chain.declared()[0], [3n, 4n])
  })

  it('cannot hide that data is gone: a provider’s notice is longer than what it can declare', async () => {
    const chain = new DealChain()
    const id = chain.holding(LONG)
    await chain.through(1n, 2n, [1n, 2n])
    assert.equal(chain.maintain(3n, 3), 'ok')
    assert.equal(chain.about('dealTerminate', id, provider), 'ok')
    assert.equal(chain.record(id).endPeriod, 2n + 7n)
    chain.toPeriod(11n)
    assert.equal(chain.about('dealClose', id), 'DealAbandoned')
    assert.equal(chain.about('dealFail', id), 'ok')
  })
})

describe('the state of a provider', () => {
  it('follows from heights and its record alone', async () => {
    const chain = new DealChain()
    const seen: [bigint, ProviderState, bigint][] = []
    const look = (): void => {
      const { state, missedInARow } = chain.providerView()
      seen.push([chain.period, state, missedInARow])
    }
    look()
    chain.holding(LONG)
    look()
    const proven = [1n, 2n, 6n, 7n, 8n, 16n]
    for (let period = 1n; period <= 16n; period++) {
      chain.toPeriod(period, 5n)
      if (period === 9n) assert.equal(chain.maintain(10n, 2), 'ok')
      if (proven.includes(period)) await chain.prove(period)
      look()
    }
    assert.deepEqual(seen, [
      [0n, 'ok', 0n],
      [0n, 'ok', 0n],
      [1n, 'ok', 0n],
      [2n, 'ok', 0n],
      [3n, 'ok', 0n],
      [4n, 'late', 0n],
      [5n, 'missed', 1n],
      [6n, 'recovering', 0n],
      [7n, 'recovering', 0n],
      [8n, 'ok', 0n],
      [9n, 'ok', 0n],
      [10n, 'maintenance', 0n],
      [11n, 'maintenance', 1n],
      [12n, 'maintenance', 1n],
      [13n, 'missed', 1n],
      [14n, 'missed', 2n],
      [15n, 'missed', 3n],
      [16n, 'recovering', 0n]
    ])
    chain.toPeriod(21n)
    assert.deepEqual(
      [chain.providerView().state, chain.providerView().missedInARow],
      ['missed', 3n]
    )
    chain.toPeriod(22n)
    assert.equal(chain.providerView().state, 'abandoned')
    await chain.through(22n, 22n, [22n])
    assert.equal(chain.providerView().state, 'recovering')
  })

  it('is ok with nothing to prove, and asks for nothing then', async () => {
    const chain = new DealChain()
    const id = chain.holding({ endPeriod: 3n })
    await chain.through(1n, 4n, [1n, 2n, 3n])
    chain.about('dealSettle', id)
    chain.toPeriod(20n)
    assert.deepEqual([chain.providerView().state, chain.providerView().leaves], ['ok', 0n])
  })
})
