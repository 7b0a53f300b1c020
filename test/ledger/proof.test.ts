import assert from 'node:assert/strict'
import type { ProofPayload } from '../../src/ledger/types/proof.ts'
import { keyOf, PERIOD, pieceOf, TestChain, type TestPiece, testGenesis } from './support.ts'

const client = keyOf('alice')
const provider = keyOf('bob')
const [a, b, c] = [pieceOf('a', 5_000), pieceOf('b', 40_000), pieceOf('c', 1)]

function newChain(): TestChain {
  const chain = new TestChain(testGenesis({ alice: 10n ** 9n, bob: 10n ** 9n }))
  assert.equal(chain.register(provider), 'ok')
  return chain
}

describe('proof', () => {
  /** A chain whose provider holds piece `a` from period 1 on, at one unit per byte and period. */
  function holdingA() {
    const chain = newChain()
    const dealId = chain.deal(client, provider, { endPeriod: 20n })
    assert.equal(chain.hold(client, provider, dealId, 1n, [a]), 'ok')
    const proofOf = (period: bigint, pieces: readonly TestPiece[] = [a]): Promise<ProofPayload> =>
      chain.proofOf(provider, period, () => pieces)
    const prove = (payload: ProofPayload) => chain.send(provider, { kind: 'proof', payload })
    return { chain, dealId, proofOf, prove }
  }

  it('is accepted from the block after the seed to the end of the next period', async () => {
    for (const [height, expected] of [
      [PERIOD, 'ProofOutsideWindow'],
      [PERIOD + 1n, 'ok'],
      [3n * PERIOD - 1n, 'ok'],
      [3n * PERIOD, 'ProofOutsideWindow']
    ] as const) {
      const { chain, proofOf, prove } = holdingA()
      chain.toHeight(PERIOD)
      const payload = await proofOf(1n)
      chain.toHeight(height)
      assert.equal(prove(payload), expected, `height ${height}`)
    }
  })

  it('counts once, and never after a later one', async () => {
    const { chain, proofOf, prove } = holdingA()
    chain.toPeriod(2n)
    assert.equal(prove(await proofOf(2n)), 'ok')
    assert.equal(prove(await proofOf(2n)), 'ProofRepeated')
    assert.equal(prove(await proofOf(1n)), 'ProofRepeated')
  })

  it('is refused early, without leaves, from strangers and for periods to come', async () => {
    const { chain, proofOf, prove } = holdingA()
    assert.equal(prove({ period: 1n, openings: [] }), 'ProofOutsideWindow')
    assert.equal(prove({ period: 2n ** 63n, openings: [] }), 'ProofOutsideWindow')
    chain.toPeriod(1n)
    const payload = await proofOf(1n)
    assert.equal(chain.send(client, { kind: 'proof', payload }), 'ProviderUnknown')
    chain.register(client, keyOf('peer/x'))
    assert.equal(chain.send(client, { kind: 'proof', payload }), 'ProofNotDue')
    assert.equal(prove({ period: 0n, openings: payload.openings }), 'ProofNotDue')
  })

  it('opens exactly the drawn leaves, all of them, in order', async () => {
    const { chain, proofOf, prove } = holdingA()
    const drawn = (period: bigint) =>
      chain.challenge(provider, period)!.leaves.map(({ leafIndex }) => leafIndex)
    let period = 0n
    do chain.toPeriod(++period)
    while (
      // otherwise the reverse is the same order
      drawn(period)[0] === drawn(period)[2]
    )
    const { openings } = await proofOf(period)
    const [first, second, third] = openings
    assert.equal(prove({ period, openings: [] }), 'ProofIncomplete')
    assert.equal(prove({ period, openings: openings.slice(1) }), 'ProofIncomplete')
    assert.equal(prove({ period, openings: [...openings, first!] }), 'ProofIncomplete')
    assert.equal(prove({ period, openings: [third!, second!, first!] }), 'ProofInvalid')
    const leaf = Uint8Array.from(first!.leaf)
    leaf[0]! ^= 1
    assert.equal(
      prove({ period, openings: [{ ...first!, leaf }, second!, third!] }),
      'ProofInvalid'
    )
    assert.equal(prove({ period, openings }), 'ok')
  })

  it('draws from what was committed before the period', async () => {
    const { chain, dealId, proofOf, prove } = holdingA()
    chain.toPeriod(1n, 1n)
    assert.equal(chain.hold(client, provider, dealId, 2n, [a, b]), 'ok')
    assert.equal(chain.hold(client, provider, dealId, 3n, [b, c]), 'ok')
    chain.toPeriod(2n)
    assert.equal(chain.hold(client, provider, dealId, 4n, [c]), 'ok')
    assert.equal(prove(await proofOf(1n, [a])), 'ok')
    assert.equal(prove(await proofOf(2n, [b, c])), 'ok')
    chain.toPeriod(3n)
    assert.equal(prove(await proofOf(3n, [c])), 'ok')
  })

  it('answers for the grace period after a change made in it', async () => {
    const { chain, dealId, proofOf, prove } = holdingA()
    chain.toPeriod(2n, 9n)
    assert.equal(chain.hold(client, provider, dealId, 2n, [c]), 'ok')
    assert.equal(prove(await proofOf(1n, [a])), 'ok')
    chain.toPeriod(3n, 9n)
    assert.equal(chain.hold(client, provider, dealId, 3n, [b]), 'ok')
    assert.equal(prove(await proofOf(2n, [a])), 'ok')
    assert.equal(prove(await proofOf(3n, [c])), 'ok')
  })

  it('spans all deals of the provider', async () => {
    const chain = newChain()
    const held = new Map<string, TestPiece[]>()
    for (const [i, pieces] of [[a, b], [], [b, c], [b], [c, b]].entries()) {
      const dealId = chain.deal(client, provider, { openNonce: BigInt(i), endPeriod: 8n })
      assert.equal(chain.hold(client, provider, dealId, 1n, pieces), 'ok')
      held.set(Buffer.from(dealId).toString('hex'), pieces)
    }
    const drawn = new Set<string>()
    for (let period = 1n; period <= 6n; period++) {
      chain.toPeriod(period)
      for (const { dealId } of chain.challenge(provider, period)!.leaves) {
        drawn.add(Buffer.from(dealId).toString('hex'))
      }
      const payload = await chain.proofOf(
        provider,
        period,
        dealId => held.get(Buffer.from(dealId).toString('hex'))!
      )
      assert.equal(chain.send(provider, { kind: 'proof', payload }), 'ok')
    }
    assert.ok(drawn.size >= 3)
  })
})

