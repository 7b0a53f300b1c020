/** What a provider keeps of repair maps: for whom, for how long, how much. */
import assert from 'node:assert/strict'
import { sha256 } from '../../../src/base/hash.ts'
import { REPAIR_MAP_PROTOCOL } from '../../../src/node/net/protocols.ts'
import { MAPS_BYTES_PER_DEAL_MAX } from '../../../src/node/provider/repair-maps.ts'
import { mapDone, mapHeader, mapList } from '../../../src/node/wire/audit-messages.ts'
import { expectMessage, sendMessage } from '../../../src/node/wire/piece-messages.ts'
import { suiteRandom } from '../../storage/random.ts'
import { AuditedWorld } from '../auditor/support.ts'
import { rejectsWith } from '../net/support.ts'
import type { Party } from './support.ts'

describe('repair maps at a provider', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let made: AuditedWorld
  beforeEach(async () => {
    made = await AuditedWorld.make(random)
  })
  afterEach(() => made.close())

  async function put(bytes: Uint8Array, by: Party, deal = made.deal.id): Promise<void> {
    const channel = await by.net.open(made.world.provider.net.peerId, REPAIR_MAP_PROTOCOL)
    await sendMessage(channel, { op: 'put', deal, bytes: bytes.length })
    await expectMessage(channel, mapDone)
    await channel.write(bytes)
    await expectMessage(channel, mapDone)
  }

  async function get(digest: Uint8Array): Promise<Uint8Array> {
    const channel = await made.world.stranger.net.open(
      made.world.provider.net.peerId,
      REPAIR_MAP_PROTOCOL
    )
    await sendMessage(channel, { op: 'get', digest })
    const { bytes } = await expectMessage(channel, mapHeader)
    return await channel.readExactly(bytes)
  }

  async function drop(by: Party, digest: Uint8Array): Promise<void> {
    const channel = await by.net.open(made.world.provider.net.peerId, REPAIR_MAP_PROTOCOL)
    await sendMessage(channel, { op: 'drop', deal: made.deal.id, digest })
    await expectMessage(channel, mapDone)
  }

  it('are taken from the client and given to anybody', async () => {
    const { bytes } = made.map()
    await put(bytes, made.world.client)
    await put(bytes, made.world.client)
    assert.deepEqual(Buffer.from(await get(sha256(bytes))), Buffer.from(bytes))
    const channel = await made.world.stranger.net.open(
      made.world.provider.net.peerId,
      REPAIR_MAP_PROTOCOL
    )
    await sendMessage(channel, { op: 'list', deal: made.deal.id })
    const { digests } = await expectMessage(channel, mapList)
    assert.deepEqual(digests.map(Buffer.from), [Buffer.from(sha256(bytes))])
    await rejectsWith('NOT_FOUND', get(random.bytes(32)))
  })

  it('are refused from others, and when they do not say the truth', async () => {
    const { bytes } = made.map()
    const { client, stranger } = made.world
    await rejectsWith('TERMS_REFUSED', put(bytes, stranger))
    await rejectsWith('TERMS_REFUSED', put(bytes, client, random.bytes(32)))
    for (const wrong of [
      made.map({ slots: [1, 0, 2] }).bytes,
      made.map({ slots: [0, 1, 9] }).bytes,
      made.map({ network: random.bytes(32) }).bytes,
      random.bytes(200)
    ]) {
      await rejectsWith('REMOTE_REFUSED', put(wrong, client))
    }
    assert.deepEqual(await made.maps.list(made.deal.id, 10), [])
  })

  it('go when the client says so, and when the object has left the deal', async () => {
    const { bytes } = made.map()
    const { client, stranger } = made.world
    const digest = sha256(bytes)
    await put(bytes, client)
    await rejectsWith('TERMS_REFUSED', drop(stranger, digest))
    await made.maps.sweep()
    assert.ok(await made.maps.get(digest))
    await drop(client, digest)
    assert.equal(await made.maps.get(digest), undefined)
    await put(bytes, client)
    await made.revise([], [0, 1, 2])
    await made.maps.sweep()
    assert.equal(await made.maps.get(digest), undefined)
    assert.deepEqual(await made.maps.list(made.deal.id, 10), [])
  })

  it('have a bound per deal', async () => {
    const { length } = made.map().bytes
    await made.maps.assertRoom(made.deal.id, MAPS_BYTES_PER_DEAL_MAX)
    await put(made.map().bytes, made.world.client)
    await made.maps.assertRoom(made.deal.id, MAPS_BYTES_PER_DEAL_MAX - length)
    const room = made.maps.assertRoom(made.deal.id, MAPS_BYTES_PER_DEAL_MAX - length + 1)
    await rejectsWith('QUOTA_EXCEEDED', room)
  })
})
