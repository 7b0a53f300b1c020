/** Finds repair maps: any provider may have one, and its CID says whether it is the right one. */
import { equal } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { sha256 } from '../../base/hash.ts'
import { decodeRepairMap, digestOfRepairMapCid, type RepairMap } from '../../storage/index.ts'
import { REPAIR_MAP_PROTOCOL } from '../net/protocols.ts'
import type { Channel, WaitOptions } from '../net/types.ts'
import { MAP_LIST_MAX, type MapRequest, mapHeader, mapList } from '../wire/audit-messages.ts'
import { expectMessage, sendMessage } from '../wire/piece-messages.ts'
import type { AuditorContext } from './context.ts'
import { dealOnLedger } from './deal-on-ledger.ts'

const FETCH_TIMEOUT_MS = 10_000
/** Providers asked at once. */
const ASKING_MAX = 8
/** Maps of one deal that a listing goes through. */
const LISTED_MAX = 65_536

export interface FetchedMap {
  map: RepairMap
  bytes: Uint8Array
}

/**
 * The map of a CID, from the first provider that has it.
 * @throws HoldfastError NOT_FOUND when none that can be reached has it; WRONG_NETWORK; MANIFEST_INVALID
 */
export async function fetchMap(
  context: AuditorContext,
  cid: string,
  signal: AbortSignal
): Promise<FetchedMap> {
  const digest = digestOfRepairMapCid(cid)
  const bytes = await firstThatHas(context, digest, signal)
  if (bytes === undefined) {
    throw new HoldfastError('NOT_FOUND', `no provider that can be reached has the map ${cid}`, {
      hint: 'the owner can hand it over again: `holdfast repair-map publish PATH`'
    })
  }
  const map = decodeRepairMap(bytes)
  if (equal(map.network, context.network.genesisHash)) return { map, bytes }
  throw new HoldfastError('WRONG_NETWORK', 'the repair map is of another network')
}

/** Digests of the maps that name a deal. @throws HoldfastError NOT_FOUND | UNREACHABLE | … */
export async function listMaps(
  context: AuditorContext,
  deal: Uint8Array,
  signal: AbortSignal
): Promise<Uint8Array[]> {
  const { peerKey } = dealOnLedger(context, deal)
  const peerId = await context.locator.locate(peerKey)
  const found: Uint8Array[] = []
  while (found.length < LISTED_MAX) {
    const after = found.at(-1)
    const request: MapRequest = { op: 'list', deal, ...(after && { after }) }
    const digests = await withChannel(context, peerId, request, signal, async (channel, wait) => {
      return (await expectMessage(channel, mapList, wait)).digests
    })
    found.push(...digests)
    if (digests.length < MAP_LIST_MAX) break
  }
  return found
}

async function firstThatHas(
  context: AuditorContext,
  digest: Uint8Array,
  signal: AbortSignal
): Promise<Uint8Array | undefined> {
  const found = new AbortController()
  const until = AbortSignal.any([signal, found.signal])
  const peers = context.locator.providers(until)
  let result: Uint8Array | undefined
  const worker = async (): Promise<void> => {
    while (!until.aborted) {
      const next = await peers.next()
      if (next.done === true) return
      const bytes = await mapFrom(context, next.value, digest, until)
      if (bytes === undefined) continue
      result = bytes
      found.abort()
    }
  }
  await Promise.allSettled(Array.from({ length: ASKING_MAX }, worker))
  signal.throwIfAborted()
  return result
}

/** Undefined when the peer has it not, or gives something else. */
async function mapFrom(
  context: AuditorContext,
  peerId: string,
  digest: Uint8Array,
  signal: AbortSignal
): Promise<Uint8Array | undefined> {
  try {
    const request: MapRequest = { op: 'get', digest }
    return await withChannel(context, peerId, request, signal, async (channel, wait) => {
      const { bytes: length } = await expectMessage(channel, mapHeader, wait)
      const bytes = await channel.readExactly(length, wait)
      return equal(sha256(bytes), digest) ? bytes : undefined
    })
  } catch (error) {
    context.logger.debug('repair-map.not-found', { provider: peerId, reason: messageOf(error) })
    return undefined
  }
}

async function withChannel<T>(
  { net }: AuditorContext,
  peerId: string,
  request: MapRequest,
  signal: AbortSignal,
  use: (channel: Channel, wait: WaitOptions) => Promise<T>
): Promise<T> {
  const wait = { signal: AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]) }
  const channel = await net.open(peerId, REPAIR_MAP_PROTOCOL, wait)
  try {
    await sendMessage(channel, request, wait)
    return await use(channel, wait)
  } finally {
    await channel.close()
  }
}
