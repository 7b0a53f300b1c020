/**
 * Filecoin's piece CIDs, for tools and contracts that speak them. v1: CIDv1, codec fil-commitment-unsealed, multihash
 * sha2-256-trunc254-padded. v2 (FRC-0069): CIDv1, codec raw, multihash fr32-sha256-trunc254-padbintree, whose digest is
 * padding (varint) || height (one byte) || root, so that it also says how long the piece is.
 */
import { varint } from 'multiformats'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create } from 'multiformats/hashes/digest'
import { assert } from '../../base/assert.ts'
import { concat } from '../../base/bytes.ts'
import {
  chooseImplementation,
  type FallbackReason,
  type Implementation
} from '../../base/wasm-module.ts'
import { HashtreePieceKernel, loadHashtree } from './hashtree-piece-kernel.ts'
import { JavaScriptPieceKernel } from './javascript-piece-kernel.ts'
import { PADDED_QUAD_BYTES, type PieceKernel, QUAD_BYTES } from './piece-kernel.ts'
import { PieceTree } from './piece-tree.ts'
import { WasmPieceKernel } from './wasm-piece-kernel.ts'

const FIL_COMMITMENT_UNSEALED_CODE = 0xf101
const SHA256_TRUNC254_PADDED_CODE = 0x1012
const FR32_SHA256_TRUNC254_PADBINTREE_CODE = 0x1011

export interface PieceCid {
  /** "baga6ea4seaq…": says nothing about the length. */
  v1: string
  /** "bafkzcib…" */
  v2: string
  /** Length of the piece. */
  bytes: number
  /** Length after Fr32 padding and zeros to a power of two, at least 128. */
  paddedBytes: number
}

export interface PieceCidHasher {
  readonly implementation: Implementation
  /** Why a faster implementation is not running; undefined when the fastest one is. */
  readonly fallbackReason: FallbackReason | undefined
  /** What hashes the pairs of nodes: the implementation, or the native module. */
  readonly pairHasher: Implementation | 'hashtree'
  /** Memory of the kernel, which all hashers of a thread share; 0 for plain JavaScript. */
  readonly memoryBytes: number
  /** Appends bytes; they may be reused after the call. */
  update(bytes: Uint8Array): void
  /** Ends the piece; no call may follow. An empty piece counts as zeros. */
  finish(): PieceCid
}

export interface PieceCidOptions {
  /** Run this implementation and no other. @default the fastest that this machine runs */
  implementation?: Implementation
  /** Let @chainsafe/hashtree hash the pairs where it is installed. @default true */
  hashtree?: boolean
}

/**
 * The piece CIDs of bytes that arrive in splits of any size. Holds one block of 127 KiB and 32 bytes per level.
 * @throws HoldfastError INVALID_ARGUMENT when `options.implementation` does not run here
 */
export function createPieceCid(options: PieceCidOptions = {}): PieceCidHasher {
  const { implementation, hashtree = true } = options
  return new StreamingPieceCid(kernelFor(implementation, hashtree))
}

/** Kernels keep nothing between calls: one of each kind serves the whole thread. */
const kernels = new Map<string, PieceKernel>()

function kernelFor(only: Implementation | undefined, hashtree: boolean): PieceKernel {
  const key = `${only} ${hashtree}`
  let kernel = kernels.get(key)
  if (kernel === undefined) {
    const native = hashtree ? loadHashtree() : undefined
    const base = makeKernel(only)
    kernel = native === undefined ? base : new HashtreePieceKernel(base, native)
    kernels.set(key, kernel)
  }
  return kernel
}

function makeKernel(only: Implementation | undefined): PieceKernel {
  return chooseImplementation<PieceKernel>(only, (implementation, fallback) =>
    implementation === 'javascript'
      ? new JavaScriptPieceKernel(fallback)
      : new WasmPieceKernel(implementation, fallback)
  )
}

class StreamingPieceCid implements PieceCidHasher {
  readonly implementation: Implementation
  readonly fallbackReason: FallbackReason | undefined
  readonly pairHasher: Implementation | 'hashtree'
  readonly memoryBytes: number
  readonly #tree: PieceTree
  #isFinished = false

  constructor(kernel: PieceKernel) {
    this.implementation = kernel.implementation
    this.fallbackReason = kernel.fallbackReason
    this.pairHasher = kernel.pairHasher
    this.memoryBytes = kernel.memoryBytes
    this.#tree = new PieceTree(kernel)
  }

  update(bytes: Uint8Array): void {
    assert(!this.#isFinished, 'the piece is finished')
    this.#tree.update(bytes)
  }

  finish(): PieceCid {
    assert(!this.#isFinished, 'the piece is finished')
    this.#isFinished = true
    const { root, height, bytes, paddedBytes } = this.#tree.finish()
    const padding = (paddedBytes / PADDED_QUAD_BYTES) * QUAD_BYTES - bytes
    return { v1: cidV1(root), v2: cidV2(root, height, padding), bytes, paddedBytes }
  }
}

function cidV1(root: Uint8Array): string {
  const digest = create(SHA256_TRUNC254_PADDED_CODE, root)
  return CID.createV1(FIL_COMMITMENT_UNSEALED_CODE, digest).toString()
}

function cidV2(root: Uint8Array, height: number, padding: number): string {
  const paddingBytes = varint.encodeTo(padding, new Uint8Array(varint.encodingLength(padding)))
  const digest = concat(paddingBytes, Uint8Array.of(height), root)
  return CID.createV1(raw.code, create(FR32_SHA256_TRUNC254_PADBINTREE_CODE, digest)).toString()
}
