import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { totalsOf } from '../../src/ledger/machine/money.ts'
import type { Outcome } from '../../src/ledger/machine/outcomes.ts'
import {
  evidenceOf as accuse,
  type Offence,
  offenceIdOf,
  offenceOf
} from '../../src/ledger/offence.ts'
import { penaltyUnits } from '../../src/ledger/rules/evidence.ts'
import { convictions } from '../../src/ledger/state/tables.ts'
import type { Evidence, Statement } from '../../src/ledger/types/validator-tx.ts'
import { keyOf, TestChain, testGenesis } from './support.ts'
import {
  BLOCK_B,
  bond,
  doubleNotarize,
  evidenceOf,
  powersOf,
  recordOf,
  register,
  report,
  statement,
  TOKEN,
  unbond,
  unjail
} from './validator-support.ts'

const NAMES = ['v0', 'v1', 'v2', 'v3']
const EQUALS = { v0: 30n, v1: 30n, v2: 30n, v3: 30n }
const AT = { height: 5n, view: 2n }

function chainAt(height: bigint): TestChain {
  const funds = Object.fromEntries([...NAMES, 'reporter'].map(name => [name, 1_000n * TOKEN]))
  const chain = new TestChain(testGenesis(funds, {}, EQUALS))
  chain.toHeight(height)
  return chain
}

type Pair = (
  say: Parameters<typeof statement> extends [infer N, ...unknown[]] ? N : never
) => [Statement, Statement]

const OFFENCES: [Offence, Pair][] = [
  [
    'DoublePropose',
    n => [
      statement(n, 'v3', AT, 'propose'),
      statement(n, 'v3', AT, 'propose', { blockHash: BLOCK_B })
    ]
  ],
  [
    'DoublePropose',
    n => [statement(n, 'v3', AT, 'propose'), statement(n, 'v3', AT, 'propose', { base: 1n })]
  ],
  [
    'DoubleNotarize',
    n => [
      statement(n, 'v3', AT, 'notarize'),
      statement(n, 'v3', AT, 'notarize', { blockHash: BLOCK_B })
    ]
  ],
  [
    'DoubleFinalize',
    n => [
      statement(n, 'v3', AT, 'finalize'),
      statement(n, 'v3', AT, 'finalize', { blockHash: BLOCK_B })
    ]
  ],
  ['NullifyFinalize', n => [statement(n, 'v3', AT, 'nullify'), statement(n, 'v3', AT, 'finalize')]]
]

const LEGAL: [string, Pair][] = [
  [
    'notarize and nullify of one view',
    n => [statement(n, 'v3', AT, 'notarize'), statement(n, 'v3', AT, 'nullify')]
  ],
  [
    'notarize and finalize of one block',
    n => [statement(n, 'v3', AT, 'notarize'), statement(n, 'v3', AT, 'finalize')]
  ],
  [
    'notarize of one block and finalize of another',
    n => [
      statement(n, 'v3', AT, 'notarize'),
      statement(n, 'v3', AT, 'finalize', { blockHash: BLOCK_B })
    ]
  ],
  [
    'a proposal and a notarization of another block',
    n => [
      statement(n, 'v3', AT, 'propose'),
      statement(n, 'v3', AT, 'notarize', { blockHash: BLOCK_B })
    ]
  ],
  [
    'a proposal and a nullify',
    n => [statement(n, 'v3', AT, 'propose'), statement(n, 'v3', AT, 'nullify')]
  ],
  ...(['propose', 'notarize', 'finalize', 'nullify'] as const).map((said): [string, Pair] => [
    `the same ${said} twice`,
    n => [statement(n, 'v3', AT, said), statement(n, 'v3', AT, said)]
  ])
]

