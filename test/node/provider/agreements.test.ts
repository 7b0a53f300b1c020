/**
 * What a provider puts its name under: terms within its ask, revisions of pieces it holds, paid for. Every other message
 * is refused with a reason, and changes nothing.
 */
import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { toHex } from '../../../src/base/bytes.ts'
import type { HoldfastError } from '../../../src/base/errors.ts'
import { GIB } from '../../../src/base/limits.ts'
import {
  type DealTerms,
  dealIdOf,
  type Revision,
  revisionType,
  signRevision,
  signTerms,
  verifyTerms
} from '../../../src/ledger/index.ts'
import { storageUnits } from '../../../src/market/index.ts'
import type { PieceEntry } from '../../../src/node/deals/types.ts'
import { DEAL_PROTOCOL } from '../../../src/node/net/protocols.ts'
import { suiteRandom } from '../../storage/random.ts'
import { rejectsWith } from '../net/support.ts'
import { type OpenedDeal, ProviderWorld } from './support.ts'

describe('agreements', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let world: ProviderWorld
  beforeEach(async () => {
    world = await ProviderWorld.make()
  })
  afterEach(() => world.close())

  describe('opening a deal', () => {
    it('signs terms that are its ask, and remembers them', async () => {
      const terms = world.terms()
      const { signature } = await world.propose(terms)
      assert.ok(verifyTerms(world.provider.wallet.publicKey, terms, signature))
      const { head } = world.book.get(dealIdOf(terms))!
      assert.deepEqual([head.clientPeer, head.revision], [world.client.net.peerId, 0n])
      const again = await world.propose(terms)
      assert.equal(toHex(again.signature), toHex(signature), 'asked twice, one deal')
      assert.equal(world.book.all().length, 1)
    })

    it('gives nobody else the deal of a client', async () => {
      const terms = world.terms()
      const signature = signTerms(world.client.wallet, terms)
      await world.propose(terms, signature)
      await world.propose(terms, signature, world.stranger)
      assert.equal(world.book.get(dealIdOf(terms))!.head.clientPeer, world.client.net.peerId)
    })

    it('refuses terms that their client did not sign', async () => {
      const terms = world.terms()
      const signatures = [
        signTerms(world.stranger.wallet, terms),
        signTerms(world.client.wallet, { ...terms, escrowUnits: 1n }),
        new Uint8Array(64)
      ]
      for (const signature of signatures) {
        const error = await rejectsWith('TERMS_REFUSED', world.propose(terms, signature))
        assert.match(error.message, /not signed by their client/)
      }
      assert.equal(world.book.all().length, 0)
    })

    it('refuses terms beyond its ask', async () => {
      const { height } = world.replica.head()
      const refused: Partial<DealTerms>[] = [
        { provider: world.stranger.wallet.publicKey },
        { priceUnitsPerGiBPeriod: 999_999n },
        { collateralUnits: 1_001n },
        { endPeriod: world.replica.period() + 41n },
        { startHeightMax: height + 10_000n }
      ]
      for (const changes of refused) {
        await rejectsWith('TERMS_REFUSED', world.propose(world.terms(changes)))
      }
      await rejectsWith('WRONG_NETWORK', world.propose(world.terms({ chainId: 'other-1' })))
      assert.equal(world.book.all().length, 0)
    })

    it('refuses a deal when its own money is gone', async () => {
      const { wallet } = world.provider
      const left = world.replica.account(wallet.publicKey).availableUnits - 900n
      const payload = { to: world.client.wallet.publicKey, amountUnits: left }
      await world.block([wallet, { kind: 'transfer', payload }])
      const error = await rejectsWith('TERMS_REFUSED', world.propose(world.terms()))
      assert.match(error.message, /no collateral left/)
    })
  })

  describe('messages that are none', () => {
    it('are refused by name, and the next one is answered', async () => {
      const signature = new Uint8Array(64)
      const refused: unknown[] = [
        null,
        'open',
        {},
        { op: 'close' },
        { op: 'open' },
        { op: 'open', terms: new Uint8Array(513), signature },
        { op: 'open', terms: new Uint8Array(0), signature },
        { op: 'open', terms: random.bytes(100), signature },
        { op: 'open', terms: random.bytes(100), signature: new Uint8Array(63) },
        { op: 'open', terms: random.bytes(100), signature, extra: 1 },
        { op: 'revise', revision: random.bytes(100), signature, changes: [] },
        { op: 'revise', revision: random.bytes(100), signature, changes: [{ slot: -1 }] },
        { op: 'revise', revision: random.bytes(100), signature, changes: [{ slot: 2 ** 24 }] },
        { op: 'revise', revision: random.bytes(100), signature, changes: [{ slot: 0.5 }] },
        { op: 'revise', revision: random.bytes(100), signature, changes: [{ slot: 0 }] },
        { op: 'state', deal: random.bytes(31), revision: 1 },
        { op: 'state', deal: random.bytes(32), revision: 0 }
      ]
      for (const message of refused) await rejectsWith('PROTOCOL_VIOLATION', world.ask(message))
      await world.propose(world.terms())
    })

    it('are refused when they are larger than any message', async () => {
      const { net } = world.client
      const channel = await net.open(world.provider.net.peerId, DEAL_PROTOCOL)
      await channel.write(Uint8Array.of(0x7f, 0xff, 0xff, 0xff))
      const answer = Buffer.from((await channel.readFrame(1000))!).toString('latin1')
      assert.match(answer, /FRAME_TOO_LARGE/)
    })
  })

  describe('revising a deal', () => {
    let deal: OpenedDeal
    let piece: PieceEntry
    beforeEach(async () => {
      deal = await world.openDeal()
      piece = await world.place(random.bytes(50_000))
    })

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
})
