/** Audits a deal: random leaves over all that it holds, against the contents on the ledger. */
import { toHex } from '../../base/bytes.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { AUDIT_GOAL, confidenceOf, drawAudit, leavesToDraw } from '../../proofs/index.ts'
import type { AuditResult, AuditRow } from '../control/types.ts'
import { peerIdOf } from '../net/peer-id.ts'
import { type AskTally, askForLeaves } from './ask-provider.ts'
import type { AuditorContext } from './context.ts'
import { dealOnLedger } from './deal-on-ledger.ts'

type Finding = Omit<AuditResult, 'elapsedMs' | 'height' | 'kind' | 'id'>

/** @throws HoldfastError NOT_FOUND when the ledger has no such deal, or nothing in it */
export async function auditDeal(
  context: AuditorContext,
  id: Uint8Array,
  seed: Uint8Array
): Promise<Finding> {
  const { deal, peerKey } = dealOnLedger(context, id)
  if (deal.leaves === 0n) {
    throw new HoldfastError('NOT_FOUND', `the ledger has nothing in deal ${toHex(id)}`, {
      hint: 'what a deal holds reaches the ledger within a period; one that is over holds nothing'
    })
  }
  const count = leavesToDraw(1, AUDIT_GOAL)
  const drawn = drawAudit({ seed, provider: deal.provider, count, totalLeaves: deal.leaves })
  const tally: AskTally = { leaves: 0, transferredBytes: 0 }
  let reason: string | undefined
  try {
    await askForLeaves(context, deal, drawn.map(Number), tally)
  } catch (error) {
    context.signal.throwIfAborted()
    reason = messageOf(error)
  }
  const ok = reason === undefined
  const row: AuditRow = {
    provider: peerIdOf(peerKey),
    deals: [toHex(id)],
    pieces: 0,
    leaves: tally.leaves,
    ok,
    ...(reason === undefined ? {} : { reason })
  }
  const { loss } = AUDIT_GOAL
  return {
    ok,
    loss,
    confidence: confidenceOf(count, 1, loss),
    providersToLose: 1,
    leavesPerProvider: count,
    ...tally,
    seed: toHex(seed),
    providers: [row]
  }
}
