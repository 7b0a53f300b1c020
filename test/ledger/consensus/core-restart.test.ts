/** R8, answers to Need, timers, and what a restart restores (ledger.md 1.5). */
import assert from 'node:assert/strict'
import { equal, toHex } from '../../../src/base/bytes.ts'
import { HAVE_BYTES_MAX, HAVE_VOTES_MAX } from '../../../src/ledger/consensus/limits.ts'
import { leaderTimeoutMs, viewTimeoutMs } from '../../../src/ledger/consensus/timeouts.ts'
import type { Need } from '../../../src/ledger/consensus/types.ts'
import { haveType } from '../../../src/ledger/consensus/wire.ts'
import { BitArray } from '../../../src/ledger/types/ssz.ts'
import {
  Actors,
  blockNamed,
  finalize,
  HEIGHT,
  leaders,
  notarize,
  nullify,
  only,
  others,
  self,
  signed,
  started,
  TestNode,
  types
} from './support.ts'

const actors = new Actors([1n, 1n, 1n, 1n])

function need(view: bigint, lacking: boolean[] = [], blocks: Uint8Array[] = []): Need {
  return { height: HEIGHT, view, lacking: BitArray.fromBoolArray(lacking), blocks }
}

describe('consensus core: standing still (R8)', () => {
  it('asks only after T_view, then again and again, telling its votes and what admitted the view', () => {
    const node = started()
    node.certs(actors.cert(nullify, 1n, others))
    node.timeout('leader')
    assert.equal(only(node.timeout('view'), 'set-timer')[0]!.timer, 'repeat')
    for (let i = 0; i < 3; i++) {
      const effects = node.timeout('repeat')
      assert.deepEqual(types(effects), ['ask', 'set-timer'])
      const [{ have } = { have: undefined }] = only(effects, 'ask')
      assert.deepEqual(have!.certs, [actors.cert(nullify, 1n, others)])
      assert.deepEqual(have!.votes, [actors.vote(self, nullify, 2n)])
    }
  })

  it('ignores timers of views that are over', () => {
    const node = started()
    node.certs(actors.cert(nullify, 1n, others))
    for (const timer of ['leader', 'view', 'repeat'] as const) {
      assert.deepEqual(node.timeout(timer, 1n), [])
    }
  })

  it('does not nullify by T_leader once there is a proposal, but by T_view', () => {
    const node = started()
    node.propose({ view: 1n, name: 'a' })
    assert.deepEqual(signed(node.timeout('leader')), [])
    assert.deepEqual(signed(node.timeout('view')), ['nullify@1'])
    assert.deepEqual(signed(node.timeout('view')), [], 'once')
  })

  it('tells its proposal again, and the body when asked for it', () => {
    const node = started({ self: leaders[0]! })
    node.timeout('view')
    const [asked] = only(node.timeout('repeat'), 'ask')
    const [told] = asked!.have.proposals
    assert.equal(told!.block.length, 0)
    const effects = node.receive({ type: 'need', need: need(1n, [], [told!.blockHash]) })
    const [{ message } = { message: undefined }] = only(effects, 'send')
    assert.equal(message?.type === 'have' && message.have.blocks.length, 1)
  })

  it('answers with the certificate that moves on, what is lacking, bodies and votes', () => {
    const node = started()
    node.propose({ view: 1n, name: 'a' })
    node.certs(actors.cert(nullify, 1n, others), actors.cert(notarize, 1n, [0, 1, 2, 3], 'a'))
    node.certs(actors.cert(nullify, 2n, others), actors.cert(nullify, 3n, others))
    const { blockHash, block } = blockNamed('a')
    const ask = need(2n, [true], [blockHash, new Uint8Array(32)])
    const [answer] = only(node.receive({ type: 'need', need: ask }, 'slow'), 'send')
    assert.equal(answer!.to, 'slow')
    assert.ok(answer!.message.type === 'have')
    const { certs, blocks, votes } = answer!.message.have
    assert.deepEqual(
      certs.map(({ kind, view }) => [kind, view]),
      [
        [nullify, 3n],
        [notarize, 1n],
        [nullify, 1n]
      ]
    )
    assert.deepEqual(blocks, [block])
    assert.ok(votes.length > 0)
  })

  it('answers within its limits whatever is asked', () => {
    const node = new TestNode({ powers: Array.from({ length: 31 }, () => 1n), self: 30 })
    node.start()
    const all = Array.from({ length: 30 }, (_, i) => i)
    for (let view = 1n; view <= 300n; view++) node.certs(node.actors.cert(nullify, view, all))
    const greedy = need(
      301n,
      Array.from({ length: 256 }, () => true)
    )
    const [answer] = only(node.receive({ type: 'need', need: greedy }), 'send')
    assert.ok(answer!.message.type === 'have')
    assert.ok(haveType.serialize(answer!.message.have).length <= HAVE_BYTES_MAX)
    assert.ok(answer!.message.have.certs.length > 100)
    const [old] = only(node.receive({ type: 'need', need: need(1n) }), 'send')
    assert.ok(old!.message.type === 'have' && old!.message.have.votes.length <= HAVE_VOTES_MAX)
    for (const view of [0n, 2n ** 64n - 1n]) {
      node.receive({ type: 'need', need: need(view, [true, true, true]) })
    }
  })

  it('moves a peer that lost everything to the open view, body included, in two exchanges', () => {
    const ahead = started()
    ahead.propose({ view: 1n, name: 'a' })
    ahead.certs(actors.cert(notarize, 1n, [0, 1, 2, 3], 'a'))
    const behind = started({ self: others[0]! })
    const exchange = (): void => {
      behind.timeout('view')
      const asked = [...only(behind.timeout('repeat'), 'ask')]
      for (const { need: wants } of asked) {
        for (const { message } of only(ahead.receive({ type: 'need', need: wants }), 'send')) {
          behind.receive(message, 'ahead')
        }
      }
    }
    exchange()
    assert.equal(behind.state.view, 2n)
    exchange()
    assert.equal(behind.state.blocks.has(toHex(blockNamed('a').blockHash)), true)
  })
})

