/** The piece tree in plain JavaScript and node:crypto: readable oracle, and what runs without WebAssembly SIMD. */
import { sha256 } from '../../base/hash.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import type { FallbackReason } from '../../base/wasm-module.ts'
import {
  AREA_BYTES,
  type Area,
  BLOCK_BYTES,
  NODES_PER_QUAD,
  otherArea,
  PADDED_QUAD_BYTES,
  type PieceKernel,
  QUAD_BYTES
} from './piece-kernel.ts'

/** The last byte of a node without the two highest bits. */
const LAST_BYTE_MASK = 0x3f
const PAIR_BYTES: number = 2 * HASH_BYTES
const NODE_BITS = 254

export class JavaScriptPieceKernel implements PieceKernel {
  readonly implementation = 'javascript'
  readonly pairHasher = 'javascript'
  readonly fallbackReason: FallbackReason | undefined
  readonly memoryBytes = 0
  readonly raw: Uint8Array = new Uint8Array(BLOCK_BYTES)
  readonly areas: readonly [Uint8Array, Uint8Array] = [
    new Uint8Array(AREA_BYTES),
    new Uint8Array(AREA_BYTES)
  ]

  constructor(fallbackReason?: FallbackReason) {
    this.fallbackReason = fallbackReason
  }

  expand(quads: number): void {
    for (let i = 0; i < quads; i++) {
      const quad = this.raw.subarray(i * QUAD_BYTES, (i + 1) * QUAD_BYTES)
      for (let node = 0; node < NODES_PER_QUAD; node++) {
        expandNode(quad, node, this.areas[0], i * PADDED_QUAD_BYTES + node * HASH_BYTES)
      }
    }
  }

  hashPairs(from: Area, pairs: number): void {
    const nodes = this.areas[from]
    const above = this.areas[otherArea(from)]
    for (let i = 0; i < pairs; i++) {
      above.set(sha256(nodes.subarray(i * PAIR_BYTES, (i + 1) * PAIR_BYTES)), i * HASH_BYTES)
    }
    this.truncate(otherArea(from), pairs)
  }

  truncate(area: Area, count: number): void {
    const nodes = this.areas[area]
    for (let last = HASH_BYTES - 1; last < count * HASH_BYTES; last += HASH_BYTES) {
      nodes[last]! &= LAST_BYTE_MASK
    }
  }
}

/** Node `index` of a quad: 254 bits from bit 254 * index on, least significant bits first. */
function expandNode(quad: Uint8Array, index: number, out: Uint8Array, outAt: number): void {
  const from = Math.floor((index * NODE_BITS) / 8)
  const shift = (index * NODE_BITS) % 8
  for (let i = 0; i < HASH_BYTES; i++) {
    const low = quad[from + i]! >> shift
    const high = (quad[from + i + 1] ?? 0) << (8 - shift)
    out[outAt + i] = low | high
  }
  out[outAt + HASH_BYTES - 1]! &= LAST_BYTE_MASK
}
