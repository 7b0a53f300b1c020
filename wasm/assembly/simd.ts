/** What both kernels need of SIMD. Memory begins with the product tables and the nibble mask: see kernel-memory.ts. */

/**
 * Where sixteen bytes of 15 lie. Loaded once and kept in a register: a constant would be built anew, by three
 * instructions, at every use.
 */
const NIBBLE_MASK: usize = 8192

// @ts-ignore: decorator
@inline
export function nibbleMask(): v128 {
  return v128.load(NIBBLE_MASK)
}

/** Sixteen table look-ups at once. Every index is below 16, so both instructions give the same bytes. */
// @ts-ignore: decorator
@inline
export function lookup(table: v128, index: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD
    ? i8x16.relaxed_swizzle(table, index)
    : i8x16.swizzle(table, index)
}

/** The low nibble of each byte. */
// @ts-ignore: decorator
@inline
export function low(x: v128, mask: v128): v128 {
  return v128.and(x, mask)
}

/** The high nibble of each byte, as a number below 16. */
// @ts-ignore: decorator
@inline
export function high(x: v128, mask: v128): v128 {
  return v128.and(i16x8.shr_u(x, 4), mask)
}
