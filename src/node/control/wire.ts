/**
 * JSON of the control API, shared by server and client. Money is bigint inside and a decimal string on the wire; the
 * fields that hold money are listed here once.
 */
import { type ErrorCode, type ErrorJson, HoldfastError } from '../../base/errors.ts'
import { KIB, MIB } from '../../base/limits.ts'

/** First part of every route: `/v1/<method>`. */
export const API_PREFIX = '/v1/'
export const LOOPBACK = '127.0.0.1'
export const REQUEST_BYTES_MAX: number = 64 * KIB
/** A result, or one line of NDJSON: a put of 65,536 segments lists many pieces. */
export const RESULT_BYTES_MAX: number = 256 * MIB
/** Trailers count as headers: the list of failed providers has to fit. */
export const HEADER_BYTES_MAX: number = 256 * KIB
export const FAILURES_LISTED_MAX = 256
export const REASON_CHARACTERS_MAX = 200

/** Header of a get: length of the body that follows. */
export const BYTES_HEADER = 'holdfast-bytes'
/** Trailers of a get: base64 of JSON. */
export const RESULT_TRAILER = 'holdfast-result'
export const ERROR_TRAILER = 'holdfast-error'

const MONEY_FIELDS: ReadonlySet<string> = new Set([
  'available',
  'bondUnits',
  'ceilingUnits',
  'collateral',
  'collateralUnits',
  'costUnits',
  'costUnitsPerPeriod',
  'costUnitsPerMonth',
  'egressUnits',
  'egressUnitsPerGiB',
  'escrow',
  'escrowUnits',
  'feeUnits',
  'floorUnits',
  'lockUnits',
  'owedUnits',
  'paidUnits',
  'priceUnitsPerGiBPeriod',
  'units'
])

/** JSON with bigint as decimal strings. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'bigint' ? item.toString() : item
  )
}

/** JSON with the money fields as bigint. @throws SyntaxError */
export function decodeJson(text: string): unknown {
  return JSON.parse(text, (key, item: unknown) =>
    typeof item === 'string' && MONEY_FIELDS.has(key) && /^\d{1,20}$/.test(item)
      ? BigInt(item)
      : item
  )
}

/** Base64 of JSON, for trailers. */
export function encodeTrailer(value: unknown): string {
  return Buffer.from(encodeJson(value)).toString('base64')
}

/** @throws SyntaxError */
export function decodeTrailer(text: string): unknown {
  return decodeJson(Buffer.from(text, 'base64').toString('utf8'))
}

/** An error as it arrives from the daemon; anything that is not one becomes INTERNAL. */
export function errorFromJson(value: unknown): HoldfastError {
  const json = (typeof value === 'object' && value !== null ? value : {}) as Partial<ErrorJson>
  if (typeof json.code !== 'string' || typeof json.message !== 'string') {
    return new HoldfastError('INTERNAL', 'the daemon sent an error that cannot be read')
  }
  return new HoldfastError(json.code, json.message, {
    ...(typeof json.hint === 'string' ? { hint: json.hint } : {}),
    ...(typeof json.details === 'object' && json.details !== null ? { details: json.details } : {})
  })
}

const STATUS_DEFAULT = 422

const STATUS: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 400,
  CONFIG_INVALID: 400,
  PROFILE_IMPOSSIBLE: 400,
  UNAUTHORIZED: 401,
  INSUFFICIENT_FUNDS: 402,
  BUDGET_EXCEEDED: 402,
  ROLE_DISABLED: 403,
  NOT_FOUND: 404,
  PIECE_NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  SOURCE_CHANGED: 409,
  REVISION_CONFLICT: 409,
  FRAME_TOO_LARGE: 413,
  RANGE_INVALID: 416,
  ABORTED: 499,
  INTERNAL: 500,
  TOO_FEW_PROVIDERS: 503,
  PUT_INCOMPLETE: 503,
  UNRECOVERABLE: 503,
  UNREACHABLE: 503,
  STORE_READ_ONLY: 503,
  TIMEOUT: 504
}

/** The HTTP status of an error. */
export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? STATUS_DEFAULT
}
