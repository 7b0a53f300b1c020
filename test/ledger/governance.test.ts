import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { changedParams, GOVERNED_PARAMS } from '../../src/ledger/governed-params.ts'
import type { Outcome } from '../../src/ledger/machine/outcomes.ts'
import { defaultParams } from '../../src/ledger/params.ts'
import { proposalIdOf } from '../../src/ledger/rules/governance.ts'
import { ONLY, proposals, scheduled } from '../../src/ledger/state/tables.ts'
import { keyOf, TestChain, testGenesis } from './support.ts'
import { propose, TOKEN, unbond, voteFor } from './validator-support.ts'

const NAMES = ['v0', 'v1', 'v2', 'v3']

function newChain(powers: Record<string, bigint> = { v0: 30n, v1: 30n, v2: 30n, v3: 30n }) {
  const funds = Object.fromEntries([...NAMES, 'guest'].map(name => [name, 1_000n * TOKEN]))
  return new TestChain(testGenesis(funds, {}, powers))
}

function idOf(chain: TestChain, proposer: string): Uint8Array {
  return chain.state.get(proposals, keyOf(proposer).publicKey)!.id
}

describe('governance', () => {
  it('changes a parameter by more than two thirds of the power, two whole epochs later', () => {
    const chain = newChain()
    chain.toHeight(3n)
    assert.equal(propose(chain, 'v0', { feeBaseUnits: 9n, jailHeights: 7 }), 'ok')
    const id = idOf(chain, 'v0')
    const changes = [
      { param: 1, value: 9n },
      { param: 9, value: 7n }
    ]
    const body = { changes, expiryHeight: 53n }
    assert.equal(toHex(id), toHex(proposalIdOf(keyOf('v0').publicKey, 3n, body)))
    assert.equal(voteFor(chain, 'v1', 'v0', id), 'ok')
    assert.equal(chain.state.get(scheduled, ONLY), undefined, 'half is not enough')
    assert.equal(voteFor(chain, 'v2', 'v0', id), 'ok')
    assert.deepEqual(chain.state.get(scheduled, ONLY), [{ height: 30n, changes }])
    assert.equal(voteFor(chain, 'v3', 'v0', id), 'ProposalUnknown', 'it is accepted')
    chain.toHeight(30n)
    assert.equal(chain.params.feeBaseUnits, 5n)
    chain.toHeight(31n)
    assert.deepEqual([chain.params.feeBaseUnits, chain.params.jailHeights], [9n, 7])
    assert.deepEqual(chain.state.get(scheduled, ONLY), [])
  })

  it('is at once accepted where one validator is a quorum', () => {
    const chain = newChain({ v0: 70n, v1: 30n })
    assert.equal(propose(chain, 'v0', { epochHeights: 20 }), 'ok')
    chain.toHeight(31n)
    assert.equal(chain.params.epochHeights, 20)
  })

  it('drops a change that no longer fits when its time comes', () => {
    const chain = newChain({ v0: 70n, v1: 30n })
    assert.equal(propose(chain, 'v0', { unbondingHeights: 50 }), 'ok')
    assert.equal(propose(chain, 'v0', { evidenceHeights: 60 }), 'ok')
    assert.equal(propose(chain, 'v0', { jailHeights: 9 }), 'ok')
    chain.toHeight(31n)
    const { unbondingHeights, evidenceHeights, jailHeights } = chain.params
    assert.deepEqual([unbondingHeights, evidenceHeights, jailHeights], [50, 50, 9])
  })

  it('counts only those who are in the set, and a newer proposal takes the place of the older', () => {
    const chain = newChain({ v0: 6n, v1: 30n, v2: 30n, v3: 30n })
    assert.equal(propose(chain, 'v0', { jailHeights: 3 }, 1_000n), 'ok')
    const first = idOf(chain, 'v0')
    assert.equal(voteFor(chain, 'v1', 'v0', first), 'ok')
    assert.equal(unbond(chain, 'v0', 6n * TOKEN), 'ok')
    chain.toHeight(12n)
    assert.equal(voteFor(chain, 'v0', 'v0', first), 'NotAValidator')
    assert.equal(voteFor(chain, 'v2', 'v0', first), 'ok')
    const { votes } = chain.state.get(proposals, keyOf('v0').publicKey)!
    assert.equal(votes.length, 2, 'v0 is gone')

    assert.equal(propose(chain, 'v1', { jailHeights: 4 }), 'ok')
    const second = idOf(chain, 'v1')
    assert.equal(propose(chain, 'v1', { jailHeights: 5 }), 'ok')
    assert.notEqual(toHex(idOf(chain, 'v1')), toHex(second))
    assert.equal(voteFor(chain, 'v2', 'v1', second), 'ProposalUnknown')
  })

  const refusals: [Outcome, string, (chain: TestChain) => Outcome][] = [
    ['NotAValidator', 'a guest’s proposal', chain => propose(chain, 'guest', { jailHeights: 3 })],
    ['ParamInvalid', 'nothing', chain => propose(chain, 'v0', {})],
    ['ParamInvalid', 'a value out of range', chain => propose(chain, 'v0', { jailHeights: 0 })],
    [
      'ParamInvalid',
      'a value far out of range',
      chain => propose(chain, 'v0', { blockIntervalMs: 2n ** 64n - 1n })
    ],
    [
      'ParamInvalid',
      'values that do not fit each other',
      chain => propose(chain, 'v0', { unbondingHeights: 49 })
    ],
    [
      'ParamInvalid',
      'an unknown parameter',
      chain => raw(chain, [{ param: GOVERNED_PARAMS.length, value: 5n }])
    ],
    [
      'ParamInvalid',
      'a parameter twice',
      chain =>
        raw(chain, [
          { param: 9, value: 5n },
          { param: 9, value: 6n }
        ])
    ],
    [
      'ProposalExpired',
      'a proposal that is over',
      chain => propose(chain, 'v0', { jailHeights: 3 }, 0n)
    ],
    [
      'VoteRepeated',
      'the same proposal again',
      chain => {
        assert.equal(propose(chain, 'v0', { jailHeights: 3 }), 'ok')
        return propose(chain, 'v0', { jailHeights: 3 })
      }
    ],
    [
      'VoteRepeated',
      'a second vote',
      chain => {
        assert.equal(propose(chain, 'v0', { jailHeights: 3 }), 'ok')
        return voteFor(chain, 'v0', 'v0', idOf(chain, 'v0'))
      }
    ],
    [
      'NotAValidator',
      'a guest’s vote',
      chain => {
        assert.equal(propose(chain, 'v0', { jailHeights: 3 }), 'ok')
        return voteFor(chain, 'guest', 'v0', idOf(chain, 'v0'))
      }
    ],
    [
      'ProposalExpired',
      'a late vote',
      chain => {
        assert.equal(propose(chain, 'v0', { jailHeights: 3 }, 5n), 'ok')
        chain.toHeight(6n)
        return voteFor(chain, 'v1', 'v0', idOf(chain, 'v0'))
      }
    ],
    [
      'ProposalUnknown',
      'a vote for nothing',
      chain => voteFor(chain, 'v1', 'v0', new Uint8Array(32))
    ]
  ]
  for (const [outcome, what, attempt] of refusals) {
    it(`refuses ${what}`, () => {
      assert.equal(attempt(newChain()), outcome)
    })
  }

  it('lets sixteen changes wait, not more', () => {
    const chain = newChain({ v0: 70n, v1: 30n })
    for (let i = 1; i <= 16; i++) assert.equal(propose(chain, 'v0', { jailHeights: i }), 'ok')
    assert.equal(propose(chain, 'v0', { jailHeights: 17 }), 'TooManyScheduled')
  })

  it('reaches every governed parameter and no other', () => {
    const params = defaultParams()
    for (const [param, name] of GOVERNED_PARAMS.entries()) {
      const value = BigInt(params[name])
      const result = changedParams(params, [{ param, value }])
      assert.ok('params' in result, name)
      assert.deepEqual(result.params, params)
    }
    for (const fixed of ['periodHeights', 'leavesPerProof', 'dealPeriodsMax']) {
      assert.ok(!(GOVERNED_PARAMS as readonly string[]).includes(fixed))
    }
  })
})

function raw(chain: TestChain, changes: { param: number; value: bigint }[]): Outcome {
  const payload = { changes, expiryHeight: 50n }
  return chain.send(keyOf('v0'), { kind: 'govPropose', payload })
}
