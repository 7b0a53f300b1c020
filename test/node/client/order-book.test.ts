/** Offers as the client finds them: asks of honest providers, and of those that are late, false or from elsewhere. */
import assert from 'node:assert/strict'
import type { Clock } from '../../../src/base/ports.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { type Ask, encodeAsk, signAsk } from '../../../src/market/index.ts'
import { OrderBook, PROVIDER_TOPIC } from '../../../src/node/client/order-book.ts'
import { QualityBook } from '../../../src/node/client/quality.ts'
import { ASK_PROTOCOL } from '../../../src/node/net/protocols.ts'
import { serve } from '../../../src/node/net/rpc.ts'
import { suiteRandom } from '../../storage/random.ts'
import { ProviderWorld } from '../provider/support.ts'

describe('order book', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let world: ProviderWorld
  let nowMs: number
  let quality: QualityBook
  let book: OrderBook
  const signal = new AbortController().signal
  const clock: Clock = { nowMs: () => nowMs }
  beforeEach(async () => {
    nowMs = 1_000_000
    world = await ProviderWorld.make()
    world.provider.net.roles.push(PROVIDER_TOPIC)
    quality = new QualityBook(clock)
    const { replica } = world
    book = new OrderBook({
      ...{ net: world.client.net, replica, network: replica.network },
      ...{ quality, clock, logger: silentLogger, signal }
    })
  })
  afterEach(() => world.close())

  /** The ask that the provider serves from now on. */
  function offer(changes: Partial<Ask> = {}, signer = world.provider.wallet): void {
    const ask: Ask = {
      ...world.replica.network,
      account: world.provider.wallet.publicKey,
      peerKey: world.provider.node.publicKey,
      priceUnitsPerGiBPeriod: 5n,
      egressUnitsPerGiB: 1n,
      collateralUnits: 1n,
      dealPeriodsMin: 1,
      dealPeriodsMax: 10,
      pieceBytesMin: 0,
      pieceBytesMax: 1 << 20,
      freeBytes: 1n << 30n,
      region: '',
      operator: '',
      validUntilHeight: world.replica.head().height + 100n,
      ...changes
    }
    serve(world.provider.net, ASK_PROTOCOL, {}, async () => encodeAsk(signAsk(ask, signer)))
  }

  const prices = async (enough = 1): Promise<bigint[]> => {
    const candidates = await book.candidates(enough, signal)
    return candidates.map(({ ask }) => ask.priceUnitsPerGiBPeriod)
  }

  it('finds current offers, where they come from and how good they were', async () => {
    offer()
    const [candidate] = await book.candidates(1, signal)
    assert.equal(candidate!.peerId, world.provider.net.peerId)
    assert.deepEqual([candidate!.quality, candidate!.subnet], [500, 'loopback'])
    quality.recordFailure(candidate!.peerId, 'lied')
    assert.ok((await book.candidates(1, signal))[0]!.quality < 500)
  })

  it('takes no expired ask, and drops one that expires', async () => {
    offer({ validUntilHeight: world.replica.head().height - 1n })
    assert.deepEqual(await prices(), [])
    assert.match(quality.failures(world.provider.net.peerId)[0]!.reason, /valid until height/)
    const last = world.replica.head().height + 2n
    offer({ validUntilHeight: last })
    assert.deepEqual(await prices(), [5n])
    while (world.replica.head().height <= last) await world.block()
    assert.deepEqual(await prices(), [])
  })

  it('takes no ask that is false, from elsewhere, or of nobody in the register', async () => {
    const { stranger } = world
    const refused: [changes: Partial<Ask>, signer?: typeof stranger.wallet][] = [
      [{}, stranger.wallet],
      [{ genesisHash: random.bytes(32) }],
      [{ peerKey: stranger.node.publicKey }],
      [{ region: '\u001b[2J' }],
      // signed by its own account, which never registered
      [{ account: stranger.wallet.publicKey }, stranger.wallet]
    ]
    for (const [changes, signer] of refused) {
      offer(changes, signer)
      assert.deepEqual(await prices(), [])
    }
    offer()
    assert.deepEqual(await prices(), [5n], 'it may do better later')
  })

  it('looks again when its knowledge is old or too little, and not before', async () => {
    offer()
    await prices()
    offer({ priceUnitsPerGiBPeriod: 6n })
    const asked = world.client.net.dialled.length
    assert.deepEqual(await prices(), [5n])
    assert.equal(world.client.net.dialled.length, asked)
    assert.deepEqual(await prices(2), [6n], 'two are wanted, one is known')
    offer({ priceUnitsPerGiBPeriod: 7n })
    nowMs += 16_000
    // one old offer is enough to return at once; the search behind it brings the new one
    await prices()
    nowMs += 16_000
    assert.deepEqual(await prices(2), [7n])
  })

  it('forgets the offer of a provider that no longer answers', async () => {
    offer()
    await prices()
    serve(world.provider.net, ASK_PROTOCOL, {}, async () => {
      throw new Error('broken')
    })
    nowMs += 16_000
    assert.deepEqual(await prices(2), [])
  })

  it('ends at once when its caller gives up', async () => {
    world.provider.net.handle(ASK_PROTOCOL, () => new Promise(() => {}))
    const stop = new AbortController()
    const looking = book.candidates(1, stop.signal)
    stop.abort(new Error('enough'))
    await assert.rejects(looking)
  })
})
