import assert from 'node:assert/strict'
import process from 'node:process'
import { equal, toHex } from '../../src/base/bytes.ts'
import { totalPower } from '../../src/ledger/certificate.ts'
import { assertSupply, supplyOf, totalsOf } from '../../src/ledger/machine/money.ts'
import type { Outcome } from '../../src/ledger/machine/outcomes.ts'
import { changeMax } from '../../src/ledger/machine/set-change.ts'
import { memberOf, setAt, setsOf } from '../../src/ledger/machine/validator-sets.ts'
import { isBarred } from '../../src/ledger/machine/validators.ts'
import { ONLY, proposals, roster, validatorRecords } from '../../src/ledger/state/tables.ts'
import { type Validator, validatorsType } from '../../src/ledger/types/records.ts'
import type { ValidatorRecord } from '../../src/ledger/types/validator.ts'
import type { ValidatorRegister } from '../../src/ledger/types/validator-tx.ts'
import { itRandom, type TestRandom } from '../proofs/random.ts'
import { keyOf, TestChain, testGenesis } from './support.ts'
import {
  BLOCK_B,
  bond,
  evidenceOf,
  propose,
  registration,
  report,
  statement,
  TOKEN,
  unbond,
  unjail,
  voteFor,
  withdraw
} from './validator-support.ts'

/** Raise it for a long run: HOLDFAST_TEST_OPS=50000. */
const OPERATIONS = Number(process.env['HOLDFAST_TEST_OPS'] ?? 3_000)

/** `safe` signs everything, never leaves and never lies: so the ledger always has somebody. */
const NAMES = ['safe', 'v1', 'v2', 'v3', 'n0', 'n1', 'n2', 'n3', 'n4', 'n5']
const EPOCH = 6n

class Play {
  readonly chain: TestChain
  readonly random: TestRandom
  readonly outcomes = new Map<string, number>()
  readonly #registrations = new Map<string, ValidatorRegister>()
  /** Sets by height, as they were in force. */
  readonly #inForce = new Map<bigint, Validator[]>()
  readonly #convicted = new Set<string>()

  constructor(random: TestRandom) {
    this.random = random
    const funds = Object.fromEntries(NAMES.map(name => [name, 300n * TOKEN]))
    const params = {
      epochHeights: Number(EPOCH),
      downtimeHeights: 12,
      jailHeights: 8,
      evidenceHeights: 24,
      unbondingHeights: 30
    }
    const powers = { safe: 40n, v1: 30n, v2: 20n, v3: 10n }
    this.chain = new TestChain(testGenesis(funds, params, powers))
    this.#see()
  }

  pick<T>(from: readonly T[]): T {
    return from[this.random.int(from.length)]!
  }

