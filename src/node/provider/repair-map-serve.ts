/** The repair-map protocol: maps are taken from the client that opened the deal, and given to anybody. */
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { Clock, Logger } from '../../base/ports.ts'
import type { DealBook } from '../deals/deal-book.ts'
import { REPAIR_MAP_PROTOCOL } from '../net/protocols.ts'
import type { Channel, Net } from '../net/types.ts'
import { RateLimit } from '../rate-limit.ts'
import { MAP_LIST_MAX, type MapRequest, mapRequest } from '../wire/audit-messages.ts'
import { expectMessage, sendError, sendMessage } from '../wire/piece-messages.ts'
import type { RepairMaps } from './repair-maps.ts'

/** Requests under way; each holds one map at most. */
const SERVING_MAX = 8
/** Requests of one peer at once, and per second after that. */
const BURST = 256
const PER_SECOND = 16

export interface RepairMapServeComponents {
  net: Net
  book: DealBook
  maps: RepairMaps
  clock: Clock
  logger: Logger
}

/** Serves the repair-map protocol on `net`. */
export function serveRepairMaps(components: RepairMapServeComponents): void {
  const { net, clock, logger } = components
  const limit = new RateLimit({ clock, burst: BURST, perSecond: PER_SECOND })
  let serving = 0
  net.handle(REPAIR_MAP_PROTOCOL, async (channel, signal) => {
    const { peerId } = channel.remote
    if (serving >= SERVING_MAX || !limit.take(peerId, 1)) {
      await sendError(channel, new HoldfastError('REMOTE_REFUSED', 'too many requests at once'))
      return
    }
    serving++
    try {
      await answer(components, channel, signal)
    } catch (error) {
      logger.debug('repair-map.failed', { peer: peerId, reason: messageOf(error) })
      await sendError(channel, error)
    } finally {
      serving--
    }
    await channel.close()
  })
}

async function answer(
  components: RepairMapServeComponents,
  channel: Channel,
  signal: AbortSignal
): Promise<void> {
  const { maps } = components
  const request = await expectMessage(channel, mapRequest, { signal })
  switch (request.op) {
    case 'get':
      return await give(maps, channel, request.digest, signal)
    case 'list': {
      const digests = await maps.list(request.deal, MAP_LIST_MAX, request.after)
      return await sendMessage(channel, { digests }, { signal })
    }
    case 'put':
      return await take(components, channel, request, signal)
    case 'drop':
      assertClient(components, channel, request.deal)
      await maps.drop(request.deal, request.digest)
      return await sendMessage(channel, { ok: true }, { signal })
  }
}

async function give(
  maps: RepairMaps,
  channel: Channel,
  digest: Uint8Array,
  signal: AbortSignal
): Promise<void> {
  const bytes = await maps.get(digest)
  if (bytes === undefined) throw new HoldfastError('NOT_FOUND', 'that map is not held here')
  await sendMessage(channel, { bytes: bytes.length }, { signal })
  await channel.write(bytes, { signal })
}

async function take(
  components: RepairMapServeComponents,
  channel: Channel,
  { deal, bytes }: Extract<MapRequest, { op: 'put' }>,
  signal: AbortSignal
): Promise<void> {
  assertClient(components, channel, deal)
  await components.maps.assertRoom(deal, bytes)
  await sendMessage(channel, { ok: true }, { signal })
  await components.maps.add(deal, await channel.readExactly(bytes, { signal }))
  await sendMessage(channel, { ok: true }, { signal })
}

/** @throws HoldfastError TERMS_REFUSED unless this peer opened the deal */
function assertClient(
  { book }: RepairMapServeComponents,
  channel: Channel,
  deal: Uint8Array
): void {
  if (book.get(deal)?.head.clientPeer === channel.remote.peerId) return
  throw new HoldfastError('TERMS_REFUSED', 'there is no deal of that id with this peer')
}
