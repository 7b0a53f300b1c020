/** Vectors of four 32-bit words, one of each of four messages. */

// @ts-ignore: decorator
@inline
export function rotateRight(x: v128, by: i32): v128 {
  return v128.or(i32x4.shr_u(x, by), i32x4.shl(x, 32 - by))
}

/** Byte i becomes byte order[i]; every index is below 16, so both instructions give the same bytes. */
// @ts-ignore: decorator
@inline
export function shuffleBytes(x: v128, order: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(x, order) : i8x16.swizzle(x, order)
}

/** Four vectors, `inputStride` bytes apart, as rows of a matrix: its columns, `outputStride` bytes apart. */
// @ts-ignore: decorator
@inline
export function transpose(
  input: usize,
  inputStride: usize,
  outputStride: usize,
  output: usize
): void {
  const a = v128.load(input)
  const b = v128.load(input + inputStride)
  const c = v128.load(input + 2 * inputStride)
  const d = v128.load(input + 3 * inputStride)
  const abLow = v128.shuffle<i32>(a, b, 0, 4, 1, 5)
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7)
  const cdLow = v128.shuffle<i32>(c, d, 0, 4, 1, 5)
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7)
  v128.store(output, v128.shuffle<i64>(abLow, cdLow, 0, 2))
  v128.store(output + outputStride, v128.shuffle<i64>(abLow, cdLow, 1, 3))
  v128.store(output + 2 * outputStride, v128.shuffle<i64>(abHigh, cdHigh, 0, 2))
  v128.store(output + 3 * outputStride, v128.shuffle<i64>(abHigh, cdHigh, 1, 3))
}
