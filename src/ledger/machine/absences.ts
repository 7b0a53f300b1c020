/**
 * Downtime: whoever is missing in more than half of the certificates of a window is jailed, and nobody is slashed for
 * it. Windows follow each other, so one list for the whole set is enough, and only blocks that miss somebody write it.
 *
 * Money flows: none.
 */
import { assert } from '../../base/assert.ts'
import { toHex } from '../../base/bytes.ts'
import { absences, ONLY } from '../state/tables.ts'
import type { Validator } from '../types/records.ts'
import type { Absence } from '../types/validator.ts'
import type { BlockContext } from './context.ts'
import { isBarred, putValidator, requireValidator } from './validators.ts'

/** @param signers one per member of `set`; none at height 1, where nobody could sign */
export function countAbsences(
  ctx: BlockContext,
  set: readonly Validator[],
  signers: readonly boolean[]
): void {
  if (ctx.height === 1n) return
  assert(signers.length === set.length, 'the certificate is by this set')
  const isNewWindow = ctx.height % BigInt(ctx.params.downtimeHeights) === 0n
  const before = ctx.state.get(absences, ONLY) ?? []
  const counts = new Map(
    isNewWindow ? [] : before.map(({ account, missed }) => [toHex(account), missed])
  )
  const after: Absence[] = []
  for (const [i, { account }] of set.entries()) {
    const missed = (counts.get(toHex(account)) ?? 0) + (signers[i] ? 0 : 1)
    if (missed === 0 || isBarred(requireValidator(ctx.state, account))) continue
    if (2 * missed > ctx.params.downtimeHeights) jail(ctx, account)
    else after.push({ account, missed })
  }
  if (before.length > 0 || after.length > 0) ctx.state.put(absences, ONLY, after)
}

function jail(ctx: BlockContext, account: Uint8Array): void {
  const record = requireValidator(ctx.state, account)
  const jailedUntil = ctx.height + BigInt(ctx.params.jailHeights)
  putValidator(ctx.state, ctx.params, account, { ...record, jailedUntil })
}
