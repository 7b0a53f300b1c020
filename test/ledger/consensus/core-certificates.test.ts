/** R3 to R7: what certificates do, in hand-made situations. */
import assert from 'node:assert/strict'
import { ZERO_HASH } from '../../../src/base/hash.ts'
import { quorumOf, totalPower } from '../../../src/ledger/certificate.ts'
import { BitArray } from '../../../src/ledger/types/ssz.ts'
import {
  Actors,
  blockNamed,
  finalize,
  HEIGHT,
  notarize,
  nullify,
  only,
  others,
  signed,
  started,
  TestNode,
  types
} from './support.ts'

const actors = new Actors([1n, 1n, 1n, 1n])

describe('consensus core: certificates (R3 to R7)', () => {
  it('finalizes what a quorum notarized, after the certificate is durable, and moves on', () => {
    const node = started()
    node.propose({ view: 1n, name: 'a' })
    node.votes(actors.vote(others[0]!, notarize, 1n, 'a'))
    const effects = node.votes(actors.vote(others[1]!, notarize, 1n, 'a'))
    const persist = types(effects).indexOf('persist-cert')
    assert.ok(persist >= 0 && persist < types(effects).indexOf('sign-vote'))
    assert.deepEqual(signed(effects), ['finalize@1'])
    assert.equal(node.state.view, 2n)
  })

  it('does not finalize what it has nullified', () => {
    const node = started()
    node.timeout('view')
    const effects = node.certs(actors.cert(notarize, 1n, [0, 1, 2], 'a'))
    assert.deepEqual(signed(effects), [])
    assert.equal(node.state.view, 2n)
  })

  it('does not nullify what it has finalized', () => {
    const node = started()
    node.certs(actors.cert(notarize, 1n, [0, 1, 2], 'a'))
    node.votes(...others.map(index => actors.vote(index, nullify, 1n)))
    node.timeout('view', 1n)
    assert.deepEqual(signed(node.effects), ['finalize@1'])
  })

  it('finalizes an earlier view when its notarization comes late', () => {
    const node = started()
    node.certs(actors.cert(nullify, 1n, others))
    const effects = node.certs(actors.cert(notarize, 1n, others, 'a'))
    assert.deepEqual(signed(effects), ['finalize@1'])
    assert.equal(node.state.view, 2n)
  })

  it('nullifies on more than a third against, not on a third', () => {
    const node = new TestNode({ powers: [3n, 3n, 3n], self: 0 })
    node.start()
    const { actors: three } = node
    const isLeader = three.leader(1n) === 0
    assert.deepEqual(signed(node.votes(three.vote(1, nullify, 1n))), [], '3 of 9')
    const after = signed(node.votes(three.vote(2, nullify, 1n)))
    assert.equal(after.includes('nullify@1'), true, `6 of 9, leader: ${isLeader}`)
  })

  it('moves on by a nullification made of votes, and by one that is brought', () => {
    const byVotes = started()
    byVotes.votes(...others.map(index => actors.vote(index, nullify, 1n)))
    assert.equal(byVotes.state.view, 2n)
    const brought = started()
    brought.certs(actors.cert(nullify, 5n, [0, 1, 2]))
    assert.equal(brought.state.view, 6n)
    brought.certs(actors.cert(nullify, 2n, [0, 1, 2]))
    assert.equal(brought.state.view, 6n, 'never back')
  })

  it('decides by a finalization of any view once the body is here', () => {
    const node = started()
    node.certs(actors.cert(nullify, 4n, [0, 1, 2]))
    const before = node.certs(actors.cert(finalize, 2n, [0, 1, 2], 'a'))
    assert.equal(only(before, 'decide').length, 0)
    assert.equal(only(before, 'ask').length, 1)
    const have = { height: HEIGHT, certs: [], votes: [], proposals: [] }
    const { block } = blockNamed('a')
    const after = node.receive({ type: 'have', have: { ...have, blocks: [block] } })
    assert.deepEqual(types(after), ['persist-block', 'decide'])
    assert.equal(node.state.isDecided, true)
  })

  it('refuses certificates below the quorum, with foreign sets, wrong kinds or blocks, and says who', () => {
    const good = actors.cert(notarize, 1n, [0, 1, 2], 'a')
    const two = actors.cert(notarize, 1n, [0, 1], 'a')
    const bits = (...on: boolean[]): BitArray => BitArray.fromBoolArray(on)
    const bad = [
      two,
      { ...two, signers: good.signers },
      { ...two, signers: good.signers, signatures: [...two.signatures, two.signatures[0]!] },
      { ...good, signers: bits(true, true, true) },
      { ...good, signers: bits(true, true, true, false, false) },
      { ...good, kind: finalize },
      { ...good, kind: nullify },
      { ...good, kind: nullify, blockHash: ZERO_HASH },
      { ...good, kind: 4 },
      { ...good, view: 0n },
      { ...good, view: 2n },
      { ...good, height: HEIGHT + 1n },
      { ...good, blockHash: ZERO_HASH },
      { ...good, blockHash: blockNamed('b').blockHash }
    ]
    for (const [i, cert] of bad.entries()) {
      const node = started()
      const effects = node.certs(cert)
      assert.deepEqual(types(effects), ['misbehaved'], `certificate ${i}`)
      assert.equal(node.state.view, 1n)
    }
    const node = started()
    node.certs(good)
    assert.equal(node.state.view, 2n)
  })

  it('counts weight, not heads, from exactly the quorum on', () => {
    for (const powers of [
      [5n, 1n, 1n, 3n, 1n],
      [1n, 1n, 1n, 1n, 1n],
      [7n, 5n, 3n, 2n],
      [1n, 2n]
    ]) {
      const set = new Actors(powers)
      const quorum = quorumOf(totalPower(set.validators))
      for (let mask = 1; mask < 1 << powers.length; mask++) {
        const by = powers.flatMap((_, i) => ((mask >> i) & 1 ? [i] : []))
        const weight = by.reduce((sum, i) => sum + powers[i]!, 0n)
        const node = new TestNode({ powers, self: undefined })
        node.start()
        node.votes(...by.map(index => set.vote(index, nullify, 1n)))
        assert.equal(node.state.view > 1n, weight >= quorum, `${powers} by ${by}`)
      }
    }
  })
})
