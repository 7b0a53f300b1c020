/**
 * The repair map of an object: made from its manifest and the slots of its deals, and handed to the providers of these
 * deals. An object is stored without it: a provider that does not take it now is only logged, and others have it.
 */
import { fromHex, toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import {
  dealsOf,
  digestOfRepairMapCid,
  encodeRepairMap,
  type Manifest,
  normalisePath,
  type RepairMap,
  repairMapCid
} from '../../storage/index.ts'
import type { PublishResult } from '../control/types.ts'
import { peerIdOf } from '../net/peer-id.ts'
import { REPAIR_MAP_PROTOCOL } from '../net/protocols.ts'
import type { WaitOptions } from '../net/types.ts'
import { mapDone } from '../wire/audit-messages.ts'
import { expectMessage, sendMessage } from '../wire/piece-messages.ts'
import type { ClientContext } from './context.ts'
import type { Release } from './names.ts'
import { openObject } from './objects.ts'

const HAND_OVER_TIMEOUT_MS = 5_000

export interface EncodedMap {
  cid: string
  bytes: Uint8Array
  /** Deals that it names. */
  deals: Uint8Array[]
}

/** Undefined for an object without pieces, and when a piece is in no deal of ours any more. */
export async function makeRepairMap(
  client: ClientContext,
  { profile, segments }: Pick<Manifest, 'profile' | 'segments'>
): Promise<EncodedMap | undefined> {
  const { network, deals } = client
  const mapped: RepairMap['segments'][number][] = []
  for (const { pieceBytes, pieces } of segments) {
    const slots = await Promise.all(pieces.map(({ deal, root }) => deals.slotOf(deal, root)))
    if (slots.includes(undefined)) return undefined
    const placed = pieces.map(({ root, deal }, i) => ({ root, deal, slot: slots[i]! }))
    mapped.push({ pieceBytes, pieces: placed })
  }
  if (mapped.length === 0) return undefined
  const map: RepairMap = { version: 1, network: network.genesisHash, profile, segments: mapped }
  const bytes = encodeRepairMap(map)
  return { cid: repairMapCid(bytes), bytes, deals: dealsOf(map) }
}

/** Hands a map to the provider of each of its deals. Never rejects. */
export async function publishMap(
  client: ClientContext,
  { cid, bytes, deals }: EncodedMap,
  signal: AbortSignal
): Promise<PublishResult> {
  const results = await Promise.all(
    deals.map(deal => exchange(client, { op: 'put', deal, bytes: bytes.length }, { signal, bytes }))
  )
  const providers = results.filter(({ reason }) => reason === undefined).map(each => each.provider)
  const failed = results.flatMap(({ provider, reason }) =>
    reason === undefined ? [] : [{ provider, reason }]
  )
  if (failed.length > 0) client.logger.info('repair-map.not-taken', { map: cid, failed })
  return { repairMap: cid, bytes: bytes.length, providers, failed }
}

/**
 * Hands over the map of an object again, for providers that do not have it.
 * @throws HoldfastError NOT_FOUND when there is no such object, or it has no pieces
 */
export async function publish(client: ClientContext, rawPath: string): Promise<PublishResult> {
  const { path, manifest } = await openObject(client, normalisePath(rawPath))
  const map = await makeRepairMap(client, manifest)
  if (map === undefined) {
    throw new HoldfastError('NOT_FOUND', `${path} has no pieces in the deals of this node`)
  }
  return await publishMap(client, map, client.signal)
}

/** Tells the providers of a removed object that its map is not needed any more. Never rejects. */
export async function dropMap(
  client: ClientContext,
  { repairMap, intent }: Release
): Promise<void> {
  if (repairMap === undefined) return
  const digest = digestOfRepairMapCid(repairMap)
  const deals = [...new Set(intent.pieces.map(({ deal }) => toHex(deal)))].map(fromHex)
  const { signal } = client
  await Promise.all(deals.map(deal => exchange(client, { op: 'drop', deal, digest }, { signal })))
}

type Message =
  | { op: 'put'; deal: Uint8Array; bytes: number }
  | { op: 'drop'; deal: Uint8Array; digest: Uint8Array }

/** One exchange with the provider of a deal; says why it failed. */
async function exchange(
  client: ClientContext,
  message: Message,
  { bytes, signal }: { bytes?: Uint8Array; signal: AbortSignal }
): Promise<{ provider: string; reason?: string }> {
  const account = client.replica.deal(message.deal)?.provider
  const record = account && client.replica.provider(account)
  if (record === undefined) return { provider: 'unknown', reason: 'the deal is not on the ledger' }
  const provider = peerIdOf(record.peerKey)
  try {
    const until = AbortSignal.any([signal, AbortSignal.timeout(HAND_OVER_TIMEOUT_MS)])
    const wait: WaitOptions = { signal: until }
    await client.orderBook.locate(provider, until)
    const channel = await client.net.open(provider, REPAIR_MAP_PROTOCOL, wait)
    try {
      await sendMessage(channel, message, wait)
      await expectMessage(channel, mapDone, wait)
      if (bytes !== undefined) {
        await channel.write(bytes, wait)
        await expectMessage(channel, mapDone, wait)
      }
    } finally {
      await channel.close()
    }
    return { provider }
  } catch (error) {
    return { provider, reason: messageOf(error) }
  }
}
