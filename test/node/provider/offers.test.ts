/** The provider's ask over time: changes and repricing survive a restart, and a promise holds until it expires. */
import assert from 'node:assert/strict'
import { silentLogger } from '../../../src/base/ports.ts'
import { OfferFile, type OfferTerms } from '../../../src/node/provider/offer-file.ts'
import { Offers } from '../../../src/node/provider/offers.ts'
import { makeTempFolder, removeTempFolder } from '../../storage/temp-folder.ts'
import { ProviderWorld } from './support.ts'

const TERMS: OfferTerms = {
  priceUnitsPerGiBPeriod: 1_000n,
  egressUnitsPerGiB: 10n,
  collateralUnits: 5n,
  dealPeriodsMin: 1,
  dealPeriodsMax: 40,
  pieceBytesMin: 0,
  region: 'eu',
  operator: 'test'
}

describe('offers', () => {
  let world: ProviderWorld
  let folder: string
  beforeEach(async () => {
    world = await ProviderWorld.make()
    folder = await makeTempFolder()
  })
  afterEach(async () => {
    await world.close()
    await removeTempFolder(folder)
  })

  async function open(configured: OfferTerms = TERMS): Promise<Offers> {
    const { replica, store, provider } = world
    const { net, wallet } = provider
    const file = new OfferFile(folder, configured)
    const parts = { net, replica, network: replica.network, store, wallet, file }
    const offers = new Offers({ ...parts, logger: silentLogger }, configured)
    await offers.restore()
    await offers.start()
    return offers
  }

  const price = (offers: Offers): bigint => offers.current().priceUnitsPerGiBPeriod

  it('keep changes over a restart, until the configuration says otherwise', async () => {
    const first = await open()
    await first.change({ priceUnitsPerGiBPeriod: 2_000n, dealPeriodsMin: 3 })
    await first.stop()
    const again = await open()
    assert.deepEqual([price(again), again.current().dealPeriodsMin], [2_000n, 3])
    await again.stop()
    const edited = await open({ ...TERMS, priceUnitsPerGiBPeriod: 7n })
    assert.deepEqual([price(edited), edited.current().dealPeriodsMin], [7n, 3])
    await edited.stop()
  })

  it('refuse a range that is none', async () => {
    const offers = await open()
    const bad = offers.change({ auto: { floorUnits: 2n, ceilingUnits: 1n } })
    await assert.rejects(bad, { code: 'INVALID_ARGUMENT' })
    await assert.rejects(offers.change({ dealPeriodsMin: 41 }), { code: 'INVALID_ARGUMENT' })
    assert.equal(price(offers), 1_000n)
    await offers.stop()
  })

  it('move with the periods in auto mode, one step each, and go on after a restart', async () => {
    const offers = await open()
    await offers.change({ auto: { floorUnits: 500n, ceilingUnits: 4_000n } })
    assert.equal(price(offers), 1_000n)
    await world.toPeriod(world.replica.period() + 1n)
    const once = price(offers)
    // an empty store: down, by a twentieth at each step
    assert.ok(once === 950n || once === 903n, `${once}`)
    await world.toPeriod(world.replica.period() + 1n)
    const twice = price(offers)
    assert.equal(twice, once - once / 20n)
    await offers.stop()
    const again = await open()
    assert.equal(price(again), twice)
    assert.deepEqual(again.auto, { floorUnits: 500n, ceilingUnits: 4_000n })
    await world.toPeriod(world.replica.period() + 30n)
    assert.equal(price(again), 500n)
    await again.change({ priceUnitsPerGiBPeriod: 800n })
    assert.equal(again.auto, undefined, 'a price of the owner ends it')
    await world.toPeriod(world.replica.period() + 2n)
    assert.equal(price(again), 800n)
    await again.stop()
  })

  it('bind until they expire', async () => {
    const offers = await open()
    const cheap = offers.current()
    await offers.change({ priceUnitsPerGiBPeriod: 3_000n })
    assert.equal(price(offers), 3_000n)
    assert.deepEqual(offers.askFor({ priceUnitsPerGiBPeriod: 1_500n }), cheap)
    assert.equal(offers.askFor({ priceUnitsPerGiBPeriod: 3_000n }).priceUnitsPerGiBPeriod, 3_000n)
    assert.equal(offers.askFor({ priceUnitsPerGiBPeriod: 1n }).priceUnitsPerGiBPeriod, 3_000n)
    await offers.stop()
  })
})