describe('consensus core: after the decision', () => {
  const decided = (): TestNode => {
    const node = started()
    node.propose({ view: 1n, name: 'a' })
    node.certs(actors.cert(finalize, 1n, others, 'a'))
    assert.equal(node.state.isDecided, true)
    return node
  }

  it('answers, and signs nothing any more', () => {
    const node = decided()
    const [answer] = only(node.receive({ type: 'need', need: need(1n) }), 'send')
    assert.ok(answer!.message.type === 'have')
    assert.equal(answer!.message.have.certs[0]!.kind, finalize)
    node.timeout('view')
    const late = [
      ...node.certs(actors.cert(notarize, 3n, others, 'a')),
      ...node.propose({ view: 2n, base: 1n, name: 'a' }),
      ...node.timeout('repeat')
    ]
    assert.deepEqual(late, [])
  })

  it('still collects evidence', () => {
    const node = decided()
    const twice = node.votes(actors.vote(others[0]!, finalize, 1n, 'b'))
    assert.deepEqual(types(twice), ['evidence'])
    assert.deepEqual(types(node.propose({ view: 1n, name: 'b' })), ['evidence'])
  })
})

describe('consensus core: restart', () => {
  const cert = actors.cert(nullify, 3n, others)

  it('enters the view after the highest certified one', () => {
    const node = started({ restored: { certs: [cert], blocks: [], votes: [], proposals: [] } })
    assert.equal(node.state.view, 4n)
    assert.deepEqual(signed(node.effects), [])
    assert.equal(only(node.effects, 'persist-cert').length, 0, 'it is durable')
    assert.equal(only(node.effects, 'ask').length, 1)
  })

  it('never votes against its own votes', () => {
    const votes = [actors.vote(self, notarize, 1n, 'a'), actors.vote(self, nullify, 1n)]
    const node = started({ restored: { certs: [], blocks: [], votes, proposals: [] } })
    node.propose({ view: 1n, name: 'b' })
    node.timeout('view')
    node.certs(actors.cert(notarize, 1n, others, 'b'))
    assert.deepEqual(signed(node.effects), [])
    const [asked] = only(node.effects, 'ask')
    assert.equal(asked!.have.votes.length, 2, 'they are told again')
  })

  it('is bound by votes of its own that peers bring back', () => {
    const node = started()
    node.votes(actors.vote(self, finalize, 1n, 'a'), actors.vote(self, notarize, 1n, 'a'))
    node.timeout('view')
    node.propose({ view: 1n, name: 'b' })
    assert.deepEqual(signed(node.effects), [])
  })

  it('proposes what it had proposed, with its body, and builds no other', () => {
    const [leader] = leaders
    const proposal = { ...actors.proposal({ view: 1n, name: 'a' }), block: new Uint8Array(0) }
    const { block, blockHash } = blockNamed('a')
    const node = started({
      self: leader!,
      restored: { certs: [], blocks: [{ block, blockHash }], votes: [], proposals: [proposal] }
    })
    assert.equal(only(node.effects, 'build').length + only(node.effects, 'sign-proposal').length, 0)
    const told = only(node.effects, 'send').flatMap(({ message }) =>
      message.type === 'proposal' ? [message.proposal] : []
    )
    assert.equal(told.length, 1)
    assert.ok(equal(told[0]!.block, block))
    assert.deepEqual(signed(node.effects), ['notarize@1'], 'what was not voted for yet')
  })

  it('counts its own vote again: alone it goes on where it stopped', () => {
    const { block, blockHash } = blockNamed('a')
    const alone = new Actors([1n])
    const node = new TestNode({
      powers: [1n],
      self: 0,
      restored: {
        certs: [],
        blocks: [{ block, blockHash }],
        votes: [alone.vote(0, notarize, 1n, 'a')],
        proposals: []
      }
    })
    assert.equal(only(node.start(), 'decide').length, 1)
  })

  it('decides at once what was final already, and answers from then on', () => {
    const { block, blockHash } = blockNamed('a')
    const node = started({
      restored: {
        certs: [actors.cert(finalize, 2n, others, 'a')],
        blocks: [{ block, blockHash }],
        votes: [],
        proposals: []
      }
    })
    assert.equal(only(node.effects, 'decide').length, 1)
    assert.equal(only(node.receive({ type: 'need', need: need(1n) }), 'send').length, 1)
  })
})

describe('consensus timeouts', () => {
  it('grow by half in every view, rounded up, up to a cap, and depend on nothing else', () => {
    const timeouts = { leaderMs: 300, leaderMsMax: 60_000, repeatMs: 1_000 }
    const views = [1n, 2n, 3n, 4n, 5n]
    assert.deepEqual(
      views.map(view => leaderTimeoutMs(timeouts, view)),
      [300, 450, 675, 1_013, 1_520]
    )
    assert.equal(leaderTimeoutMs(timeouts, 1_000_000n), 60_000)
    assert.equal(viewTimeoutMs(timeouts, 1n), 450)
    assert.equal(viewTimeoutMs(timeouts, 1_000_000n), 90_000)
    for (let view = 1n; view < 40n; view++) {
      const ms = leaderTimeoutMs({ ...timeouts, leaderMs: 1 }, view)
      assert.ok(Number.isInteger(ms) && ms <= 60_000)
      assert.ok(leaderTimeoutMs({ ...timeouts, leaderMs: 1 }, view + 1n) > ms || ms === 60_000)
    }
  })
})
