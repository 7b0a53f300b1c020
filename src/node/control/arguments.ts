/**
 * Text that a person or a client types, checked the same way by the CLI (before it contacts anything), by the control
 * server and by the config schema.
 */
import { HoldfastError } from '../../base/errors.ts'
import { digestOfRepairMapCid } from '../../storage/repair-map.ts'

export { normalisePath, normalisePrefix } from '../../storage/path.ts'
export { parseProfile } from '../../storage/profile.ts'

/** Inclusive byte positions. */
export interface ByteRange {
  first: number
  last: number
}

/** "FIRST-LAST", both inclusive. @throws HoldfastError RANGE_INVALID */
export function parseRange(text: string): ByteRange {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2])
  if (match === null || first > last || !Number.isSafeInteger(last)) {
    throw new HoldfastError('RANGE_INVALID', `not a byte range: ${text}`, {
      hint: 'write FIRST-LAST, both positions inclusive, for example 0-1023'
    })
  }
  return { first, last }
}

const DEAL_ID = /^[0-9a-f]{64}$/

/** 64 hex digits. @throws HoldfastError INVALID_ARGUMENT */
export function parseDealId(text: string): string {
  if (DEAL_ID.test(text)) return text
  throw new HoldfastError('INVALID_ARGUMENT', `not a deal id: ${text}`, {
    hint: 'deal ids have 64 hex digits: `holdfast deals` lists yours'
  })
}

/** The CID of a repair map. @throws HoldfastError INVALID_ARGUMENT */
export function parseMapCid(text: string): string {
  digestOfRepairMapCid(text)
  return text
}

/** The CID of a repair map, or a deal id. @throws HoldfastError INVALID_ARGUMENT */
export function parseAuditSubject(text: string): string {
  if (DEAL_ID.test(text)) return text
  try {
    return parseMapCid(text)
  } catch (cause) {
    throw new HoldfastError(
      'INVALID_ARGUMENT',
      `neither the CID of a repair map nor a deal id: ${text}`,
      { cause, hint: '`holdfast stat PATH` shows the repair map of an object' }
    )
  }
}
