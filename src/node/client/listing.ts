/** What is stored: listings of names and the state of one object. */
import { toHex } from '../../base/bytes.ts'
import { pieceIdOf } from '../../base/piece-id.ts'
import { ninesOfObject } from '../../market/index.ts'
import {
  formatProfile,
  type Manifest,
  normalisePath,
  normalisePrefix,
  type SegmentEntry
} from '../../storage/index.ts'
import type { ListEntry, StatResult } from '../control/types.ts'
import { peerIdOf } from '../net/peer-id.ts'
import type { ClientContext } from './context.ts'
import { openObject } from './objects.ts'

/**
 * Objects under a prefix, in the order of their paths; without `recursive`, what lies deeper shows as folders.
 * @throws HoldfastError INVALID_ARGUMENT on a malformed prefix
 */
export async function list(
  client: ClientContext,
  rawPrefix: string,
  recursive: boolean
): Promise<ListEntry[]> {
  const prefix = normalisePrefix(rawPrefix)
  const folder = prefix.endsWith('/') ? prefix : `${prefix}/`
  const entries: ListEntry[] = []
  const exact = prefix === '/' ? undefined : await client.names.get(prefix)
  if (exact !== undefined) {
    entries.push({ path: prefix, bytes: exact.bytes, modified: isoTime(exact.modifiedMs) })
  }
  for await (const { path, record } of client.names.list(folder)) {
    const deeper = path.indexOf('/', folder.length)
    if (recursive || deeper < 0) {
      entries.push({ path, bytes: record.bytes, modified: isoTime(record.modifiedMs) })
      continue
    }
    const child = path.slice(0, deeper + 1)
    const last = entries.at(-1)
    if (last?.path === child) last.bytes += record.bytes
    else entries.push({ path: child, bytes: record.bytes, folder: true })
  }
  return entries
}

/** @throws HoldfastError NOT_FOUND */
export async function stat(client: ClientContext, rawPath: string): Promise<StatResult> {
  const { path, record, manifest } = await openObject(client, normalisePath(rawPath))
  return {
    path,
    bytes: record.bytes,
    modified: isoTime(record.modifiedMs),
    manifest: record.manifest,
    repairMap: record.repairMap ?? null,
    profile: formatProfile(manifest.profile),
    nines: ninesOf(client, manifest),
    pieces: manifest.segments.flatMap((entry, segment) => pieceRows(client, entry, segment))
  }
}

/** Segments on the same providers live and die together: one chance for every set of providers. */
function ninesOf(client: ClientContext, { profile, segments }: Manifest): number | null {
  if (segments.length === 0) return null
  const missing = new Map<string, number>()
  const accounts: Uint8Array[] = []
  for (const { pieces } of segments) {
    const deals = pieces.map(({ deal }) => toHex(deal)).toSorted()
    const key = deals.join()
    if (missing.has(key)) continue
    const lost = pieces.filter(({ provider, deal }) => isLost(client, provider, deal))
    missing.set(key, lost.length)
    accounts.push(...pieces.map(({ provider }) => provider))
  }
  return ninesOfObject(profile, client.facts.rates(accounts), [...missing.values()])
}

/** Nobody is bound to hold it any longer, or whoever is has stopped to prove. */
function isLost({ replica, facts }: ClientContext, provider: Uint8Array, id: Uint8Array): boolean {
  const deal = replica.deal(id)
  return (
    deal === undefined ||
    deal.state === 'closed' ||
    deal.state === 'failed' ||
    facts.isGone(provider)
  )
}

function pieceRows(
  client: ClientContext,
  { pieces, pieceBytes }: SegmentEntry,
  segment: number
): StatResult['pieces'] {
  return pieces.map(({ root, provider, deal }, index) => {
    const record = client.replica.provider(provider)
    return {
      segment,
      index,
      pieceId: pieceIdOf(root),
      provider: record === undefined ? 'unknown' : peerIdOf(record.peerKey),
      deal: toHex(deal),
      bytes: pieceBytes,
      state: pieceState(client, deal)
    }
  })
}

/**
 * What the ledger says about the deal that holds a piece: "proven" when its last closed period was, "late" when it was
 * not, "new" before its first closed period, "over" when the deal is closed.
 */
function pieceState({ replica }: ClientContext, dealId: Uint8Array): string {
  const deal = replica.deal(dealId)
  if (deal === undefined || deal.state === 'closed') return 'over'
  const lastClosed = replica.period() - 2n
  if (deal.startPeriod === undefined || deal.startPeriod > lastClosed) return 'new'
  return replica.isProven(deal.provider, lastClosed) ? 'proven' : 'late'
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
