/**
 * Matrix times shards over GF(2^8): decode, repair, and encode where few parity shares are wanted. Up to six outputs
 * are accumulated in registers per pass over the inputs, two vectors wide.
 */
import { high, lookup, low, nibbleMask } from './simd'

/** Low-nibble and high-nibble products of one coefficient. */
const TABLE_BYTES: usize = 32
const OUTPUTS_PER_PASS_MAX: u32 = 6

/**
 * outputs[o] = sum over i of coefficient[o][i] * inputs[i], for `bytes` bytes (a multiple of 32), `columnBytes` at a
 * time. `inputs` and `outputs` point to lists of u32 addresses. The outputs are cut into ceil(count / 6) groups of
 * equal size, larger ones first; `tables` holds, group by group, the table of every (input, output of the group).
 */
export function runMatrix(
  inputs: usize,
  inputCount: u32,
  outputs: usize,
  outputCount: u32,
  tables: usize,
  bytes: usize,
  columnBytes: usize
): void {
  const groups = (outputCount + OUTPUTS_PER_PASS_MAX - 1) / OUTPUTS_PER_PASS_MAX
  const lastInput = inputs + (<usize>inputCount << 2)
  for (let at: usize = 0; at < bytes; at += columnBytes) {
    const end = min(at + columnBytes, bytes)
    let table = tables
    let first: u32 = 0
    for (let group: u32 = 0; group < groups; group++) {
      const size = (outputCount - first + (groups - group) - 1) / (groups - group)
      const list = outputs + (<usize>first << 2)
      switch (size) {
        case 1:
          pass(1, inputs, lastInput, list, table, at, end)
          break
        case 2:
          pass(2, inputs, lastInput, list, table, at, end)
          break
        case 3:
          pass(3, inputs, lastInput, list, table, at, end)
          break
        case 4:
          pass(4, inputs, lastInput, list, table, at, end)
          break
        case 5:
          pass(5, inputs, lastInput, list, table, at, end)
          break
        default:
          pass(6, inputs, lastInput, list, table, at, end)
      }
      table += <usize>(inputCount * size) * TABLE_BYTES
      first += size
    }
  }
}

// @ts-ignore: decorator
@inline
function times(table: usize, offset: usize, lowNibbles: v128, highNibbles: v128): v128 {
  return v128.xor(
    lookup(v128.load(table + offset), lowNibbles),
    lookup(v128.load(table + offset + 16), highNibbles)
  )
}

// @ts-ignore: decorator
@inline
function put(outputs: usize, index: usize, at: usize, first: v128, second: v128): void {
  const address = <usize>load<u32>(outputs + (index << 2)) + at
  v128.store(address, first)
  v128.store(address, second, 16)
}

/** One group of `count` outputs; `count` is a constant, so each call compiles to a loop of its own. */
// @ts-ignore: decorator
@inline
function pass(
  count: u32,
  inputs: usize,
  lastInput: usize,
  outputs: usize,
  tables: usize,
  from: usize,
  to: usize
): void {
  const mask = nibbleMask()
  for (let at = from; at < to; at += 32) {
    let a0 = i64x2.splat(0)
    let b0 = i64x2.splat(0)
    let a1 = i64x2.splat(0)
    let b1 = i64x2.splat(0)
    let a2 = i64x2.splat(0)
    let b2 = i64x2.splat(0)
    let a3 = i64x2.splat(0)
    let b3 = i64x2.splat(0)
    let a4 = i64x2.splat(0)
    let b4 = i64x2.splat(0)
    let a5 = i64x2.splat(0)
    let b5 = i64x2.splat(0)
    let table = tables
    for (let input = inputs; input < lastInput; input += 4) {
      const source = <usize>load<u32>(input) + at
      const x = v128.load(source)
      const y = v128.load(source, 16)
      const xl = low(x, mask)
      const xh = high(x, mask)
      const yl = low(y, mask)
      const yh = high(y, mask)
      a0 = v128.xor(a0, times(table, 0, xl, xh))
      b0 = v128.xor(b0, times(table, 0, yl, yh))
      if (count > 1) {
        a1 = v128.xor(a1, times(table, 32, xl, xh))
        b1 = v128.xor(b1, times(table, 32, yl, yh))
      }
      if (count > 2) {
        a2 = v128.xor(a2, times(table, 64, xl, xh))
        b2 = v128.xor(b2, times(table, 64, yl, yh))
      }
      if (count > 3) {
        a3 = v128.xor(a3, times(table, 96, xl, xh))
        b3 = v128.xor(b3, times(table, 96, yl, yh))
      }
      if (count > 4) {
        a4 = v128.xor(a4, times(table, 128, xl, xh))
        b4 = v128.xor(b4, times(table, 128, yl, yh))
      }
      if (count > 5) {
        a5 = v128.xor(a5, times(table, 160, xl, xh))
        b5 = v128.xor(b5, times(table, 160, yl, yh))
      }
      table += <usize>count * TABLE_BYTES
    }
    put(outputs, 0, at, a0, b0)
    if (count > 1) put(outputs, 1, at, a1, b1)
    if (count > 2) put(outputs, 2, at, a2, b2)
    if (count > 3) put(outputs, 3, at, a3, b3)
    if (count > 4) put(outputs, 4, at, a4, b4)
    if (count > 5) put(outputs, 5, at, a5, b5)
  }
}