describe('settlement', () => {
  /** Price: one unit per byte. Contents: `a` from period 1, `b` from period 3. Proofs as told. */
  async function run(proven: readonly bigint[], until: bigint) {
    const chain = newChain()
    const dealId = chain.deal(client, provider, { endPeriod: 5n })
    chain.hold(client, provider, dealId, 1n, [a])
    for (let period = 1n; period <= until; period++) {
      chain.toPeriod(period)
      if (period === 2n) chain.hold(client, provider, dealId, 2n, [b])
      if (!proven.includes(period)) continue
      const payload = await chain.proofOf(provider, period, (_, revision) => [
        revision === 1n ? a : b
      ])
      assert.equal(chain.send(provider, { kind: 'proof', payload }), 'ok')
    }
    const settle = () => chain.send(client, { kind: 'dealSettle', payload: { dealId } })
    const close = () => chain.send(client, { kind: 'dealClose', payload: { dealId } })
    return { chain, dealId, settle, close }
  }

  it('pays every proven period once, at the contents of that period', async () => {
    const { chain, dealId, settle } = await run([1n, 2n, 3n, 4n, 5n], 7n)
    assert.equal(settle(), 'ok')
    assert.equal(chain.record(dealId).paidUnits, 2n * 5_000n + 3n * 40_000n)
    assert.equal(settle(), 'ok')
    assert.equal(chain.record(dealId).paidUnits, 130_000n)
  })

  it('pays nothing for unproven periods and refunds them at the close', async () => {
    const { chain, dealId, close } = await run([1n, 4n], 7n)
    const before = chain.account(provider).balanceUnits
    assert.equal(close(), 'ok')
    const deal = chain.record(dealId)
    assert.deepEqual([deal.paidUnits, deal.provenPeriods, deal.missedPeriods], [45_000n, 2n, 3n])
    assert.equal(
      chain.account(provider).balanceUnits,
      before + 40_000n + 500n,
      'period 1 was paid by the revision'
    )
    assert.equal(chain.account(client).escrowUnits, 0n)
  })

  it('leaves periods open whose proof may still come', async () => {
    for (const [proven, settledTo, paidUnits] of [
      [[1n], 2n, 5_000n],
      [[1n, 2n], 3n, 10_000n],
      [[1n, 3n], 4n, 45_000n],
      [[], 2n, 0n]
    ] as const) {
      const { chain, dealId, settle } = await run(proven, 3n)
      assert.equal(settle(), 'ok')
      const record = chain.record(dealId)
      assert.deepEqual([record.settledTo, record.paidUnits], [settledTo, paidUnits])
    }
  })

  it('can wait long, and still ends when proofs were forgotten', async () => {
    for (const [wait, paidUnits] of [
      [250n, 40_000n],
      [900n, 0n]
    ] as const) {
      const { chain, dealId, close } = await run([3n], 4n)
      chain.toPeriod(wait - 1n)
      const later = chain.deal(client, provider, { openNonce: 1n, endPeriod: wait + 5n })
      chain.hold(client, provider, later, 1n, [c])
      chain.send(client, { kind: 'dealSettle', payload: { dealId: later } })
      chain.toPeriod(wait)
      const payload = await chain.proofOf(provider, wait, id =>
        Buffer.compare(id, later) === 0 ? [c] : [b]
      )
      assert.equal(chain.send(provider, { kind: 'proof', payload }), 'ok')
      assert.equal(close(), 'ok')
      assert.equal(chain.record(dealId).paidUnits, paidUnits)
    }
  })

  it('comes to the same in one step or in many', async () => {
    const proven = [1n, 3n, 4n]
    const once = await run(proven, 7n)
    once.settle()
    const often = await run(proven, 3n)
    for (let period = 4n; period <= 7n; period++) {
      often.settle()
      often.chain.toPeriod(period)
      if (!proven.includes(period)) continue
      const payload = await often.chain.proofOf(provider, period, () => [b])
      assert.equal(often.chain.send(provider, { kind: 'proof', payload }), 'ok')
    }
    often.settle()
    const facts = ({ chain, dealId }: typeof once) => {
      const { paidUnits, provenPeriods, missedPeriods, escrowUnits } = chain.record(dealId)
      return [paidUnits, provenPeriods, missedPeriods, escrowUnits]
    }
    assert.deepEqual(facts(often), facts(once))
  })
})
