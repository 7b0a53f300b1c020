/** The package whose bytes ours must equal, and losing shards. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ReedSolomonErasure } from 'reed-solomon-erasure.wasm'

let peer: ReedSolomonErasure | undefined

/** Fills shards k..n-1 with the parity of the npm package. */
export function encodeByPeer(shards: Uint8Array, k: number, n: number): void {
  peer ??= ReedSolomonErasure.fromBytes(
    readFileSync(
      createRequire(import.meta.url).resolve(
        'reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm'
      )
    )
  )
  assert.equal(peer.encode(shards, k, n - k), ReedSolomonErasure.RESULT_OK)
}

/** n flags, false for the lost ones. */
export function presentWithout(n: number, lost: readonly number[]): boolean[] {
  const present = new Array<boolean>(n).fill(true)
  for (const shard of lost) present[shard] = false
  return present
}

/** Overwrites the shards that are not present, so that nothing can be read back from them. */
export function erase(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void {
  for (const [shard, here] of present.entries()) {
    if (!here) shards.fill(0xa5, shard * shareBytes, (shard + 1) * shareBytes)
  }
}
