/**
 * The last step before a put has its name: every provider signs the revision of its deal that adds its pieces. One that
 * died after its receipt is replaced by a spare: the bytes have left this machine, so the segment is read back from the
 * others, encoded again under the same key, and the same pieces go to the spare.
 */
import { toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { PieceEntry } from '../deals/types.ts'
import type { ClientContext } from './context.ts'
import type { Holder } from './placement.ts'
import { rebuildSegment } from './rebuild-segment.ts'
import type { Transfer, UploadedSegment } from './transfer.ts'

export interface AgreeInit {
  transfer: Transfer
  pathKey: Uint8Array
  /** Names the pieces that are given back if the put ends here. */
  intentId: string
  signal: AbortSignal
}

/**
 * The segments with those who hold their pieces now, by revisions that both sides signed.
 * @throws HoldfastError PUT_INCOMPLETE when there are no spares left | INSUFFICIENT_FUNDS | ABORTED
 */
export async function agreeOnPieces(
  client: ClientContext,
  uploaded: readonly UploadedSegment[],
  init: AgreeInit
): Promise<UploadedSegment[]> {
  const { intentId, signal } = init
  const segments = [...uploaded]
  for (;;) {
    await client.releaser.begin(intentId, { pieces: piecesOf(segments) })
    const failed = await client.deals.addPieces(piecesByDeal(segments), signal)
    if (failed.size === 0) return segments
    for (const [number, segment] of segments.entries()) {
      segments[number] = await withoutFailed(client, segment, number, { ...init, failed })
    }
  }
}

interface Moving extends AgreeInit {
  /** Deal in hex -> why its provider did not agree. */
  failed: ReadonlyMap<string, string>
}

/** The segment with every piece of a failed deal moved to a spare. */
async function withoutFailed(
  client: ClientContext,
  segment: UploadedSegment,
  number: number,
  { failed, transfer, pathKey, signal }: Moving
): Promise<UploadedSegment> {
  const isGone = ({ deal }: Holder): boolean => failed.has(toHex(deal))
  const lost = [...segment.holders.keys()].filter(index => isGone(segment.holders[index]!))
  if (lost.length === 0) return segment
  const gone = lost.map(index => segment.holders[index]!)
  for (const { peerId, deal } of gone) {
    const reason = failed.get(toHex(deal))!
    client.quality.recordFailure(peerId, reason)
    client.logger.info('revision.failed', { provider: peerId, segment: number, reason })
  }
  try {
    const rebuilt = await rebuildSegment(client, segment, { pathKey, isGone, signal })
    try {
      const moved = await transfer.move(rebuilt, number, lost, gone)
      const holders = segment.holders.map((holder, index) => moved[lost.indexOf(index)] ?? holder)
      return { ...segment, holders }
    } finally {
      rebuilt.release()
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (HoldfastError.is(cause, 'INSUFFICIENT_FUNDS')) throw cause
    throw disagreed(failed, cause)
  }
}

function piecesOf(segments: readonly UploadedSegment[]): { deal: Uint8Array; root: Uint8Array }[] {
  return segments.flatMap(({ commitments, holders }) =>
    commitments.map(({ root }, index) => ({ deal: holders[index]!.deal, root }))
  )
}

/** Deal id (hex) → the pieces it takes, in segment order. */
function piecesByDeal(segments: readonly UploadedSegment[]): Map<string, PieceEntry[]> {
  const byDeal = new Map<string, PieceEntry[]>()
  for (const { commitments, holders } of segments) {
    for (const [index, { root, bytes }] of commitments.entries()) {
      const deal = toHex(holders[index]!.deal)
      byDeal.set(deal, [...(byDeal.get(deal) ?? []), { root, bytes }])
    }
  }
  return byDeal
}

function disagreed(failed: ReadonlyMap<string, string>, cause: unknown): HoldfastError {
  const [reason] = failed.values()
  const refusals = Array.from(failed, ([deal, why]) => ({ deal, reason: why }))
  return new HoldfastError(
    'PUT_INCOMPLETE',
    `${failed.size} providers did not agree to hold their pieces and cannot be replaced: ${reason}`,
    {
      cause,
      details: { failed: refusals },
      retryable: true,
      hint: 'nothing was stored under the path; try again'
    }
  )
}
