import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { totalsOf } from '../../src/ledger/machine/money.ts'
import type { Outcome } from '../../src/ledger/machine/outcomes.ts'
import { setAt } from '../../src/ledger/machine/validator-sets.ts'
import type { Params } from '../../src/ledger/params.ts'
import { validatorRecords } from '../../src/ledger/state/tables.ts'
import { ROSTER_MAX } from '../../src/ledger/types/validator.ts'
import { keyOf, TestChain, testGenesis } from './support.ts'
import {
  bond,
  powersOf,
  recordOf,
  register,
  registration,
  rosterSize,
  TOKEN,
  unbond,
  unjail,
  withdraw
} from './validator-support.ts'

const NAMES = ['v0', 'v1', 'v2', 'new']
const FUNDS = 1_000n * TOKEN

function chainOf(
  powers: Record<string, bigint> = { v0: 30n, v1: 30n, v2: 30n },
  changes: Partial<Params> = {}
): TestChain {
  const funds = Object.fromEntries([...NAMES, 'poor'].map(name => [name, FUNDS]))
  return new TestChain(testGenesis({ ...funds, poor: 1_000n }, changes, powers))
}

describe('validatorRegister', () => {
  it('locks the bond and enters the set at an epoch’s end, in force two heights later', () => {
    const chain = chainOf()
    const before = chain.account(keyOf('new')).balanceUnits
    assert.equal(register(chain, 'new', 10n * TOKEN), 'ok')
    const { balanceUnits } = chain.account(keyOf('new'))
    assert.ok(before - balanceUnits >= 10n * TOKEN)
    assert.equal(totalsOf(chain.state).bondUnits, 100n * TOKEN)
    assert.equal(recordOf(chain, 'new').rostered, 1)
    for (const [height, sets] of [
      [10n, []],
      [11n, ['next']],
      [12n, ['next', 'current']],
      [13n, ['next', 'current', 'last']]
    ] as const) {
      chain.toHeight(height)
      const isIn: readonly string[] = sets
      for (const set of ['last', 'current', 'next'] as const) {
        assert.equal(
          'new' in powersOf(chain, NAMES, set),
          isIn.includes(set),
          `${set} at ${height}`
        )
      }
    }
    const [update] = chain.updates.get(10n)!
    assert.deepEqual([...chain.updates.keys()], [10n])
    assert.deepEqual([toHex(update!.account), update!.power], [toHex(keyOf('new').publicKey), 10n])
    assert.equal(setAt(chain.state, 12n, 11n)!.length, 3)
    assert.equal(setAt(chain.state, 12n, 12n)!.length, 4)
    assert.equal(setAt(chain.state, 12n, 15n), undefined)
    assert.equal(setAt(chain.state, 12n, 0n), undefined)
  })

  const other = keyOf('vote/other')
  const refusals: [Outcome, string, (chain: TestChain) => Outcome][] = [
    ['ValidatorExists', 'a second one', chain => register(chain, 'v0', TOKEN)],
    [
      'ValidatorKeyTaken',
      'another’s vote key',
      chain => register(chain, 'new', TOKEN, { voteKey: keyOf('vote/v0').publicKey })
    ],
    [
      'ValidatorKeyTaken',
      'another’s beacon key',
      chain => register(chain, 'new', TOKEN, { beaconKey: recordOf(chain, 'v0').beaconKey })
    ],
    ['BondTooSmall', 'too little bond', chain => register(chain, 'new', TOKEN - 1n)],
    ['InsufficientFunds', 'more bond than there is', chain => register(chain, 'poor', TOKEN)],
    [
      'SignatureInvalid',
      'a vote key that did not sign',
      chain => register(chain, 'new', TOKEN, { voteKey: other.publicKey })
    ],
    [
      'SignatureInvalid',
      'a beacon key that did not sign',
      chain => register(chain, 'new', TOKEN, { beaconProof: new Uint8Array(96) })
    ],
    [
      'SignatureInvalid',
      'a beacon proof for another network',
      chain => {
        const network = { ...chain.network, chainId: 'test-2' }
        const payload = registration(network, 'new', TOKEN)
        return chain.send(keyOf('new'), { kind: 'validatorRegister', payload })
      }
    ]
  ]
  for (const [outcome, what, attempt] of refusals) {
    it(`is refused with ${what}`, () => {
      const chain = chainOf()
      const { bondUnits } = totalsOf(chain.state)
      assert.equal(attempt(chain), outcome)
      assert.equal(totalsOf(chain.state).bondUnits, bondUnits)
      assert.equal(rosterSize(chain), 3)
    })
  }

  it('has room for few checks of proofs in a block, spent by bad ones too', () => {
    const chain = chainOf()
    const bad = { beaconProof: new Uint8Array(96) }
    for (let i = 0; i < 4; i++) assert.equal(register(chain, 'new', TOKEN, bad), 'SignatureInvalid')
    assert.equal(register(chain, 'new', TOKEN), 'BlockBudgetSpent')
    chain.toHeight(chain.height + 1n)
    assert.equal(register(chain, 'new', TOKEN), 'ok')
  })

  it('takes the place of the smallest bond when the roster is full', function () {
    this.timeout(20_000)
    const chain = chainOf()
    fillRoster(chain)
    assert.equal(rosterSize(chain), ROSTER_MAX)
    assert.equal(register(chain, 'new', 2n * TOKEN), 'RosterFull')
    assert.equal(register(chain, 'new', 3n * TOKEN), 'ok')
    assert.equal(rosterSize(chain), ROSTER_MAX)
    assert.equal(recordOf(chain, 'filler0').rostered, 0)
    chain.toHeight(25n)
    assert.ok(!('filler0' in powersOf(chain, ['filler0'])))
  })
})

