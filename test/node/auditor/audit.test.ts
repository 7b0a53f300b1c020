/** A stranger audits a provider over the network in memory: honest, damaged, lying, ahead of the ledger, gone. */
import assert from 'node:assert/strict'
import { toHex } from '../../../src/base/bytes.ts'
import { encodeDocument } from '../../../src/base/codec.ts'
import { revisionType, signRevision } from '../../../src/ledger/index.ts'
import { audit, describeMap, mapsOfDeal } from '../../../src/node/auditor/audit.ts'
import { AUDIT_PROTOCOL } from '../../../src/node/net/protocols.ts'
import { request, serve } from '../../../src/node/net/rpc.ts'
import type { AuditAnswer } from '../../../src/node/wire/audit-messages.ts'
import { createMemoryPieceStore } from '../../../src/storage/index.ts'
import { suiteRandom } from '../../storage/random.ts'
import { rejectsWith } from '../net/support.ts'
import { QUOTA_BYTES } from '../provider/support.ts'
import { AuditedWorld } from './support.ts'

describe('an audit by a stranger', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let made: AuditedWorld
  /** Groups that the disk has lost. */
  const lost = new Set<number>()
  beforeEach(async () => {
    lost.clear()
    const store = createMemoryPieceStore({ quotaBytes: QUOTA_BYTES })
    const readGroups = store.readGroups.bind(store)
    store.readGroups = async (root, first, groups) => {
      const read = await readGroups(root, first, groups)
      return lost.has(first) ? { ...read, damaged: [first] } : read
    }
    made = await AuditedWorld.make(random, store)
    await made.maps.add(made.deal.id, made.map().bytes)
  })
  afterEach(() => made.close())

  const ask = async (question: unknown): Promise<AuditAnswer> => {
    const { world } = made
    const answer = await request(
      world.stranger.net,
      world.provider.net.peerId,
      AUDIT_PROTOCOL,
      question,
      { responseBytesMax: 1 << 20 }
    )
    return answer as AuditAnswer
  }

  it('finds an object whole before the ledger has heard of it', async () => {
    const result = await audit(made.auditor, made.map().cid)
    assert.deepEqual([result.ok, result.kind, result.profile], [true, 'object', '1/3'])
    // one provider holds everything: 917 leaves of it, and it has only 60
    assert.deepEqual([result.providersToLose, result.leavesPerProvider], [1, 917])
    assert.equal(result.leaves, 60)
    assert.ok(result.confidence >= 0.9999 && result.transferredBytes > 60_000)
    const [row] = result.providers
    assert.deepEqual([row?.pieces, row?.deals], [3, [toHex(made.deal.id)]])
    assert.equal(row?.provider, made.world.provider.net.peerId)
  })

  it('audits a deal against what the ledger has of it, also when the provider is ahead', async () => {
    const id = toHex(made.deal.id)
    const error = await rejectsWith('NOT_FOUND', audit(made.auditor, id))
    assert.match(error.message, /nothing in deal/)
    await made.post()
    assert.deepEqual((await audit(made.auditor, id)).leaves, 60)
    const more = await made.world.place(random.bytes(5_000))
    await made.revise([more], [1])
    const behind = await audit(made.auditor, id)
    assert.deepEqual([behind.ok, behind.leaves], [true, 60], 'the contents on the ledger')
    await made.post()
    assert.deepEqual((await audit(made.auditor, id)).leaves, 45)
    const gone = await audit(made.auditor, made.map().cid)
    assert.match(gone.providers[0]!.reason!, /so many leaves|other pieces/)
  })

  it('names a provider with a damaged disk', async () => {
    lost.add(1)
    const result = await audit(made.auditor, made.map().cid)
    assert.equal(result.ok, false)
    assert.match(result.providers[0]!.reason!, /fail their checksum/)
  })

  it('names a provider that is gone, and one that has lost a piece', async () => {
    await made.world.store.remove(made.pieces[2]!.root)
    const without = await audit(made.auditor, made.map().cid)
    assert.deepEqual([without.ok, without.providers[0]?.leaves], [false, 0])
    const { provider } = made.world
    const { cid } = made.map()
    provider.net.online = false
    await rejectsWith('NOT_FOUND', audit(made.auditor, cid)) // nobody has the map
    await made.post()
    const dead = await audit(made.auditor, toHex(made.deal.id))
    assert.match(dead.providers[0]!.reason!, /cannot reach/)
    assert.equal(dead.providers[0]!.provider, provider.net.peerId)
  })

  it('accepts no revision but one that both sides signed, not older than the ledger', async () => {
    await made.post()
    const picks = [{ slot: 0, leaves: [3] }]
    const honest = await ask({ op: 'slots', deal: made.deal.id, picks })
    const more = await made.world.place(random.bytes(5_000))
    const old = honest.signed!
    await made.revise([more])
    await made.post()
    const { provider, stranger, client } = made.world
    const next = made.world.nextRevision(made.deal, [], [0])
    const own = {
      revision: revisionType.serialize(next.revision),
      clientSignature: signRevision(stranger.wallet, next.revision),
      providerSignature: signRevision(provider.wallet, next.revision)
    }
    const alone = { ...own, providerSignature: signRevision(client.wallet, next.revision) }
    const foreign = { ...next.revision, dealId: random.bytes(32) }
    const other = {
      revision: revisionType.serialize(foreign),
      clientSignature: signRevision(client.wallet, foreign),
      providerSignature: signRevision(provider.wallet, foreign)
    }
    for (const [signed, reason] of [
      [old, /newer revision/],
      [own, /not signed by both/],
      [alone, /not signed by both/],
      [other, /another deal/],
      [{ ...own, revision: random.bytes(100) }, /revision/],
      [undefined, /which revision/]
    ] as const) {
      const { pieces, proof } = honest
      const answer = signed === undefined ? { pieces, proof } : { pieces, proof, signed }
      serve(provider.net, AUDIT_PROTOCOL, {}, async () => answer)
      const result = await audit(made.auditor, made.map().cid)
      assert.equal(result.ok, false)
      assert.match(result.providers[0]!.reason!, reason)
    }
  })

  it('refuses questions out of bounds, and too many of them', async () => {
    const deal = made.deal.id
    const many = Array.from({ length: 257 }, (_, i) => i)
    for (const question of [
      { op: 'slots', deal, picks: [] },
      { op: 'slots', deal, picks: [{ slot: 0, leaves: many }] },
      {
        op: 'slots',
        deal,
        picks: [
          { slot: 1, leaves: [] },
          { slot: 0, leaves: [] }
        ]
      },
      { op: 'slots', deal, picks: [{ slot: 0, leaves: [2, 2] }] },
      { op: 'slots', deal, picks: [{ slot: 0, leaves: [20] }] },
      { op: 'leaves', deal, leaves: [60] },
      { op: 'leaves', deal, leaves: [-1] },
      { op: 'leaves', deal, leaves: [] },
      { op: 'all', deal },
      null
    ]) {
      await rejectsWith('PROTOCOL_VIOLATION', ask(question))
    }
    await rejectsWith(
      'PIECE_NOT_FOUND',
      ask({ op: 'slots', deal, picks: [{ slot: 9, leaves: [] }] })
    )
    await rejectsWith('NOT_FOUND', ask({ op: 'leaves', deal, revision: 7, leaves: [1] }))
    await rejectsWith('NOT_FOUND', ask({ op: 'leaves', deal: random.bytes(32), leaves: [1] }))
    const all = { op: 'leaves', deal, leaves: many.slice(0, 60) }
    const answer = await ask(all)
    assert.ok(encodeDocument(answer).length < 200_000)
    let asked = 0
    await rejectsWith(
      'REMOTE_REFUSED',
      (async () => {
        for (; asked < 1_000; asked++) await ask(all)
      })()
    )
    assert.ok(asked > 50 && asked < 100, `${asked}`)
    made.time.ms += 1_000
    assert.ok(await ask(all), 'the share fills with time')
  })

  it('shows maps by CID and by deal', async () => {
    const { cid } = made.map()
    const shown = await describeMap(made.auditor, cid)
    assert.deepEqual([shown.profile, shown.segments[0]?.pieces.length], ['1/3', 3])
    assert.deepEqual(await mapsOfDeal(made.auditor, toHex(made.deal.id)), [cid])
    await rejectsWith('INVALID_ARGUMENT', audit(made.auditor, 'bafkqaaa'))
    await rejectsWith('NOT_FOUND', audit(made.auditor, '00'.repeat(32)))
  })
})
