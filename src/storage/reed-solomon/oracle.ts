/**
 * The code in plain JavaScript: what the WebAssembly kernels must equal byte by byte, and what runs where they cannot.
 * Works on anything that hands out shards, changes only the shards it is asked for.
 */
import { products } from './field.ts'
import { lagrangeRows } from './rows.ts'

export type ShardAt = (index: number) => Uint8Array

/** Fills shards k..n-1 from shards 0..k-1. All have one length. */
export function encodeShards(k: number, n: number, shard: ShardAt): void {
  interpolate(range(0, k), range(k, n), shard)
}

/** Fills `targets` from the shards `known`: exactly k of them, all of one length. */
export function interpolate(
  known: readonly number[],
  targets: readonly number[],
  shard: ShardAt
): void {
  lagrangeRows(known, targets).forEach((row, i) => {
    const output = shard(targets[i]!).fill(0)
    known.forEach((point, j) => {
      addProduct(output, products(row[j]!), shard(point))
    })
  })
}

function addProduct(output: Uint8Array, table: Uint8Array, input: Uint8Array): void {
  for (let i = 0; i < output.length; i++) output[i]! ^= table[input[i]!]!
}

/** first, first + 1, .. end - 1 */
export function range(first: number, end: number): number[] {
  return Array.from({ length: end - first }, (_, i) => first + i)
}