/** Straight into the state: 256 proofs of possession would take seconds. */
function fillRoster(chain: TestChain): void {
  const count = ROSTER_MAX - rosterSize(chain)
  const payer = keyOf('v0')
  for (let i = 0; i < count; i++) {
    const name = `filler${i}`
    const payload = { to: keyOf(name).publicKey, amountUnits: 2n * TOKEN + 1_000n }
    assert.equal(chain.send(payer, { kind: 'transfer', payload }), 'ok')
    // a validator without a bond, that then bonds by the rule
    chain.state.put(validatorRecords, keyOf(name).publicKey, {
      voteKey: keyOf(`vote/${name}`).publicKey,
      beaconKey: new Uint8Array(48),
      bondUnits: 0n,
      unbonding: [],
      rostered: 0,
      jailedUntil: 0n,
      tombstonedHeight: 0n
    })
    assert.equal(bond(chain, name, i === 0 ? 2n * TOKEN : 2n * TOKEN + 1n), 'ok')
  }
}

describe('validatorBond and validatorUnbond', () => {
  it('move power by at most a sixth of the set per epoch', () => {
    const chain = chainOf()
    assert.equal(bond(chain, 'v0', 30n * TOKEN), 'ok')
    chain.toHeight(12n)
    assert.deepEqual(powersOf(chain, NAMES), { v0: 45, v1: 30, v2: 30 })
    chain.toHeight(22n)
    assert.deepEqual(powersOf(chain, NAMES), { v0: 60, v1: 30, v2: 30 })
    assert.equal(unbond(chain, 'v0', 60n * TOKEN), 'ok')
    chain.toHeight(32n)
    assert.deepEqual(powersOf(chain, NAMES), { v0: 40, v1: 30, v2: 30 })
  })

  it('keep the bond until the power it backs is gone, and then for the delay', () => {
    const chain = chainOf()
    assert.equal(unbond(chain, 'v0', 30n * TOKEN), 'ok')
    assert.equal(recordOf(chain, 'v0').rostered, 0)
    assert.deepEqual(totalsOf(chain.state).unbondingUnits, 30n * TOKEN)
    chain.toHeight(12n)
    assert.deepEqual(powersOf(chain, NAMES), { v0: 15, v1: 30, v2: 30 })
    assert.equal(recordOf(chain, 'v0').unbonding[0]!.releaseHeight, 0n)
    chain.toHeight(22n)
    assert.deepEqual(powersOf(chain, NAMES), { v0: 3, v1: 30, v2: 30 })
    chain.toHeight(31n)
    const { releaseHeight } = recordOf(chain, 'v0').unbonding[0]!
    assert.equal(releaseHeight, 30n + 2n + 60n)
    chain.toHeight(releaseHeight - 1n)
    assert.equal(withdraw(chain, 'v0'), 'NothingToWithdraw')
    chain.toHeight(releaseHeight)
    const before = chain.account(keyOf('v0')).balanceUnits
    assert.equal(withdraw(chain, 'v1', 'v0'), 'NotAParty')
    assert.equal(withdraw(chain, 'v0'), 'ok')
    assert.ok(chain.account(keyOf('v0')).balanceUnits > before + 29n * TOKEN)
    assert.equal(totalsOf(chain.state).unbondingUnits, 0n)
    assert.deepEqual(recordOf(chain, 'v0').unbonding, [])
    assert.equal(bond(chain, 'v0', 5n * TOKEN), 'ok')
    assert.equal(recordOf(chain, 'v0').rostered, 1)
  })

  it('start the delay at once for bond that backs no power', () => {
    const chain = chainOf()
    assert.equal(register(chain, 'new', 10n * TOKEN), 'ok')
    assert.equal(unbond(chain, 'new', 10n * TOKEN), 'ok')
    const { unbonding } = recordOf(chain, 'new')
    assert.deepEqual(unbonding, [{ units: 10n * TOKEN, releaseHeight: chain.height + 1n + 60n }])
    chain.toHeight(25n)
    assert.ok(!('new' in powersOf(chain, NAMES)))
  })

  it('put waiting withdrawals together, up to eight', () => {
    const chain = chainOf()
    assert.equal(unbond(chain, 'v0', 2n * TOKEN), 'ok')
    assert.equal(unbond(chain, 'v0', 3n * TOKEN), 'ok')
    assert.deepEqual(recordOf(chain, 'v0').unbonding, [{ units: 5n * TOKEN, releaseHeight: 0n }])
    assert.equal(register(chain, 'new', 50n * TOKEN), 'ok')
    for (let i = 0; i < 8; i++) {
      assert.equal(unbond(chain, 'new', TOKEN), 'ok')
      chain.toHeight(chain.height + 1n)
    }
    assert.equal(unbond(chain, 'new', TOKEN), 'TooManyUnbondings')
  })

  it('never take the last power away', () => {
    const chain = chainOf({ v0: 30n })
    assert.equal(unbond(chain, 'v0', 30n * TOKEN), 'ok')
    chain.toHeight(200n)
    assert.deepEqual(powersOf(chain, NAMES), { v0: 1 })
    assert.equal(withdraw(chain, 'v0'), 'NothingToWithdraw')
  })

  const refusals: [Outcome, string, (chain: TestChain) => Outcome][] = [
    ['AmountInvalid', 'bonding nothing', chain => bond(chain, 'v0', 0n)],
    ['ValidatorUnknown', 'bonding without a validator', chain => bond(chain, 'new', TOKEN)],
    ['InsufficientFunds', 'bonding more than there is', chain => bond(chain, 'v0', 2n * FUNDS)],
    ['AmountInvalid', 'unbonding nothing', chain => unbond(chain, 'v0', 0n)],
    ['ValidatorUnknown', 'unbonding without a validator', chain => unbond(chain, 'new', TOKEN)],
    [
      'InsufficientFunds',
      'unbonding more than is bonded',
      chain => unbond(chain, 'v0', 31n * TOKEN)
    ],
    ['BondTooSmall', 'leaving a crumb', chain => unbond(chain, 'v0', 30n * TOKEN - 1n)],
    ['ValidatorUnknown', 'withdrawing without a validator', chain => withdraw(chain, 'new')],
    ['NothingToWithdraw', 'withdrawing nothing', chain => withdraw(chain, 'v0')],
    ['ValidatorUnknown', 'unjailing without a validator', chain => unjail(chain, 'new')],
    ['NotJailed', 'unjailing who is free', chain => unjail(chain, 'v0')],
    ['NotAParty', 'unjailing another', chain => unjail(chain, 'v0', 'v1')]
  ]
  for (const [outcome, what, attempt] of refusals) {
    it(`refuse ${what}`, () => {
      assert.equal(attempt(chainOf()), outcome)
    })
  }
})

