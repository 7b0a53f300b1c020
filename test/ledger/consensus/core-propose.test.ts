/** R1: entering a view and proposing, in hand-made situations (ledger.md 1.2). */
import assert from 'node:assert/strict'
import { toHex } from '../../../src/base/bytes.ts'
import { TIMEOUTS_DEFAULT, viewTimeoutMs } from '../../../src/ledger/consensus/timeouts.ts'
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

describe('consensus core: entering and proposing (R1)', () => {
  it('starts the timers of a view: T_leader, half as much again for T_view', () => {
    const effects = new TestNode({ self }).start()
    assert.deepEqual(
      only(effects, 'set-timer').map(({ timer, view, afterMs }) => [timer, view, afterMs]),
      [
        ['leader', 1n, TIMEOUTS_DEFAULT.leaderMs],
        ['view', 1n, viewTimeoutMs(TIMEOUTS_DEFAULT, 1n)]
      ]
    )
    assert.deepEqual(signed(effects), [])
  })

  it('decides alone when it is the whole set: body, proposal, vote, certificate, in this order', () => {
    const node = new TestNode({ powers: [7n], self: 0 })
    const effects = node.start()
    const order = types(effects).filter(type => type !== 'set-timer' && type !== 'send')
    const expected = [
      'build',
      'persist-block',
      'sign-proposal',
      'sign-vote',
      'persist-cert',
      'sign-vote'
    ]
    assert.deepEqual(order.slice(0, expected.length), expected)
    assert.deepEqual(signed(effects).slice(0, 2), ['notarize@1', 'finalize@1'])
    const [decided] = only(effects, 'decide')
    assert.deepEqual(decided!.blockHash, blockNamed('0/1').blockHash)
    assert.equal(decided!.cert.kind, finalize)
  })

  it('builds in view 1 as its leader, once, and never as anybody else', () => {
    for (const index of [0, 1, 2, 3]) {
      const node = started({ self: index })
      node.votes(actors.vote(others[0]!, nullify, 1n))
      const isLeader = index === leaders[0]
      assert.equal(only(node.effects, 'build').length, isLeader ? 1 : 0)
      assert.equal(only(node.effects, 'sign-proposal').length, isLeader ? 1 : 0)
    }
  })

  it('builds in view 2 when view 1 is nullified, and attaches the nullification', () => {
    const node = started({ self: leaders[1]! })
    const effects = node.certs(actors.cert(nullify, 1n, [0, 1, 2]))
    const [{ proposal } = { proposal: undefined }] = only(effects, 'sign-proposal')
    assert.equal(proposal?.base, 0n)
    assert.deepEqual(
      proposal?.justify.map(({ kind, view }) => [kind, view]),
      [[nullify, 1n]]
    )
    assert.ok(proposal!.block.length > 0)
  })

  it('carries a notarized block unchanged, without building or body', () => {
    const node = started({ self: leaders[1]! })
    node.propose({ view: 1n, name: 'a' })
    const effects = node.certs(actors.cert(notarize, 1n, [0, 1, 2, 3], 'a'))
    const [{ proposal } = { proposal: undefined }] = only(effects, 'sign-proposal')
    assert.equal(proposal?.base, 1n)
    assert.deepEqual(proposal?.blockHash, blockNamed('a').blockHash)
    assert.equal(proposal?.block.length, 0)
    assert.equal(only(effects, 'build').length, 0)
  })

  it('waits for the body of the block to carry, asks for it, and proposes when it comes', () => {
    const node = started({ self: leaders[1]! })
    const before = node.certs(actors.cert(notarize, 1n, [0, 1, 2, 3], 'a'))
    assert.equal(only(before, 'sign-proposal').length, 0)
    const [asked] = only(before, 'ask')
    assert.deepEqual(asked!.need.blocks.map(toHex), [toHex(blockNamed('a').blockHash)])
    const have = { height: HEIGHT, certs: [], votes: [], proposals: [] }
    const after = node.receive({
      type: 'have',
      have: { ...have, blocks: [blockNamed('a').block] }
    })
    assert.equal(only(after, 'persist-block').length, 1)
    assert.equal(only(after, 'sign-proposal')[0]!.proposal.base, 1n)
  })

  it('does not propose while a view below has no certificate, and asks for it', () => {
    const leader = actors.leader(3n)
    const node = started({ self: leader })
    const effects = node.certs(actors.cert(nullify, 2n, [0, 1, 2]))
    assert.equal(node.state.view, 3n)
    assert.equal(only(effects, 'build').length + only(effects, 'sign-proposal').length, 0)
    const [asked] = only(effects, 'ask')
    assert.deepEqual(asked!.need.lacking.toBoolArray(), [false, true])
    const after = node.certs(actors.cert(nullify, 1n, [0, 1, 2]))
    assert.equal(only(after, 'sign-proposal').length, 1)
  })

  it('drops a block that was built for a view that is over', () => {
    const node = started({ self: leaders[0]! })
    node.certs(actors.cert(nullify, 1n, [0, 1, 2]))
    const late = node.take({ type: 'built', view: 1n, ...blockNamed('late') })
    assert.equal(only(late, 'sign-proposal').length, 0)
  })
})
