/**
 * Keys of a provider's repair maps in `level`. `<deal>` and `<digest>` are 64 hex digits.
 *
 *   m/<digest>          the map
 *   d/<deal>/<digest>   that a deal is named in it: {bytes, root, slot} of the map and of one piece of the deal
 *   c/<digest>/<deal>   the same, seen from the map
 */
export const map = (digest: string): string => `m/${digest}`
export const ofDeal = (deal: string, digest: string): string => `d/${deal}/${digest}`
export const ofMap = (digest: string, deal: string): string => `c/${digest}/${deal}`

export interface Range {
  gt: string
  lt: string
}

/** Maps of one deal, from after a digest on. */
export const mapsOf = (deal: string, after = ''): Range => ({
  gt: `d/${deal}/${after}`,
  lt: `d/${deal}/~`
})
export const dealsOf = (digest: string): Range => ({ gt: `c/${digest}/`, lt: `c/${digest}/~` })
/** Everything of all deals, from after a key on. */
export const allAfter = (key: string): Range => ({ gt: key === '' ? 'd/' : key, lt: 'd/~' })

export const digestOfKey = (key: string): string => key.slice(-64)
export const dealOfKey = (key: string): string => key.slice(2, 66)
