/**
 * A kernel whose pairs are hashed by @chainsafe/hashtree, a native module with the CPU's SHA instructions, where the
 * user has installed it: about three times as fast. It is no dependency of this package.
 */
import { createRequire } from 'node:module'
import { equal } from '../../base/bytes.ts'
import { sha256 } from '../../base/hash.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import type { FallbackReason, Implementation } from '../../base/wasm-module.ts'
import { type Area, otherArea, type PieceKernel } from './piece-kernel.ts'

const HASHTREE = '@chainsafe/hashtree'
const PAIR_BYTES: number = 2 * HASH_BYTES

/** The part of the module that is used. */
export interface Hashtree {
  /** output[i] = SHA-256 of the i-th 64 bytes of input. */
  hashInto(input: Uint8Array, output: Uint8Array): void
}

/** The module, or undefined where it is not installed, has no build for this machine or hashes wrongly. */
export function loadHashtree(): Hashtree | undefined {
  let found: Partial<Hashtree>
  try {
    found = createRequire(import.meta.url)(HASHTREE)
  } catch {
    return undefined
  }
  return isHashtree(found) && hashesRightly(found) ? found : undefined
}

function isHashtree(module: Partial<Hashtree>): module is Hashtree {
  return typeof module.hashInto === 'function'
}

function hashesRightly({ hashInto }: Hashtree): boolean {
  const pair = Uint8Array.from({ length: PAIR_BYTES }, (_, i) => i)
  const node = new Uint8Array(HASH_BYTES)
  try {
    hashInto(pair, node)
  } catch {
    return false
  }
  return equal(node, sha256(pair))
}

export class HashtreePieceKernel implements PieceKernel {
  readonly implementation: Implementation
  readonly pairHasher = 'hashtree'
  readonly fallbackReason: FallbackReason | undefined
  readonly memoryBytes: number
  readonly raw: Uint8Array
  readonly areas: readonly [Uint8Array, Uint8Array]
  readonly #base: PieceKernel
  readonly #hashtree: Hashtree

  /** @param base does all but the pairs */
  constructor(base: PieceKernel, hashtree: Hashtree) {
    this.implementation = base.implementation
    this.fallbackReason = base.fallbackReason
    this.memoryBytes = base.memoryBytes
    this.raw = base.raw
    this.areas = base.areas
    this.#base = base
    this.#hashtree = hashtree
  }

  expand(quads: number): void {
    this.#base.expand(quads)
  }

  hashPairs(from: Area, pairs: number): void {
    const above = otherArea(from)
    this.#hashtree.hashInto(
      this.areas[from].subarray(0, pairs * PAIR_BYTES),
      this.areas[above].subarray(0, pairs * HASH_BYTES)
    )
    this.#base.truncate(above, pairs)
  }

  truncate(area: Area, count: number): void {
    this.#base.truncate(area, count)
  }
}
