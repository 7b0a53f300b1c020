/** Parsers of arguments and options. What does not parse is a usage error: exit 2, and nothing was contacted. */
import { accountOfAddress } from '../src/base/address.ts'
import { HoldfastError } from '../src/base/errors.ts'
import { parseTokens, UNITS_MAX, type Units } from '../src/base/money.ts'
import {
  type ByteRange,
  normalisePath,
  normalisePrefix,
  parseAuditSubject,
  parseDealId,
  parseMapCid,
  parseProfile,
  parseRange
} from '../src/node/control/arguments.ts'

/** Exit 2. Commander passes it through as it is, so code and hint of the failure survive. */
export class UsageError extends Error {
  readonly failure: HoldfastError

  constructor(failure: HoldfastError) {
    super(failure.message)
    this.failure = failure
  }
}

type Parser<T> = (text: string) => T

/** Turns the errors of a parser into usage errors. */
function usage<T>(parse: Parser<T>): Parser<T> {
  return text => {
    try {
      return parse(text)
    } catch (error) {
      throw HoldfastError.is(error) ? new UsageError(error) : error
    }
  }
}

function notUsable(message: string): UsageError {
  return new UsageError(new HoldfastError('INVALID_ARGUMENT', message))
}

export const pathArgument: Parser<string> = usage(normalisePath)
export const prefixArgument: Parser<string> = usage(normalisePrefix)
export const rangeArgument: Parser<ByteRange> = usage(parseRange)
export const auditArgument: Parser<string> = usage(parseAuditSubject)
export const dealArgument: Parser<string> = usage(parseDealId)
export const mapArgument: Parser<string> = usage(parseMapCid)
export const amountArgument: Parser<Units> = usage(parseTokens)

export const profileArgument: Parser<string> = usage(text => {
  parseProfile(text)
  return text
})

export const addressArgument: Parser<string> = usage(text => {
  accountOfAddress(text)
  return text
})

/** A whole number from `min` to `max`. */
export function countArgument(min: number, max: number = Number.MAX_SAFE_INTEGER): Parser<number> {
  return text => {
    const value = Number(text)
    if (/^\d{1,16}$/.test(text) && value >= min && value <= max) return value
    throw notUsable(`not a whole number from ${min} to ${max}: ${text}`)
  }
}

/** Whole units of money. */
export const unitsArgument: Parser<Units> = text => {
  if (/^\d{1,19}$/.test(text) && BigInt(text) <= UNITS_MAX) return BigInt(text)
  throw notUsable(`not whole units from 0 to ${UNITS_MAX}: ${text}`)
}

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** "500ms", "5s", "2m", "24h" in milliseconds. */
export const durationArgument: Parser<number> = text => {
  const [, value, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? []
  if (value !== undefined && Number(value) > 0) return Number(value) * DURATION_MS[unit!]!
  throw notUsable(`not a duration such as 500ms, 5s, 2m or 24h: ${text}`)
}

/** Collects a repeatable option. */
export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** A repeatable "key=value". */
export function assignmentArgument(text: string, before: readonly string[] = []): string[] {
  if (!/^[\w.]+=/.test(text)) throw notUsable(`not key=value: ${text}`)
  return [...before, text]
}

/** "provider,client", also repeated, as one list. */
export function rolesArgument(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map(role => role.trim())]
}

/** 32 bytes in hex. */
export const hashArgument: Parser<string> = text => {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw notUsable(`not a hash of 64 hex digits: ${text}`)
}

/** "HEIGHT:HASH" of a block. */
export const checkpointArgument: Parser<{ height: bigint; blockHash: string }> = text => {
  const [, height, blockHash] = /^(\d{1,16}):([0-9a-f]{64})$/.exec(text) ?? []
  if (height !== undefined) return { height: BigInt(height), blockHash: blockHash! }
  throw notUsable(`not HEIGHT:HASH of a block: ${text}`)
}
