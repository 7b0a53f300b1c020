/**
 * Fr32 padding (Filecoin): each 127 bytes become four little-endian numbers of 254 bits in 32 bytes each, so that two
 * zero bits follow every 254.
 */
const QUAD_BYTES: usize = 127
const PADDED_QUAD_BYTES: usize = 128

/** The upper half of a number without its two highest bits. */
const UPPER_MASK = memory.data<u64>([0xffffffffffffffff, 0x3fffffffffffffff], 16)

/** Pads `quads` times 127 bytes. Reads up to 9 bytes behind the input. */
export function expand(input: usize, quads: u32, output: usize): void {
  const mask = v128.load(UPPER_MASK)
  for (let i: u32 = 0; i < quads; i++) {
    v128.store(output, v128.load(input))
    v128.store(output, v128.and(v128.load(input, 16), mask), 16)
    shifted(input + 31, 6, output + 32, mask)
    shifted(input + 63, 4, output + 64, mask)
    shifted(input + 95, 2, output + 96, mask)
    input += QUAD_BYTES
    output += PADDED_QUAD_BYTES
  }
}

/** 254 bits from bit `shift` of the byte at `input` on. */
// @ts-ignore: decorator
@inline
function shifted(input: usize, shift: i32, output: usize, mask: v128): void {
  v128.store(output, wordsFrom(input, shift))
  v128.store(output, v128.and(wordsFrom(input + 16, shift), mask), 16)
}

/** Two u64 from bit `shift` on. */
// @ts-ignore: decorator
@inline
function wordsFrom(input: usize, shift: i32): v128 {
  const low = i64x2.shr_u(v128.load(input), shift)
  return v128.or(low, i64x2.shl(v128.load(input + 8), 64 - shift))
}

/** Clears the two highest bits of `count` nodes of 32 bytes: for digests that another hasher made. */
export function truncate(nodes: usize, count: u32): void {
  const mask = v128.load(UPPER_MASK)
  for (let i: u32 = 0; i < count; i++) {
    const upper = nodes + <usize>i * 32 + 16
    v128.store(upper, v128.and(v128.load(upper), mask))
  }
}
