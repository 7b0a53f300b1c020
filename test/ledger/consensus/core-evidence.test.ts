/** Votes, evidence and bounded memory, in hand-made situations. */
import assert from 'node:assert/strict'
import { ZERO_HASH } from '../../../src/base/hash.ts'
import {
  Actors,
  finalize,
  HEIGHT,
  notarize,
  nullify,
  only,
  others,
  signed,
  started,
  types
} from './support.ts'

const actors = new Actors([1n, 1n, 1n, 1n])

describe('consensus core: votes, evidence and memory', () => {
  it('counts a vote once, and checks its signature on arrival', () => {
    const node = started()
    const vote = actors.vote(others[0]!, nullify, 1n)
    assert.deepEqual(node.votes(vote, vote, vote), [])
    const forged = { ...vote, validator: others[1]! }
    const effects = node.receive({ type: 'vote', vote: forged }, 'mallory')
    assert.deepEqual(types(effects), ['misbehaved'])
    node.votes(actors.vote(others[1]!, nullify, 1n))
    assert.ok(signed(node.effects).includes('nullify@1'), 'the forged one kept no place')
  })

  it('names whoever brings a vote that cannot be', () => {
    const vote = actors.vote(others[0]!, notarize, 1n, 'a')
    for (const bad of [
      { ...vote, kind: 0 },
      { ...vote, kind: 4 },
      { ...vote, validator: 4 },
      { ...vote, blockHash: ZERO_HASH },
      { ...actors.vote(others[0]!, nullify, 1n), blockHash: vote.blockHash }
    ]) {
      assert.deepEqual(types(started().votes(bad)), ['misbehaved'])
    }
  })

  it('reads nothing after the first bad vote of a message', () => {
    const node = started()
    const good = actors.vote(others[0]!, nullify, 1n)
    const forged = { ...good, validator: others[1]! }
    const votes = [forged, forged, forged, good]
    const have = { height: HEIGHT, certs: [], votes, proposals: [], blocks: [] }
    assert.deepEqual(types(node.receive({ type: 'have', have })), ['misbehaved'])
    assert.equal(node.state.heard.get(1n)?.votes.size, 0)
  })

  it('accuses of two notarizations, two finalizations, nullify with finalize; once each', () => {
    const by = others[0]!
    const pairs = [
      [actors.vote(by, notarize, 1n, 'a'), actors.vote(by, notarize, 1n, 'b')],
      [actors.vote(by, finalize, 1n, 'a'), actors.vote(by, finalize, 1n, 'b')],
      [actors.vote(by, nullify, 1n), actors.vote(by, finalize, 1n, 'a')],
      [actors.vote(by, finalize, 1n, 'a'), actors.vote(by, nullify, 1n)]
    ] as const
    for (const [first, second] of pairs) {
      const node = started()
      const effects = node.votes(first, second, second, first)
      assert.deepEqual(
        only(effects, 'evidence').map(({ evidence }) => evidence),
        [{ type: 'votes', first, second }]
      )
    }
  })

  it('never accuses of notarize and nullify, nor of votes in different views', () => {
    const by = others[0]!
    const node = started()
    const effects = node.votes(
      actors.vote(by, notarize, 1n, 'a'),
      actors.vote(by, nullify, 1n),
      actors.vote(by, notarize, 2n, 'b'),
      actors.vote(by, finalize, 2n, 'b')
    )
    assert.deepEqual(only(effects, 'evidence'), [])
  })

  it('finds the guilty in two certificates that contradict each other', () => {
    const node = started()
    const effects = [
      ...node.certs(actors.cert(finalize, 1n, others, 'a')),
      ...node.certs(actors.cert(nullify, 1n, others))
    ]
    const accused = only(effects, 'evidence').map(({ evidence }) =>
      evidence.type === 'votes' ? evidence.first.validator : -1
    )
    assert.deepEqual(accused, others)
  })

  it('keeps votes of the next view at most, and of no other height', () => {
    const node = started()
    const by = others[0]!
    for (let view = 0n; view < 500n; view++) {
      node.votes(actors.vote(by, nullify, view), actors.vote(by, nullify, 1n, undefined, view))
    }
    node.votes(actors.vote(by, nullify, 2n ** 64n - 1n))
    assert.deepEqual([...node.state.heard.keys()], [1n, 2n])
    assert.deepEqual(
      types(node.effects).filter(type => type !== 'set-timer'),
      ['misbehaved']
    )
  })

  it('keeps bounded memory over many views', () => {
    const node = started()
    for (let view = 1n; view < 400n; view++) {
      node.propose({ view, name: `x${view}` })
      node.certs(actors.cert(nullify, view, others))
    }
    assert.ok(node.state.heard.size <= 67)
    assert.equal(node.state.view, 400n)
  })

  it('follows and decides without signing when it is not in the set', () => {
    const node = started({ self: undefined })
    node.propose({ view: 1n, name: 'a' })
    node.timeout('leader')
    node.timeout('view')
    node.votes(...others.map(index => actors.vote(index, notarize, 1n, 'a')))
    const effects = node.votes(...others.map(index => actors.vote(index, finalize, 1n, 'a')))
    assert.equal(only(effects, 'decide').length, 1)
    assert.deepEqual(signed(node.effects), [])
    assert.equal(only(node.effects, 'check').length, 0)
  })
})
