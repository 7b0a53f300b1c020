/**
 * Filecoin's piece tree over a stream: Fr32-padded, then filled with zeros to a power of two of nodes. Blocks of 1,024
 * quads become subtrees of their own; of those only the left ones that still wait for a right one are kept.
 */
import { ZERO_HASH } from '../../base/hash.ts'
import { HASH_BYTES } from '../../base/limits.ts'
import {
  type Area,
  BLOCK_BYTES,
  BLOCK_QUADS,
  NODES_PER_QUAD,
  otherArea,
  PADDED_QUAD_BYTES,
  type PieceKernel,
  QUAD_BYTES
} from './piece-kernel.ts'

export interface PieceRoot {
  /** 32 bytes. */
  root: Uint8Array
  /** Levels of the tree above the nodes of 32 bytes. */
  height: number
  /** Bytes of the piece. */
  bytes: number
  /** 32 * 2 ** height. */
  paddedBytes: number
}

export class PieceTree {
  readonly #kernel: PieceKernel
  /** Room for one block, made when bytes of an unfinished block have to be kept. */
  #pending: Uint8Array | undefined
  #pendingBytes = 0
  #bytes = 0
  /** For each level above the blocks, the root of the subtree that has no right neighbour yet. */
  readonly #waiting: (Uint8Array | undefined)[] = []

  constructor(kernel: PieceKernel) {
    this.#kernel = kernel
  }

  update(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    let rest = bytes
    if (this.#pendingBytes > 0) {
      const missing = BLOCK_BYTES - this.#pendingBytes
      this.#keep(bytes.subarray(0, missing))
      rest = bytes.subarray(missing)
      if (this.#pendingBytes < BLOCK_BYTES) return
      this.#hashBlock(this.#pending!)
      this.#pendingBytes = 0
    }
    for (; rest.length >= BLOCK_BYTES; rest = rest.subarray(BLOCK_BYTES)) {
      this.#hashBlock(rest.subarray(0, BLOCK_BYTES))
    }
    if (rest.length > 0) this.#keep(rest)
  }

  finish(): PieceRoot {
    const quads = 2 ** Math.ceil(Math.log2(Math.max(1, Math.ceil(this.#bytes / QUAD_BYTES))))
    const paddedBytes = quads * PADDED_QUAD_BYTES
    const height = Math.log2(paddedBytes / HASH_BYTES)
    const root = quads <= BLOCK_QUADS ? this.#rootOfOnly(quads) : this.#rootOfBlocks()
    return { root, height, bytes: this.#bytes, paddedBytes }
  }

  #keep(bytes: Uint8Array): void {
    this.#pending ??= new Uint8Array(BLOCK_BYTES)
    this.#pending.set(bytes, this.#pendingBytes)
    this.#pendingBytes += bytes.length
  }

  /** The piece is at most one block, which was hashed if it was full. */
  #rootOfOnly(quads: number): Uint8Array {
    return this.#waiting[0] ?? this.#rootOfRest(quads)
  }

  #rootOfBlocks(): Uint8Array {
    if (this.#pendingBytes > 0) this.#push(this.#rootOfRest(BLOCK_QUADS))
    let zeros = this.#rootOfZeros()
    for (let level = 0; this.#waiting.filter(root => root !== undefined).length > 1; level++) {
      if (this.#waiting[level] !== undefined) this.#push(zeros, level)
      zeros = this.#merge(zeros, zeros)
    }
    return this.#waiting.at(-1)!
  }

  #hashBlock(bytes: Uint8Array): void {
    this.#kernel.raw.set(bytes)
    this.#push(this.#rootOfRaw(BLOCK_QUADS))
  }

  /** Joins the root of the next subtree of a level with those that waited for it. */
  #push(root: Uint8Array, firstLevel = 0): void {
    let node = root
    let level = firstLevel
    for (let left = this.#waiting[level]; left !== undefined; left = this.#waiting[++level]) {
      node = this.#merge(left, node)
      this.#waiting[level] = undefined
    }
    this.#waiting[level] = node
  }

  /** @param quads a power of two that holds the rest; zeros follow it */
  #rootOfRest(quads: number): Uint8Array {
    if (this.#pendingBytes > 0) {
      this.#kernel.raw.set(this.#pending!.subarray(0, this.#pendingBytes))
    }
    this.#kernel.raw.fill(0, this.#pendingBytes, quads * QUAD_BYTES)
    return this.#rootOfRaw(quads)
  }

  /** Root of a block of zeros: Fr32 padding leaves zeros as they are. */
  #rootOfZeros(): Uint8Array {
    let node: Uint8Array = ZERO_HASH
    for (let nodes = BLOCK_QUADS * NODES_PER_QUAD; nodes > 1; nodes /= 2) {
      node = this.#merge(node, node)
    }
    return node
  }

  #rootOfRaw(quads: number): Uint8Array {
    this.#kernel.expand(quads)
    let area: Area = 0
    for (let pairs = (quads * NODES_PER_QUAD) / 2; pairs >= 1; pairs /= 2) {
      this.#kernel.hashPairs(area, pairs)
      area = otherArea(area)
    }
    return this.#kernel.areas[area].slice(0, HASH_BYTES)
  }

  #merge(left: Uint8Array, right: Uint8Array): Uint8Array {
    const [nodes, above] = this.#kernel.areas
    nodes.set(left)
    nodes.set(right, HASH_BYTES)
    this.#kernel.hashPairs(0, 1)
    return above.slice(0, HASH_BYTES)
  }
}
