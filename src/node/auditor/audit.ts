/**
 * An audit by anybody: the ledger says which deals there are and what they hold, the providers show random leaves, and
 * every answer is checked against the ledger. Needs no key, no money and no role.
 */
import { addressOf } from '../../base/address.ts'
import { fromHex, toHex } from '../../base/bytes.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import { pieceIdOf } from '../../base/piece-id.ts'
import { cidOfDigest, formatProfile } from '../../storage/index.ts'
import { parseAuditSubject, parseDealId, parseMapCid } from '../control/arguments.ts'
import type { AuditResult, RepairMapResult } from '../control/types.ts'
import { peerIdOf } from '../net/peer-id.ts'
import { auditDeal } from './audit-deal.ts'
import { auditObject } from './audit-object.ts'
import type { AuditorContext } from './context.ts'
import { fetchMap, listMaps } from './fetch-map.ts'

/** A CID has fewer. */
const DEAL_ID_DIGITS = 2 * HASH_BYTES

/**
 * @param subject CID of a repair map, or deal id in hex
 * @throws HoldfastError INVALID_ARGUMENT, NOT_FOUND (no such deal, or nobody has the map), WRONG_NETWORK
 */
export async function audit(context: AuditorContext, subject: string): Promise<AuditResult> {
  const id = parseAuditSubject(subject)
  const { clock, random, replica, signal } = context
  const startedAtMs = clock.nowMs()
  const height = Number(replica.head().height)
  const seed = random.bytes(HASH_BYTES)
  const kind = id.length === DEAL_ID_DIGITS ? 'deal' : 'object'
  const finding =
    kind === 'deal'
      ? await auditDeal(context, fromHex(id), seed)
      : await auditObject(context, await fetchMap(context, id, signal), seed)
  return { kind, id, height, ...finding, elapsedMs: clock.nowMs() - startedAtMs }
}

/** The map of a CID, as people read it. @throws HoldfastError NOT_FOUND | WRONG_NETWORK | MANIFEST_INVALID */
export async function describeMap(context: AuditorContext, cid: string): Promise<RepairMapResult> {
  const { map, bytes } = await fetchMap(context, parseMapCid(cid), context.signal)
  return {
    repairMap: cid,
    bytes: bytes.length,
    profile: formatProfile(map.profile),
    segments: map.segments.map(({ pieceBytes, pieces }) => ({
      pieceBytes,
      pieces: pieces.map(({ root, deal, slot }, index) => {
        const provider = providerOf(context, deal)
        return { index, pieceId: pieceIdOf(root), deal: toHex(deal), slot, provider }
      })
    }))
  }
}

/** CIDs of the maps that name a deal, as its provider lists them. @throws HoldfastError NOT_FOUND | UNREACHABLE | … */
export async function mapsOfDeal(context: AuditorContext, deal: string): Promise<string[]> {
  const digests = await listMaps(context, fromHex(parseDealId(deal)), context.signal)
  return digests.map(cidOfDigest)
}

function providerOf({ replica }: AuditorContext, deal: Uint8Array): string {
  const account = replica.deal(deal)?.provider
  const record = account && replica.provider(account)
  if (record !== undefined) return peerIdOf(record.peerKey)
  return account === undefined ? 'unknown' : addressOf(account)
}
