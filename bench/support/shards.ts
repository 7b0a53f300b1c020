/** Shards with the parity that the package computes, and which of them a decode has. */
import type { Profile } from '../../src/storage/index.ts'
import { randomBytes } from './bytes.ts'
import { newInstance, packageEncode } from './rs-package.ts'

export const DECODE_OPS = ['decode', 'decode-run'] as const
export type ErasureOp = 'encode' | (typeof DECODE_OPS)[number]

/** Which shards are there; see the header of erasure.bench.ts. */
export function presentFor(op: ErasureOp, { k, n }: Profile): boolean[] {
  const lost = Math.min(k, n - k)
  const present = Array.from({ length: n }, (_, i) => i >= lost)
  if (op === 'decode-run') return present
  // Spread over the parity shards by the golden ratio: any ones, the same every time, no k in a row.
  const survivors = new Set<number>()
  for (let at = 1; survivors.size < lost; at++) {
    survivors.add(k + Math.floor(((at * 0.618_033_988_7) % 1) * (n - k)))
  }
  return present.map((there, i) => there && (i < k || survivors.has(i)))
}

export interface Shards extends Profile {
  /** One run of n shards after the other. */
  bytes: Uint8Array
  shareBytes: number
  runs: number
}

/** Random data with the parity that the package computes. */
export function filled(shape: Omit<Shards, 'bytes'>): Shards {
  const { n, shareBytes, runs } = shape
  const shards = { ...shape, bytes: randomBytes(runs * n * shareBytes) }
  const instance = newInstance()
  for (let run = 0; run < runs; run++) packageEncode(instance, runOf(shards, run), shape)
  return shards
}

export function runOf({ bytes, n, shareBytes }: Shards, run: number): Uint8Array {
  return bytes.subarray(run * n * shareBytes, (run + 1) * n * shareBytes)
}

/** Of the first run. */
export function shareOf({ bytes, shareBytes }: Shards, index: number): Uint8Array {
  return bytes.subarray(index * shareBytes, (index + 1) * shareBytes)
}
