/**
 * The deals that a provider puts its name under: terms within its ask. Every other message is refused with a reason,
 * and changes nothing.
 */
import assert from 'node:assert/strict'
import { toHex } from '../../../src/base/bytes.ts'
import { type DealTerms, dealIdOf, signTerms, verifyTerms } from '../../../src/ledger/index.ts'
import { DEAL_PROTOCOL } from '../../../src/node/net/protocols.ts'
import { PROMISED_PER_PEER_MAX, PromisedDeals } from '../../../src/node/provider/promised-deals.ts'
import { suiteRandom } from '../../storage/random.ts'
import { rejectsWith } from '../net/support.ts'
import { ProviderWorld } from './support.ts'

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

  describe('deals signed and not opened', () => {
    it('are bounded for each peer, and free their place with the height they name', async () => {
      const startHeightMax = world.replica.head().height + 3n
      const first = world.terms({ startHeightMax })
      await world.propose(first)
      for (let i = 1; i < PROMISED_PER_PEER_MAX; i++) await world.propose(world.terms())
      const error = await rejectsWith('TERMS_REFUSED', world.propose(world.terms()))
      assert.match(error.message, /not opened yet/)
      await world.propose(first)
      const terms = world.terms()
      await world.propose(terms, signTerms(world.client.wallet, terms), world.stranger)
      assert.equal(world.book.all().length, PROMISED_PER_PEER_MAX + 1)
      while (world.replica.head().height < startHeightMax) await world.block()
      await world.propose(world.terms())
    })

    it('are as many as are asked for at once, and no more', async () => {
      const proposals = Array.from({ length: 2 * PROMISED_PER_PEER_MAX }, () =>
        world.propose(world.terms())
      )
      const settled = await Promise.allSettled(proposals)
      const signed = settled.filter(({ status }) => status === 'fulfilled')
      assert.equal(signed.length, PROMISED_PER_PEER_MAX)
    })

    it('keep their collateral, also over a restart, until they are opened or over', async () => {
      const { wallet } = world.provider
      const left = world.replica.account(wallet.publicKey).availableUnits - 3_500n
      const payload = { to: world.client.wallet.publicKey, amountUnits: left }
      await world.block([wallet, { kind: 'transfer', payload }])
      await world.openDeal()
      const startHeightMax = world.replica.head().height + 2n
      const promised = world.terms({ startHeightMax })
      for (const terms of [promised, world.terms()]) await world.propose(terms)
      const error = await rejectsWith('TERMS_REFUSED', world.propose(world.terms()))
      assert.match(error.message, /no collateral left/)
      await world.propose(promised)
      const { book, replica } = world
      const again = new PromisedDeals({ replica, book })
      assert.equal(again.collateralUnits(new Uint8Array(32)), 2_000n)
      while (replica.head().height < startHeightMax) await world.block()
      assert.equal(again.collateralUnits(new Uint8Array(32)), 1_000n)
      await world.propose(world.terms())
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
        { op: 'open', terms: random.bytes(100), signature, height: 1, extra: 1 },
        { op: 'open', terms: random.bytes(100), signature, height: -1 },
        { op: 'revise', revision: random.bytes(100), signature, height: 1, changes: [] },
        { op: 'revise', revision: random.bytes(100), signature, changes: [{ slot: 0 }] },
        { op: 'revise', revision: random.bytes(100), signature, changes: [] },
        { op: 'revise', revision: random.bytes(100), signature, changes: [{ slot: -1 }] },
        { op: 'revise', revision: random.bytes(100), signature, changes: [{ slot: 2 ** 24 }] },
        { op: 'revise', revision: random.bytes(100), signature, changes: [{ slot: 0.5 }] },
        { op: 'revise', revision: random.bytes(100), signature, height: 1, changes: [{ slot: 0 }] },
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
})
