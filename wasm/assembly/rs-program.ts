/**
 * Interpreter of an FFT plan: runs a list of operations over the shards, one column after another, so that all
 * temporaries of a column stay in the first-level cache. The plan is made by src/storage/reed-solomon/fft-plan.ts.
 */
import { high, lookup, low, nibbleMask } from './simd'

/** kind, first result, second result, u, v, table: six u32. */
const OPERATION_BYTES: usize = 24

const FORWARD: u32 = 0
const INVERSE: u32 = 1
const MULTIPLY_ADD: u32 = 2
const XOR: u32 = 3

/**
 * Runs the operations in [program, end) over `bytes` bytes of every shard, `columnBytes` at a time; both are
 * multiples of 64. Operands are addresses: even ones lie in shards and advance with the column, odd ones are
 * temporaries.
 */
export function runProgram(program: usize, end: usize, bytes: usize, columnBytes: usize): void {
  for (let at: usize = 0; at < bytes; at += columnBytes) {
    const length = min(columnBytes, bytes - at)
    for (let op = program; op < end; op += OPERATION_BYTES) {
      const d = place(load<u32>(op, 4), at)
      const e = place(load<u32>(op, 8), at)
      const u = place(load<u32>(op, 12), at)
      const v = place(load<u32>(op, 16), at)
      const table = <usize>load<u32>(op, 20)
      switch (load<u32>(op)) {
        case FORWARD:
          forward(d, e, u, v, table, length)
          break
        case INVERSE:
          inverse(d, e, u, v, table, length)
          break
        case MULTIPLY_ADD:
          multiplyAdd(d, u, v, table, length)
          break
        case XOR:
          xor(d, u, v, length)
          break
        default:
          memory.copy(d, u, length)
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function place(address: usize, at: usize): usize {
  return address & 1 ? address - 1 : address + at
}

// @ts-ignore: decorator
@inline
function product(tableLow: v128, tableHigh: v128, mask: v128, x: v128): v128 {
  return v128.xor(lookup(tableLow, low(x, mask)), lookup(tableHigh, high(x, mask)))
}

/** d = u ^ s*v, e = d ^ v */
function forward(d: usize, e: usize, u: usize, v: usize, table: usize, length: usize): void {
  const tableLow = v128.load(table)
  const tableHigh = v128.load(table, 16)
  const mask = nibbleMask()
  for (const end = u + length; u < end; u += 64, v += 64, d += 64, e += 64) {
    const v0 = v128.load(v)
    const v1 = v128.load(v, 16)
    const v2 = v128.load(v, 32)
    const v3 = v128.load(v, 48)
    const p0 = v128.xor(v128.load(u), product(tableLow, tableHigh, mask, v0))
    const p1 = v128.xor(v128.load(u, 16), product(tableLow, tableHigh, mask, v1))
    const p2 = v128.xor(v128.load(u, 32), product(tableLow, tableHigh, mask, v2))
    const p3 = v128.xor(v128.load(u, 48), product(tableLow, tableHigh, mask, v3))
    v128.store(d, p0)
    v128.store(d, p1, 16)
    v128.store(d, p2, 32)
    v128.store(d, p3, 48)
    v128.store(e, v128.xor(p0, v0))
    v128.store(e, v128.xor(p1, v1), 16)
    v128.store(e, v128.xor(p2, v2), 32)
    v128.store(e, v128.xor(p3, v3), 48)
  }
}

/** e = u ^ v, d = u ^ s*e */
function inverse(d: usize, e: usize, u: usize, v: usize, table: usize, length: usize): void {
  const tableLow = v128.load(table)
  const tableHigh = v128.load(table, 16)
  const mask = nibbleMask()
  for (const end = u + length; u < end; u += 64, v += 64, d += 64, e += 64) {
    const u0 = v128.load(u)
    const u1 = v128.load(u, 16)
    const u2 = v128.load(u, 32)
    const u3 = v128.load(u, 48)
    const q0 = v128.xor(u0, v128.load(v))
    const q1 = v128.xor(u1, v128.load(v, 16))
    const q2 = v128.xor(u2, v128.load(v, 32))
    const q3 = v128.xor(u3, v128.load(v, 48))
    v128.store(e, q0)
    v128.store(e, q1, 16)
    v128.store(e, q2, 32)
    v128.store(e, q3, 48)
    v128.store(d, v128.xor(u0, product(tableLow, tableHigh, mask, q0)))
    v128.store(d, v128.xor(u1, product(tableLow, tableHigh, mask, q1)), 16)
    v128.store(d, v128.xor(u2, product(tableLow, tableHigh, mask, q2)), 32)
    v128.store(d, v128.xor(u3, product(tableLow, tableHigh, mask, q3)), 48)
  }
}

/** d = u ^ s*v */
function multiplyAdd(d: usize, u: usize, v: usize, table: usize, length: usize): void {
  const tableLow = v128.load(table)
  const tableHigh = v128.load(table, 16)
  const mask = nibbleMask()
  for (const end = u + length; u < end; u += 64, v += 64, d += 64) {
    const p0 = v128.xor(v128.load(u), product(tableLow, tableHigh, mask, v128.load(v)))
    const p1 = v128.xor(v128.load(u, 16), product(tableLow, tableHigh, mask, v128.load(v, 16)))
    const p2 = v128.xor(v128.load(u, 32), product(tableLow, tableHigh, mask, v128.load(v, 32)))
    const p3 = v128.xor(v128.load(u, 48), product(tableLow, tableHigh, mask, v128.load(v, 48)))
    v128.store(d, p0)
    v128.store(d, p1, 16)
    v128.store(d, p2, 32)
    v128.store(d, p3, 48)
  }
}

/** d = u ^ v */
function xor(d: usize, u: usize, v: usize, length: usize): void {
  for (const end = u + length; u < end; u += 64, v += 64, d += 64) {
    const x0 = v128.xor(v128.load(u), v128.load(v))
    const x1 = v128.xor(v128.load(u, 16), v128.load(v, 16))
    const x2 = v128.xor(v128.load(u, 32), v128.load(v, 32))
    const x3 = v128.xor(v128.load(u, 48), v128.load(v, 48))
    v128.store(d, x0)
    v128.store(d, x1, 16)
    v128.store(d, x2, 32)
    v128.store(d, x3, 48)
  }
}