describe('evidence', () => {
  for (const [offence, pair] of OFFENCES) {
    it(`of ${offence} convicts once, whatever the order`, () => {
      const chain = chainAt(8n)
      const [first, second] = pair(chain.network)
      const evidence = evidenceOf('v3', AT, first, second)
      const turned = evidenceOf('v3', AT, second, first)
      assert.equal(offenceOf(evidence), offence)
      assert.equal(offenceOf(turned), offence)
      assert.equal(toHex(offenceIdOf(turned)), toHex(offenceIdOf(evidence)))
      const before = chain.account(keyOf('reporter')).balanceUnits
      assert.equal(report(chain, 'reporter', turned), 'ok')
      const slashed = (30n * TOKEN) / 20n
      const { bondUnits, tombstonedHeight, rostered } = recordOf(chain, 'v3')
      assert.deepEqual([bondUnits, tombstonedHeight, rostered], [30n * TOKEN - slashed, 8n, 0])
      const { burntUnits, bondUnits: bonds } = totalsOf(chain.state)
      assert.deepEqual([burntUnits, bonds], [slashed - slashed / 10n, 120n * TOKEN - slashed])
      const gained = chain.account(keyOf('reporter')).balanceUnits - before
      assert.ok(gained <= slashed / 10n && gained > slashed / 10n - 100n, `${gained}, less the fee`)
      const conviction = chain.state.get(convictions, offenceIdOf(evidence))!
      assert.deepEqual(
        [
          conviction.offenceHeight,
          conviction.height,
          conviction.slashedUnits,
          conviction.rewardUnits
        ],
        [5n, 8n, slashed, slashed / 10n]
      )
      assert.equal(report(chain, 'reporter', evidence), 'EvidenceRepeated')
      chain.toHeight(12n)
      assert.deepEqual(powersOf(chain, NAMES), { v0: 30, v1: 30, v2: 30 })
    })
  }

  for (const [what, pair] of LEGAL) {
    it(`refuses ${what}`, () => {
      const chain = chainAt(8n)
      const [first, second] = pair(chain.network)
      assert.equal(
        report(chain, 'reporter', evidenceOf('v3', AT, first, second)),
        'EvidenceInvalid'
      )
      assert.equal(recordOf(chain, 'v3').tombstonedHeight, 0n)
      assert.equal(totalsOf(chain.state).burntUnits, 0n)
    })
  }

  const swapped = (evidence: Evidence, changes: Partial<Statement>): Evidence => ({
    ...evidence,
    second: { ...evidence.second, ...changes }
  })
  const refusals: [Outcome, string, (chain: TestChain, good: Evidence) => Evidence][] = [
    ['EvidenceInvalid', 'of another height', (_, good) => ({ ...good, height: 4n })],
    ['EvidenceInvalid', 'of another view', (_, good) => ({ ...good, view: 3n })],
    [
      'EvidenceInvalid',
      'of no view',
      (c, _) => doubleNotarize(c.network, 'v3', { height: 5n, view: 0n })
    ],
    [
      'EvidenceInvalid',
      'about the future',
      (c, _) => doubleNotarize(c.network, 'v3', { height: 9n })
    ],
    [
      'EvidenceExpired',
      'about the genesis',
      (c, _) => doubleNotarize(c.network, 'v3', { height: 0n })
    ],
    [
      'EvidenceInvalid',
      'about another validator than the signer',
      (_, good) => ({ ...good, voteKey: keyOf('vote/v2').publicKey })
    ],
    [
      'EvidenceInvalid',
      'about somebody who is no validator',
      (c, _) => doubleNotarize(c.network, 'reporter', AT)
    ],
    [
      'EvidenceInvalid',
      'of which one was signed by another',
      (c, good) => ({
        ...good,
        second: statement(c.network, 'v3', AT, 'notarize', { blockHash: BLOCK_B, signer: 'v2' })
      })
    ],
    [
      'EvidenceInvalid',
      'of which one was said on another network',
      (c, good) => ({
        ...good,
        second: statement(c.network, 'v3', AT, 'notarize', {
          blockHash: BLOCK_B,
          network: { ...c.network, chainId: 'test-2' }
        })
      })
    ],
    ['EvidenceInvalid', 'with a base in a vote', (_, good) => swapped(good, { base: 1n })],
    ['EvidenceInvalid', 'of an unknown kind', (_, good) => swapped(good, { kind: 4 })],
    [
      'EvidenceInvalid',
      'of a notarization of nothing',
      (_, good) => swapped(good, { blockHash: new Uint8Array(32) })
    ]
  ]
  for (const [outcome, what, make] of refusals) {
    it(`is refused ${what}`, () => {
      const chain = chainAt(8n)
      const good = doubleNotarize(chain.network, 'v3', AT)
      assert.equal(report(chain, 'reporter', make(chain, good)), outcome)
      assert.equal(recordOf(chain, 'v3').tombstonedHeight, 0n)
    })
  }

  it('is made of what consensus accuses somebody of', () => {
    const chain = chainAt(8n)
    const { voteKey, height, view, first, second } = doubleNotarize(chain.network, 'v3', AT)
    const vote = (said: Statement) => ({ ...said, height, view, validator: 3 })
    const proposal = (said: Statement) => ({
      ...said,
      height,
      view,
      justify: [],
      block: new Uint8Array(0)
    })
    const votes = accuse(voteKey, { type: 'votes', first: vote(first), second: vote(second) })
    assert.deepEqual(votes, doubleNotarize(chain.network, 'v3', AT))
    const a = statement(chain.network, 'v3', AT, 'propose')
    const b = statement(chain.network, 'v3', AT, 'propose', { blockHash: BLOCK_B })
    const both = accuse(voteKey, { type: 'proposals', first: proposal(a), second: proposal(b) })
    assert.equal(offenceOf(both), 'DoublePropose')
    assert.equal(report(chain, 'reporter', both), 'ok')
  })

  it('is taken up to its age and not after', () => {
    for (const [height, outcome] of [
      [55n, 'ok'],
      [56n, 'EvidenceExpired']
    ] as const) {
      const chain = chainAt(height)
      assert.equal(report(chain, 'reporter', doubleNotarize(chain.network, 'v3', AT)), outcome)
    }
  })

  it('against the convicted comes to nothing more', () => {
    const chain = chainAt(8n)
    assert.equal(report(chain, 'reporter', doubleNotarize(chain.network, 'v3', AT)), 'ok')
    const other = doubleNotarize(chain.network, 'v3', { height: 6n })
    assert.equal(report(chain, 'reporter', other), 'ValidatorTombstoned')
    assert.equal(bond(chain, 'v3', TOKEN), 'ValidatorTombstoned')
    assert.equal(unjail(chain, 'v3'), 'ValidatorTombstoned')
    assert.equal(register(chain, 'v3', TOKEN), 'ValidatorExists')
    assert.equal(unbond(chain, 'v3', 1n), 'ok', 'the rest stays its own')
  })

  it('reaches who has left the set, and the bond on its way out', () => {
    const chain = chainAt(5n)
    assert.equal(unbond(chain, 'v3', 30n * TOKEN), 'ok')
    while ('v3' in powersOf(chain, NAMES)) chain.toHeight(chain.height + 1n)
    const lastHeight = chain.height - 1n
    chain.toHeight(lastHeight + 40n)
    const evidence = doubleNotarize(chain.network, 'v3', { height: lastHeight })
    const absent = doubleNotarize(chain.network, 'v3', { height: lastHeight + 1n })
    assert.equal(report(chain, 'reporter', absent), 'EvidenceInvalid')
    assert.equal(report(chain, 'reporter', evidence), 'ok')
    const [entry] = recordOf(chain, 'v3').unbonding
    assert.ok(entry!.releaseHeight > chain.height, 'the bond was still there')
    assert.ok(entry!.units < 30n * TOKEN)
  })

  it('is judged by the set of its height', () => {
    const chain = chainAt(5n)
    assert.equal(register(chain, 'reporter', 20n * TOKEN), 'ok')
    chain.toHeight(20n)
    const early = doubleNotarize(chain.network, 'reporter', { height: 11n })
    const late = doubleNotarize(chain.network, 'reporter', { height: 12n })
    assert.equal(report(chain, 'v0', early), 'EvidenceInvalid')
    assert.equal(report(chain, 'v0', late), 'ok')
  })

  it('costs more when much of the power sins in one window', () => {
    const chain = chainAt(8n)
    const lost: bigint[] = []
    for (const name of ['v3', 'v2', 'v1']) {
      assert.equal(report(chain, 'reporter', doubleNotarize(chain.network, name, AT)), 'ok')
      lost.push(30n * TOKEN - recordOf(chain, name).bondUnits)
    }
    const five = (30n * TOKEN) / 20n
    assert.deepEqual(lost, [five, (five * 3n) / 2n, (five * 9n) / 4n])
  })

  it('of everybody leaves the set as it is: there is nobody to take over', () => {
    const chain = chainAt(8n)
    for (const name of NAMES) {
      assert.equal(report(chain, 'reporter', doubleNotarize(chain.network, name, AT)), 'ok')
    }
    chain.toHeight(25n)
    assert.equal(Object.keys(powersOf(chain, NAMES)).length, 4)
  })

  it('never takes more than there is, and rounds against the convict', () => {
    assert.equal(penaltyUnits(0n, 10n ** 9n), 0n)
    assert.equal(penaltyUnits(1n, 0n), 1n)
    assert.equal(penaltyUnits(100n, 10n ** 9n), 15n)
    assert.equal(penaltyUnits(100n, 100n * 10n ** 9n), 100n)
  })
})
