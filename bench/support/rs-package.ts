/**
 * The npm package reed-solomon-erasure.wasm as its users call it. One instance is never used for two reconstructions:
 * its glue frees the flags that the wasm has freed already, and later calls give wrong bytes.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ReedSolomonErasure } from 'reed-solomon-erasure.wasm'
import { assert } from '../../src/base/assert.ts'

const WASM_FILE = 'reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm'
const WASM = readFileSync(createRequire(import.meta.url).resolve(WASM_FILE))

/** A fresh instance: a tenth of a millisecond. */
export function newInstance(): ReedSolomonErasure {
  return ReedSolomonErasure.fromBytes(WASM)
}

/** Fills the parity shards in place. Any number of calls may share an instance. */
export function packageEncode(
  instance: ReedSolomonErasure,
  shards: Uint8Array,
  { k, n }: { k: number; n: number }
): void {
  const result = instance.encode(shards, k, n - k)
  assert(result === ReedSolomonErasure.RESULT_OK, `reed-solomon-erasure.wasm: ${result}`)
}

/** Restores the data shards that are not present, in place, on an instance of its own. */
export function packageReconstruct(
  shards: Uint8Array,
  { k, n }: { k: number; n: number },
  present: readonly boolean[]
): void {
  const result = newInstance().reconstruct(shards, k, n - k, [...present])
  assert(result === ReedSolomonErasure.RESULT_OK, `reed-solomon-erasure.wasm: ${result}`)
}