describe('downtime', () => {
  /** v2 signs nothing until it is jailed: in the block of height 12, the eleventh that it misses. */
  function jailed(): TestChain {
    const chain = chainOf()
    chain.absent.push(keyOf('v2'))
    while (recordOf(chain, 'v2').jailedUntil === 0n) chain.toHeight(chain.height + 1n)
    return chain
  }

  it('above half of a window jails without a slash, out of the set at the next epoch', () => {
    const chain = jailed()
    assert.equal(chain.height - 1n, 12n)
    const { bondUnits, jailedUntil, rostered } = recordOf(chain, 'v2')
    assert.deepEqual([bondUnits, jailedUntil, rostered], [30n * TOKEN, 12n + 15n, 0])
    assert.equal(powersOf(chain, NAMES)['v2'], 30)
    chain.toHeight(21n)
    assert.equal(powersOf(chain, NAMES)['v2'], 30)
    chain.toHeight(22n)
    assert.deepEqual(powersOf(chain, NAMES), { v0: 30, v1: 30 })
    assert.equal(totalsOf(chain.state).burntUnits, 0n)
  })

  it('ends with unjail after the delay, and the power comes back step by step', () => {
    const chain = jailed()
    assert.equal(unjail(chain, 'v2'), 'JailNotOver')
    chain.absent.pop()
    chain.toHeight(27n)
    assert.equal(unjail(chain, 'v2'), 'ok')
    assert.equal(unjail(chain, 'v2'), 'NotJailed')
    chain.toHeight(32n)
    assert.deepEqual(powersOf(chain, NAMES), { v0: 30, v1: 30, v2: 10 })
    chain.toHeight(52n)
    assert.deepEqual(powersOf(chain, NAMES), { v0: 30, v1: 30, v2: 30 })
  })

  it('does not free who has too little bond left', () => {
    const chain = jailed()
    assert.equal(unbond(chain, 'v2', 30n * TOKEN), 'ok')
    chain.toHeight(30n)
    assert.equal(unjail(chain, 'v2'), 'BondTooSmall')
    assert.equal(bond(chain, 'v2', TOKEN), 'ok')
    assert.equal(recordOf(chain, 'v2').rostered, 0, 'a bond is no key to the jail')
    assert.equal(unjail(chain, 'v2'), 'ok')
  })

  it('of half a window, again and again, jails nobody', () => {
    const chain = chainOf()
    for (let height = 2n; height <= 90n; height++) {
      chain.absent.length = 0
      if (height % 2n === 0n) chain.absent.push(keyOf('v2'))
      chain.toHeight(height)
    }
    assert.equal(recordOf(chain, 'v2').jailedUntil, 0n)
  })
})
