/** The tree on wasm/assembly/blake3.ts: four chunks or parents at a time. */
import { assert } from '../base/assert.ts'
import { HASH_BYTES, LEAF_BYTES } from '../base/limits.ts'
import { type FallbackReason, type KernelBuild, loadKernel } from '../base/wasm-module.ts'
import { FLAG_PARENT, FLAG_ROOT } from './blake3-kernel.ts'
import { BATCH_BYTES, NODES_MAX, type TreeKernel } from './tree-kernel.ts'

/** The module's name in wasm/build.ts. */
const KERNEL_NAME = 'blake3'
/** Lanes without a chunk or pair of their own read and write up to this much behind an area. */
const SLACK_BYTES = 4096
/** Tables and work space of the kernel. */
const KERNEL_BYTES = 4096
const COUNTER_LOW_RANGE = 2 ** 32

interface KernelExports {
  freeMemory(): number
  hashChunks(
    input: number,
    bytes: number,
    firstLow: number,
    firstHigh: number,
    endFlags: number,
    cvs: number
  ): void
  mergePairs(nodes: number, count: number, flags: number): void
}

const NODES_ADDRESS = KERNEL_BYTES
const INPUT_ADDRESS = NODES_ADDRESS + NODES_MAX * HASH_BYTES + SLACK_BYTES
const MEMORY_BYTES = INPUT_ADDRESS + BATCH_BYTES + SLACK_BYTES

export class WasmTreeKernel implements TreeKernel {
  readonly implementation: KernelBuild
  readonly fallbackReason: FallbackReason | undefined
  readonly memoryBytes: number
  readonly input: Uint8Array
  readonly nodes: Uint8Array
  readonly #kernel: KernelExports

  /** @throws KernelUnavailableError */
  constructor(build: KernelBuild, fallbackReason?: FallbackReason) {
    this.implementation = build
    this.fallbackReason = fallbackReason
    const kernel = loadKernel<KernelExports>(KERNEL_NAME, build, MEMORY_BYTES)
    assert(kernel.freeMemory() <= KERNEL_BYTES, 'the areas lie behind the kernel')
    const { buffer } = kernel.memory
    this.#kernel = kernel
    this.memoryBytes = buffer.byteLength
    this.input = new Uint8Array(buffer, INPUT_ADDRESS, BATCH_BYTES)
    this.nodes = new Uint8Array(buffer, NODES_ADDRESS, NODES_MAX * HASH_BYTES)
  }

  hashChunks(bytes: number, firstChunk: number, isRoot: boolean): number {
    const high = Math.floor(firstChunk / COUNTER_LOW_RANGE)
    const flags = isRoot ? FLAG_ROOT : 0
    this.#kernel.hashChunks(INPUT_ADDRESS, bytes, firstChunk, high, flags, NODES_ADDRESS)
    return Math.max(1, Math.ceil(bytes / LEAF_BYTES))
  }

  mergePairs(count: number, isRoot: boolean): number {
    this.#kernel.mergePairs(NODES_ADDRESS, count, FLAG_PARENT | (isRoot ? FLAG_ROOT : 0))
    return (count + 1) >> 1
  }
}
