/** R2: taking proposals and voting for them, in hand-made situations. */
import assert from 'node:assert/strict'
import { Actors, blockNamed, notarize, nullify, only, signed, started, types } from './support.ts'

const actors = new Actors([1n, 1n, 1n, 1n])

describe('consensus core: voting for proposals (R2)', () => {
  it('checks a fresh block, makes it durable, then votes, once', () => {
    const node = started()
    const effects = node.propose({ view: 1n, name: 'a' })
    assert.deepEqual(
      types(effects).filter(type => type !== 'send'),
      ['check', 'persist-block', 'sign-vote']
    )
    assert.deepEqual(signed(effects), ['notarize@1'])
    assert.deepEqual(node.propose({ view: 1n, name: 'a' }), [])
  })

  it('nullifies at once when the fresh block is invalid', () => {
    const node = started({ isValid: false })
    assert.deepEqual(signed(node.propose({ view: 1n, name: 'a' })), ['nullify@1'])
  })

  it('takes no proposal but of the leader, and names who brought it', () => {
    const node = started()
    const good = actors.proposal({ view: 1n, name: 'a' })
    const forged = { ...good, signature: actors.proposal({ view: 2n, name: 'a' }).signature }
    const effects = node.receive({ type: 'proposal', proposal: forged }, 'mallory')
    assert.deepEqual(
      only(effects, 'misbehaved').map(({ from }) => from),
      ['mallory']
    )
    assert.deepEqual(signed(effects), [])
  })

  it('takes no body but that of the hash', () => {
    const node = started()
    const good = actors.proposal({ view: 1n, name: 'a' })
    const proposal = { ...good, block: blockNamed('b').block }
    const effects = node.receive({ type: 'proposal', proposal }, 'mallory')
    assert.equal(only(effects, 'misbehaved').length, 1)
    assert.deepEqual(signed(effects), [])
    assert.deepEqual(signed(node.receive({ type: 'proposal', proposal: good })), ['notarize@1'])
  })

  it('never checks a carried block again: neither its time nor anything else', () => {
    const node = started({ isValid: false })
    const justify = [actors.cert(notarize, 1n, [0, 1, 2], 'a')]
    node.receive({ type: 'proposal', proposal: actors.proposal({ view: 1n, name: 'a' }) })
    const effects = node.propose({ view: 2n, base: 1n, justify, name: 'a' })
    assert.equal(only(effects, 'check').length, 0)
    assert.deepEqual(signed(effects).at(-1), 'notarize@2')
  })

  it('waits for a justification that is not attached, and votes when it is there', () => {
    const node = started()
    node.certs(actors.cert(nullify, 2n, [0, 1, 2]))
    assert.deepEqual(signed(node.propose({ view: 3n, name: 'a' })), [])
    assert.deepEqual(signed(node.certs(actors.cert(nullify, 1n, [0, 1, 2]))), ['notarize@3'])
  })

  it('does not accept a fresh block over a notarized view that was not nullified', () => {
    const node = started()
    node.certs(actors.cert(notarize, 1n, [0, 1, 2], 'a'))
    const effects = node.propose({ view: 2n, name: 'b' })
    assert.deepEqual(signed(effects), [])
  })

  it('nullifies when another block is carried than was notarized, or a base is not below', () => {
    const justify = [actors.cert(notarize, 1n, [0, 1, 2], 'a')]
    for (const base of [1n, 2n, 9n]) {
      const effects = started().propose({ view: 2n, base, justify, name: 'b' })
      assert.ok(signed(effects).includes('nullify@2'), `base ${base}`)
      assert.ok(!signed(effects).includes('notarize@2'), `base ${base}`)
    }
  })

  it('enters the view of a proposal by the certificates attached to it', () => {
    const node = started()
    const justify = [1n, 2n].map(view => actors.cert(nullify, view, [0, 1, 2]))
    assert.deepEqual(signed(node.propose({ view: 3n, justify, name: 'a' })), ['notarize@3'])
    assert.equal(node.state.view, 3n)
  })

  it('drops a proposal for a later view that its certificates do not open', () => {
    const node = started()
    node.propose({ view: 3n, name: 'a' })
    assert.equal(node.state.view, 1n)
    assert.equal(node.state.heard.has(3n), false)
  })

  it('gives evidence of a leader that proposes twice, and nullifies', () => {
    const node = started()
    node.propose({ view: 1n, name: 'a' })
    const effects = node.propose({ view: 1n, name: 'b' })
    const [{ evidence } = { evidence: undefined }] = only(effects, 'evidence')
    assert.equal(evidence?.type, 'proposals')
    assert.deepEqual(signed(effects), ['nullify@1'])
    assert.deepEqual(node.propose({ view: 1n, name: 'c' }), [], 'one accusation')
  })

  it('may still notarize what it has nullified', () => {
    const node = started()
    node.timeout('leader')
    assert.deepEqual(signed(node.effects), ['nullify@1'])
    assert.deepEqual(signed(node.propose({ view: 1n, name: 'a' })), ['notarize@1'])
  })
})
