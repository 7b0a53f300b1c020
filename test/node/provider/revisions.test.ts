/**
 * Revisions of a deal: signed for pieces that the provider holds and is paid for, one after the other, never two alike.
 */
import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import type { HoldfastError } from '../../../src/base/errors.ts'
import { GIB } from '../../../src/base/limits.ts'
import {
  dealIdOf,
  type Revision,
  revisionType,
  signRevision,
  signTerms
} from '../../../src/ledger/index.ts'
import { storageUnits } from '../../../src/market/index.ts'
import type { PieceEntry } from '../../../src/node/deals/types.ts'
import { suiteRandom } from '../../storage/random.ts'
import { rejectsWith } from '../net/support.ts'
import { type OpenedDeal, ProviderWorld } from './support.ts'

describe('revising a deal', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let world: ProviderWorld
  let deal: OpenedDeal
  let piece: PieceEntry
  beforeEach(async () => {
    world = await ProviderWorld.make()
    deal = await world.openDeal()
    piece = await world.place(random.bytes(50_000))
  })

  afterEach(() => world.close())

  /** Nothing was signed, nothing changed. */
  const refuse = async (
    code: HoldfastError['code'],
    proposed: Parameters<ProviderWorld['revise']>[0],
    ...rest: [signature?: Uint8Array]
  ): Promise<HoldfastError> => {
    const { revision } = world.book.get(deal.id)!.head
    const error = await rejectsWith(code, world.revise(proposed, ...rest))
    assert.equal(world.book.get(deal.id)!.head.revision, revision)
    return error
  }

  it('signs what it holds, once its book has it', async () => {
    await world.leases.hold(piece.root, deal.id)
    const next = world.nextRevision(deal, [piece])
    const { signature } = await world.revise(next)
    assert.ok(world.isSigned(next.revision, signature))
    const file = world.book.get(deal.id)!
    assert.equal(toHex(file.tree.root()), toHex(next.revision.root))
    assert.ok(!(await world.leases.has(piece.root)), 'the deal holds it now')
    const removal = world.nextRevision(deal, [], [0])
    assert.ok(world.isSigned(removal.revision, (await world.revise(removal)).signature))
    assert.deepEqual([file.head.revision, file.bytes], [2n, 0n])
  })

  it('accepts a revision that the ledger then accepts', async () => {
    const next = world.nextRevision(deal, [piece])
    const clientSignature = signRevision(world.client.wallet, next.revision)
    const { signature: providerSignature } = await world.revise(next)
    const payload = { revision: next.revision, clientSignature, providerSignature }
    await world.block([world.provider.wallet, { kind: 'dealRevise', payload }])
    assert.equal(world.replica.deal(deal.id)!.bytes, 50_000n)
  })

  it('hands out what both signed, to a client that lost it', async () => {
    const next = world.nextRevision(deal, [piece])
    const { signature } = await world.revise(next)
    const state = (await world.ask({ op: 'state', deal: deal.id, revision: 1 })) as unknown as {
      revision: Uint8Array
      clientSignature: Uint8Array
      providerSignature: Uint8Array
      changes: { slot: number }[]
    }
    assert.equal(toHex(state.revision), toHex(revisionType.serialize(next.revision)))
    assert.equal(toHex(state.providerSignature), toHex(signature))
    const expected = signRevision(world.client.wallet, next.revision)
    assert.equal(toHex(state.clientSignature), toHex(expected))
    assert.deepEqual(
      state.changes.map(({ slot }) => slot),
      [0]
    )
    for (const [id, revision] of [
      [deal.id, 2],
      [random.bytes(32), 1]
    ] as const) {
      await rejectsWith('NOT_FOUND', world.ask({ op: 'state', deal: id, revision }))
    }
  })

  it('refuses a revision that its client did not sign', async () => {
    const next = world.nextRevision(deal, [piece])
    const signatures = [
      new Uint8Array(64),
      signRevision(world.stranger.wallet, next.revision),
      signRevision(world.provider.wallet, next.revision),
      signRevision(world.client.wallet, { ...next.revision, bytes: 1n })
    ]
    for (const signature of signatures) await refuse('TERMS_REFUSED', next, signature)
  })

  it('refuses a revision that is not what the changes make', async () => {
    const next = world.nextRevision(deal, [piece])
    const wrong: Partial<Revision>[] = [
      { root: random.bytes(32) },
      { leaves: next.revision.leaves + 1n },
      { bytes: next.revision.bytes - 1n },
      { bytes: 0n },
      { chainId: 'other-1' }
    ]
    for (const changes of wrong) {
      const revision = { ...next.revision, ...changes }
      const error = await refuse('TERMS_REFUSED', { ...next, revision })
      assert.match(error.message, /does not match the changes/)
    }
  })

  it('refuses to skip, repeat or branch', async () => {
    const next = world.nextRevision(deal, [piece])
    for (const number of [0n, 2n, 2n ** 63n]) {
      const revision = { ...next.revision, revision: number }
      await refuse('REVISION_CONFLICT', { ...next, revision })
    }
    await world.revise(next)
    const error = await refuse('REVISION_CONFLICT', next)
    assert.match(error.message, /newest revision is 1/)
  })

  it('signs one of two revisions with the same number', async () => {
    const other = await world.place(random.bytes(1000))
    const proposals = [world.nextRevision(deal, [piece]), world.nextRevision(deal, [other])]
    const results = await Promise.allSettled(proposals.map(next => world.revise(next)))
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    assert.equal(world.book.get(deal.id)!.head.revision, 1n)
  })

  it('refuses pieces that it does not hold, or holds with another length', async () => {
    const missing = { root: random.bytes(32), bytes: 1000 }
    const error = await refuse('PIECE_NOT_FOUND', world.nextRevision(deal, [piece, missing]))
    assert.match(error.message, /not stored here/)
    const longer = { root: piece.root, bytes: piece.bytes + 1 }
    await refuse('PIECE_NOT_FOUND', world.nextRevision(deal, [longer]))
    await world.revise(world.nextRevision(deal, [piece]))
  })

  it('refuses changes that do not fit what it holds', async () => {
    await world.revise(world.nextRevision(deal, [piece]))
    const next = world.nextRevision(deal, [piece])
    for (const changes of [
      [{ slot: 0, after: piece }],
      [{ slot: 1 }],
      [{ slot: 5, after: piece }]
    ]) {
      await refuse('REVISION_CONFLICT', { ...next, changes })
    }
  })

  it('refuses bytes that the escrow does not pay for, and takes them after a top-up', async () => {
    const escrowUnits = storageUnits(1_000_000n, 50_000, 10)
    const poor = await world.openDeal({ escrowUnits })
    deal = poor
    await world.revise(world.nextRevision(poor, [piece]))
    const large = await world.place(random.bytes(400_000))
    const next = world.nextRevision(poor, [large])
    const error = await refuse('TERMS_REFUSED', next)
    assert.match(error.message, /escrow/)
    const amountUnits = storageUnits(1_000_000n, GIB, 10)
    const payload = { dealId: poor.id, amountUnits }
    await world.block([world.client.wallet, { kind: 'dealTopUp', payload }])
    await world.revise(next)
  })

  it('waits for the top-up that the client has seen', async () => {
    const poor = await world.openDeal({ escrowUnits: 1n })
    const next = world.nextRevision(poor, [piece])
    const revising = world.revise(next, undefined, undefined, world.height + 2)
    const payload = { dealId: poor.id, amountUnits: storageUnits(1_000_000n, GIB, 10) }
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
    await world.block()
    await world.block([world.client.wallet, { kind: 'dealTopUp', payload }])
    assert.ok(world.isSigned(next.revision, (await revising).signature))
  })

  it('says how far behind it is when the height of the client does not come', async () => {
    deal = await world.openDeal({ escrowUnits: 1n })
    const next = world.nextRevision(deal, [piece])
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const refused = rejectsWith(
        'TERMS_REFUSED',
        world.revise(next, undefined, undefined, Number.MAX_SAFE_INTEGER)
      )
      let over = false
      void refused.finally(() => {
        over = true
      })
      for (let seconds = 0; !over && seconds < 60; seconds++) {
        for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
        mock.timers.tick(1000)
      }
      assert.match((await refused).message, /at height \d+: the client is at 9007199254740991/)
    } finally {
      mock.timers.reset()
    }
  })

  it('is covered in later periods by the escrow that covered it once', async () => {
    const tight = await world.openDeal({ escrowUnits: 1n, endPeriod: world.replica.period() + 8n })
    deal = tight
    const pieces = [
      piece,
      await world.place(random.bytes(90_000)),
      await world.place(random.bytes(9))
    ]
    const removed: number[][] = [[], [0], []]
    for (const [i, added] of pieces.entries()) {
      const next = world.nextRevision(tight, [added], removed[i])
      const amountUnits = world.replica.escrowShortfall(tight.id, next.revision.bytes)!
      const payload = { dealId: tight.id, amountUnits }
      if (amountUnits > 0n) {
        await world.block([world.client.wallet, { kind: 'dealTopUp', payload }])
      }
      await world.toPeriod(world.replica.period() + BigInt(i))
      assert.equal(world.replica.escrowShortfall(tight.id, next.revision.bytes), 0n)
      const clientSignature = signRevision(world.client.wallet, next.revision)
      const { signature: providerSignature } = await world.revise(next)
      const revised = { revision: next.revision, clientSignature, providerSignature }
      await world.block([world.provider.wallet, { kind: 'dealRevise', payload: revised }])
      await world.toPeriod(world.replica.period() + 1n)
    }
  })

  it('refuses deals that are over', async () => {
    const endPeriod = world.replica.period() + 2n
    deal = await world.openDeal({ endPeriod })
    await world.toPeriod(endPeriod)
    const error = await refuse('TERMS_REFUSED', world.nextRevision(deal, [piece]))
    assert.match(error.message, /no open deal/)
  })

  it('refuses deals that it never signed or the ledger does not have, after a moment', async () => {
    const unopened = world.terms()
    await world.propose(unopened)
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      for (const dealId of [dealIdOf(unopened), random.bytes(32)]) {
        const { revision, changes } = world.nextRevision(deal, [piece])
        const refused = rejectsWith(
          'TERMS_REFUSED',
          world.revise({ revision: { ...revision, dealId }, changes })
        )
        let over = false
        void refused.finally(() => {
          over = true
        })
        for (let seconds = 0; !over && seconds < 60; seconds++) {
          for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
          mock.timers.tick(1000)
        }
        await refused
      }
    } finally {
      mock.timers.reset()
    }
  })

  it('waits for a deal that the ledger is about to have', async () => {
    const terms = world.terms()
    const clientSignature = signTerms(world.client.wallet, terms)
    const { signature: providerSignature } = await world.propose(terms, clientSignature)
    const id = dealIdOf(terms)
    const early = { id, terms, revision: 0n }
    const next = world.nextRevision(early, [piece])
    const revising = world.revise(next)
    const payload = { terms, clientSignature, providerSignature }
    await world.block([world.client.wallet, { kind: 'dealOpen', payload }])
    assert.ok(world.isSigned(next.revision, (await revising).signature))
  })
})
