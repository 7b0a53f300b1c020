/**
 * Every key of a deal book's `level` database, in one place. `<deal>` and `<root>` are 64 hex digits; numbers are
 * fixed-width hex so that they sort.
 *
 *   h/<deal>                head: terms, newest revision number
 *   d/<deal>/r/<revision>   signed revision and its changes
 *   d/<deal>/s/<slot>       piece in a slot
 *   p/<root>/<deal>/<slot>  where a piece is held; a client may put the same one into several slots
 */
import { fromHex, toHex } from '../../base/bytes.ts'

export const head = (deal: string): string => `h/${deal}`
export const revision = (deal: string, n: bigint): string => `d/${deal}/r/${hex(n, 16)}`
export const slot = (deal: string, n: number): string => `d/${deal}/s/${hex(n, 8)}`
export const reference = (root: Uint8Array, deal: string, n: number): string =>
  `p/${toHex(root)}/${deal}/${hex(n, 8)}`

export const heads = (): Range => prefix('h/')
export const slots = (deal: string): Range => prefix(`d/${deal}/s/`)
export const referencesOf = (root: Uint8Array): Range => prefix(`p/${toHex(root)}/`)
export const referencesIn = (root: Uint8Array, deal: string): Range =>
  prefix(`p/${toHex(root)}/${deal}/`)
/** Everything of one deal except its references, which are keyed by piece. */
export const everythingOf = (deal: string): Range => prefix(`d/${deal}/`)

export const idOfHead = (key: string): Uint8Array => fromHex(key.slice(2))
export const slotOfKey = (key: string): number => Number.parseInt(key.slice(-8), 16)

export interface Range {
  gte: string
  lt: string
}

function prefix(text: string): Range {
  return { gte: text, lt: `${text}~` }
}

function hex(value: bigint | number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
