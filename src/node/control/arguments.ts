/**
 * Text that a person or a client types, checked the same way by the CLI (before it contacts anything), by the control
 * server and by the config schema.
 */
import { HoldfastError } from '../../base/errors.ts'

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