  step(): void {
    if (this.random.int(4) === 0) this.#nextBlock()
    const [kind, outcome] = this.#operation()
    const name = outcome === 'ok' ? kind : `${kind}: ${outcome}`
    this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + 1)
  }

  /** Validators fall silent for a while, so that some are jailed. */
  #nextBlock(): void {
    const { chain, random } = this
    if (random.int(10) === 0) {
      chain.absent.length = 0
      if (random.int(3) > 0) chain.absent.push(keyOf(this.pick(NAMES.slice(1))))
    }
    const before = setsOf(chain.state)
    chain.toHeight(chain.height + 1n)
    this.#see()
    this.#checkSets(chain.height - 1n, before.next)
  }

  #see(): void {
    const { state, height } = this.chain
    const { current } = setsOf(state)
    const expected = this.#inForce.get(height)
    if (expected !== undefined) assertSame(current, expected)
    this.#inForce.set(height, current)
  }

  /** After the block of `height`: what it decided holds from height + 2 on, and is within bounds. */
  #checkSets(height: bigint, before: readonly Validator[]): void {
    const { chain } = this
    const { current, next } = setsOf(chain.state)
    assertSame(current, before)
    this.#inForce.set(height + 2n, next)
    for (const back of [0n, 1n, 2n, 20n]) {
      const set = this.#inForce.get(height - back)
      if (set !== undefined) assertSame(setAt(chain.state, height, height - back)!, set)
    }
    const updates = chain.updates.get(height) ?? []
    if (height % EPOCH !== 0n) {
      assert.deepEqual(updates, [])
      assertSame(next, before)
      return
    }
    const barred = (validator: Validator) => isBarred(this.#record(validator.account))
    assert.ok(!next.some(barred), 'nobody jailed or convicted is in a new set')
    assert.ok(next.length > 0)
    const forced = totalPower(before.filter(barred))
    const bound = forced > changeMax(before) ? forced : changeMax(before)
    assert.ok(changeOf(before, next) <= bound, 'the change is bounded')
    assert.equal(updates.length > 0, changeOf(before, next) > 0n)
  }

  #operation(): [string, Outcome] {
    const { chain, random } = this
    const name = this.pick(NAMES.slice(1))
    const units = BigInt(random.int(40)) * TOKEN + BigInt(random.int(2)) * BigInt(random.int(999))
    const roll = random.int(100)
    if (roll < 10) return ['register', this.#register(name)]
    if (roll < 28) return ['bond', bond(chain, random.int(9) === 0 ? 'safe' : name, units)]
    if (roll < 50) return ['unbond', unbond(chain, name, this.#someBondOf(name, units))]
    if (roll < 65) return ['withdraw', withdraw(chain, name)]
    if (roll < 75) return ['unjail', unjail(chain, name)]
    if (roll < 79) return ['propose', propose(chain, name, { jailHeights: 1 + random.int(9) })]
    if (roll < 85) return ['vote', this.#vote(name)]
    if (roll < 96) return ['legal', this.#legal(name)]
    if (random.int(6) > 0) return ['unjail', unjail(chain, name)]
    return ['evidence', this.#evidence(name)]
  }

  #register(name: string): Outcome {
    let payload = this.#registrations.get(name)
    if (payload === undefined) {
      payload = registration(this.chain.network, name, 0n)
      this.#registrations.set(name, payload)
    }
    const bondUnits = BigInt(this.random.int(30)) * TOKEN
    return this.chain.send(keyOf(name), {
      kind: 'validatorRegister',
      payload: { ...payload, bondUnits }
    })
  }

  /** Everything, half, or some. */
  #someBondOf(name: string, units: bigint): bigint {
    const all = this.chain.state.get(validatorRecords, keyOf(name).publicKey)?.bondUnits ?? 1n
    return this.pick([all, all / 2n, units])
  }

  #vote(name: string): Outcome {
    const open = NAMES.filter(
      proposer => this.chain.state.get(proposals, keyOf(proposer).publicKey) !== undefined
    )
    const proposer = open.length > 0 ? this.pick(open) : name
    const found = this.chain.state.get(proposals, keyOf(proposer).publicKey)
    return voteFor(this.chain, name, proposer, found?.id ?? new Uint8Array(32))
  }

  /** What an honest validator may well have signed never convicts it. */
  #legal(name: string): Outcome {
    const { network, height } = this.chain
    const at = { height: height > 3n ? height - BigInt(this.random.int(3)) : height }
    const [a, b] = this.pick([
      ['notarize', 'nullify'],
      ['notarize', 'finalize'],
      ['propose', 'notarize'],
      ['propose', 'nullify'],
      ['finalize', 'finalize']
    ] as const)
    const [first, second] = [statement(network, name, at, a), statement(network, name, at, b)]
    const outcome = report(this.chain, 'safe', evidenceOf(name, at, first, second))
    assert.notEqual(outcome, 'ok', `${a} and ${b} are legal`)
    return outcome
  }

  #evidence(name: string): Outcome {
    const { chain, random } = this
    const { height: now, network } = chain
    const back = BigInt(random.int(40))
    const at = { height: now > back ? now - back : 0n }
    const said = this.pick(['notarize', 'finalize', 'propose'] as const)
    const first = statement(network, name, at, said)
    const second = statement(network, name, at, said, { blockHash: BLOCK_B })
    const outcome = report(chain, this.pick(NAMES), evidenceOf(name, at, first, second))
    const account = keyOf(name).publicKey
    const member = memberOf(this.#inForce.get(at.height) ?? [], account)
    const fresh = at.height >= 1n && at.height + 24n >= now
    const expected = fresh && member !== undefined && !this.#convicted.has(name)
    assert.equal(outcome === 'ok', expected, `${outcome} for ${at.height} at ${now}`)
    if (outcome === 'ok') this.#convicted.add(name)
    return outcome
  }

  #record(account: Uint8Array): ValidatorRecord {
    return this.chain.state.get(validatorRecords, account)!
  }

  /** Every unit is where the totals say, nothing is negative, and power never lacks a bond that can be slashed. */
  check(): void {
    const { state, supplyUnits } = this.chain
    assertSupply(state, supplyUnits)
    const totals = totalsOf(state)
    let [balances, bonds, unbonding] = [0n, 0n, 0n]
    const inRoster = state.get(roster, ONLY)!.map(toHex)
    const { current, next } = setsOf(state)
    for (const name of NAMES) {
      const account = keyOf(name).publicKey
      balances += this.chain.account(keyOf(name)).balanceUnits
      const record = state.get(validatorRecords, account)
      if (record === undefined) continue
      const out = record.unbonding.reduce((sum, { units }) => sum + units, 0n)
      const held = record.bondUnits + out
      bonds += record.bondUnits
      unbonding += out
      assert.equal(inRoster.includes(toHex(account)), record.rostered === 1)
      assert.equal(record.rostered === 1, record.bondUnits >= TOKEN && !isBarred(record))
      if (isBarred(record)) continue
      for (const set of [current, next]) {
        const power = memberOf(set, account)?.power ?? 0n
        assert.ok(power * TOKEN <= held, `${name}: power ${power} on ${held}`)
      }
    }
    balances += this.chain.account(keyOf('validator')).balanceUnits
    assert.deepEqual(
      [balances, bonds, unbonding],
      [totals.balanceUnits, totals.bondUnits, totals.unbondingUnits]
    )
    assert.equal(supplyOf(totals), supplyUnits)
  }
}

