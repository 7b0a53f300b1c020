/**
 * Audits an object by its repair map: random leaves of all its pieces from every provider, bound to the deals on the
 * ledger. Each provider shows so many that, were the holders of more than n-k pieces of a segment short, one would have
 * been found.
 */
import { addressOf } from '../../base/address.ts'
import { toHex } from '../../base/bytes.ts'
import { messageOf } from '../../base/errors.ts'
import {
  AUDIT_GOAL,
  confidenceOf,
  drawAudit,
  fewestToLose,
  leavesOf,
  leavesToDraw
} from '../../proofs/index.ts'
import { formatProfile, type RepairMap } from '../../storage/index.ts'
import type { AuditResult, AuditRow } from '../control/types.ts'
import { peerIdOf } from '../net/peer-id.ts'
import { type AskTally, askForSlots } from './ask-provider.ts'
import type { AuditorContext } from './context.ts'
import type { FetchedMap } from './fetch-map.ts'
import { runLimited } from './run-limited.ts'

/** Providers asked at once. */
const ASKING_MAX = 32

interface HeldPiece {
  deal: Uint8Array
  slot: number
  root: Uint8Array
  bytes: number
}

/** A provider and all that it holds of the object. */
interface Holder {
  /** Account, or the deal id when the ledger does not know the deal; in hex. */
  name: string
  account: Uint8Array | undefined
  pieces: HeldPiece[]
}

type Finding = Omit<AuditResult, 'elapsedMs' | 'height' | 'kind' | 'id'>

export async function auditObject(
  context: AuditorContext,
  { map, bytes: mapBytes }: FetchedMap,
  seed: Uint8Array
): Promise<Finding> {
  const { profile, segments } = map
  const holders = holdersOf(context, map)
  const names = new Map(
    holders.flatMap(({ name, pieces }) => pieces.map(({ deal }) => [toHex(deal), name]))
  )
  const bySegment = segments.map(({ pieces }) => pieces.map(({ deal }) => names.get(toHex(deal))!))
  const providersToLose = fewestToLose(bySegment, profile.n - profile.k) ?? 1
  const leavesPerProvider = leavesToDraw(providersToLose, AUDIT_GOAL)
  const tally: AskTally = { leaves: 0, transferredBytes: mapBytes.length }
  const rows = await runLimited(holders, ASKING_MAX, holder =>
    auditHolder(context, holder, { seed, leavesPerProvider, total: tally })
  )
  const { loss } = AUDIT_GOAL
  return {
    profile: formatProfile(profile),
    segments: segments.length,
    ok: rows.every(({ ok }) => ok),
    loss,
    confidence: confidenceOf(leavesPerProvider, providersToLose, loss),
    providersToLose,
    leavesPerProvider,
    ...tally,
    seed: toHex(seed),
    providers: rows
  }
}

function holdersOf({ replica }: AuditorContext, map: RepairMap): Holder[] {
  const found = new Map<string, Holder>()
  for (const { pieceBytes, pieces } of map.segments) {
    for (const { root, deal, slot } of pieces) {
      const account = replica.deal(deal)?.provider
      const name = toHex(account ?? deal)
      const holder = found.get(name) ?? { name, account, pieces: [] }
      holder.pieces.push({ deal, slot, root, bytes: pieceBytes })
      found.set(name, holder)
    }
  }
  return [...found.values()]
}

interface Draw {
  seed: Uint8Array
  leavesPerProvider: number
  /** Of all providers. */
  total: AskTally
}

async function auditHolder(
  context: AuditorContext,
  holder: Holder,
  { seed, leavesPerProvider, total }: Draw
): Promise<AuditRow> {
  const { name, account, pieces } = holder
  const deals = [...new Set(pieces.map(({ deal }) => toHex(deal)))]
  const record = account && context.replica.provider(account)
  const provider =
    record !== undefined ? peerIdOf(record.peerKey) : account ? addressOf(account) : 'unknown'
  const tally: AskTally = { leaves: 0, transferredBytes: 0 }
  const row = { provider, deals, pieces: pieces.length }
  try {
    const drawn = drawPieces(pieces, seed, account ?? pieces[0]!.deal, leavesPerProvider)
    for (const { deal, asked } of drawn) await askForSlots(context, deal, asked, tally)
    return { ...row, leaves: tally.leaves, ok: true }
  } catch (error) {
    context.signal.throwIfAborted()
    context.logger.info('audit.failed', { provider: name, reason: messageOf(error) })
    return { ...row, leaves: tally.leaves, ok: false, reason: messageOf(error) }
  } finally {
    total.leaves += tally.leaves
    total.transferredBytes += tally.transferredBytes
  }
}

interface DrawnDeal {
  deal: Uint8Array
  /** Ascending by slot. */
  asked: (HeldPiece & { leaves: number[] })[]
}

/** Leaves over all pieces of a provider, as questions about its deals. */
function drawPieces(
  pieces: readonly HeldPiece[],
  seed: Uint8Array,
  provider: Uint8Array,
  count: number
): DrawnDeal[] {
  const totalLeaves = pieces.reduce((sum, { bytes }) => sum + BigInt(leavesOf(bytes)), 0n)
  const drawn = drawAudit({ seed, provider, count, totalLeaves })
  const deals = new Map<string, DrawnDeal>()
  let first = 0n
  let next = 0
  for (const piece of pieces) {
    const end = first + BigInt(leavesOf(piece.bytes))
    const leaves: number[] = []
    for (; next < drawn.length && drawn[next]! < end; next++) {
      leaves.push(Number(drawn[next]! - first))
    }
    first = end
    if (leaves.length === 0) continue
    const id = toHex(piece.deal)
    const entry = deals.get(id) ?? { deal: piece.deal, asked: [] }
    entry.asked.push({ ...piece, leaves })
    deals.set(id, entry)
  }
  for (const { asked } of deals.values()) asked.sort((a, b) => a.slot - b.slot)
  return [...deals.values()]
}
