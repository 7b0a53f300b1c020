/** The tree on the plain TypeScript compression: readable oracle, and what runs where no WebAssembly SIMD does. */
import { HASH_BYTES, LEAF_BYTES } from '../base/limits.ts'
import type { FallbackReason } from '../base/wasm-module.ts'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  CV_WORDS,
  compressBlocks,
  FLAG_CHUNK_END,
  FLAG_CHUNK_START,
  FLAG_PARENT,
  FLAG_ROOT
} from './blake3-kernel.ts'
import { BATCH_BYTES, NODES_MAX, type TreeKernel } from './tree-kernel.ts'

const CHUNK_WORDS = LEAF_BYTES / 4

export class JavaScriptTreeKernel implements TreeKernel {
  readonly implementation = 'javascript'
  readonly fallbackReason: FallbackReason | undefined
  readonly memoryBytes = 0
  readonly input: Uint8Array = new Uint8Array(BATCH_BYTES)
  readonly nodes: Uint8Array = new Uint8Array(NODES_MAX * HASH_BYTES)
  readonly #message = new Uint32Array(this.input.buffer)
  readonly #cvs = new Uint32Array(this.nodes.buffer)

  constructor(fallbackReason?: FallbackReason) {
    this.fallbackReason = fallbackReason
  }

  hashChunks(bytes: number, firstChunk: number, isRoot: boolean): number {
    const chunks = Math.max(1, Math.ceil(bytes / LEAF_BYTES))
    const lastBytes = bytes - (chunks - 1) * LEAF_BYTES
    const lastBlocks = Math.max(1, Math.ceil(lastBytes / BLOCK_BYTES))
    this.input.fill(0, bytes, (chunks - 1) * LEAF_BYTES + lastBlocks * BLOCK_BYTES)
    const endFlags = FLAG_CHUNK_END | (isRoot ? FLAG_ROOT : 0)
    for (let i = 0; i < chunks; i++) {
      const isLast = i === chunks - 1
      compressBlocks(
        this.#message,
        i * CHUNK_WORDS,
        isLast ? lastBlocks : LEAF_BYTES / BLOCK_BYTES,
        isLast ? lastBytes - (lastBlocks - 1) * BLOCK_BYTES : BLOCK_BYTES,
        firstChunk + i,
        FLAG_CHUNK_START,
        endFlags,
        this.#cvs,
        i * CV_WORDS
      )
    }
    return chunks
  }

  mergePairs(count: number, isRoot: boolean): number {
    const cvs = this.#cvs
    const pairs = count >> 1
    const flags = FLAG_PARENT | (isRoot ? FLAG_ROOT : 0)
    for (let i = 0; i < pairs; i++) {
      compressBlocks(cvs, i * BLOCK_WORDS, 1, BLOCK_BYTES, 0, flags, 0, cvs, i * CV_WORDS)
    }
    if (count % 2 === 0) return pairs
    cvs.copyWithin(pairs * CV_WORDS, (count - 1) * CV_WORDS, count * CV_WORDS)
    return pairs + 1
  }
}