function changeOf(before: readonly Validator[], after: readonly Validator[]): bigint {
  let sum = 0n
  const joined = after.filter(({ account }) => memberOf(before, account) === undefined)
  for (const { account } of [...before, ...joined]) {
    const old = memberOf(before, account)?.power ?? 0n
    const now = memberOf(after, account)?.power ?? 0n
    sum += now > old ? now - old : old - now
  }
  return sum
}

function assertSame(a: readonly Validator[], b: readonly Validator[]): void {
  const [first, second] = [a, b].map(set => validatorsType.serialize([...set]))
  assert.ok(equal(first!, second!), 'the sets are equal')
}

describe('random validator operations', function () {
  this.timeout(60_000 + 20 * OPERATIONS)

  itRandom('conserve money and keep every rule of the set', random => {
    const outcomes = new Map<string, number>()
    for (let left = OPERATIONS; left > 0; left -= 1_000) {
      const play = new Play(random)
      for (let i = 0; i < Math.min(left, 1_000); i++) {
        play.step()
        if (i % 50 === 0) play.check()
      }
      play.check()
      for (const [name, count] of play.outcomes) {
        outcomes.set(name, (outcomes.get(name) ?? 0) + count)
      }
    }
    for (const name of [
      ...['register', 'bond', 'unbond', 'withdraw', 'unjail', 'propose', 'vote', 'evidence'],
      'legal: EvidenceInvalid'
    ]) {
      assert.ok((outcomes.get(name) ?? 0) > 0, `${name} happened`)
    }
  })
})
