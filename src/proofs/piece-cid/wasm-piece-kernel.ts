/** The piece tree on wasm/assembly/fr32.ts and sha256-pairs.ts: four pairs at a time. */
import { assert } from '../../base/assert.ts'
import { type FallbackReason, type KernelBuild, loadKernel } from '../../base/wasm-module.ts'
import { AREA_BYTES, type Area, BLOCK_BYTES, otherArea, type PieceKernel } from './piece-kernel.ts'

/** The module's name in wasm/build.ts. */
const KERNEL_NAME = 'piece-cid'
/** Tables and work space of the kernel. */
const KERNEL_BYTES = 8192
/** Lanes without a pair of their own read and write up to 192 bytes behind an area. */
const SLACK_BYTES = 256

const AREA_ADDRESSES = [KERNEL_BYTES, KERNEL_BYTES + AREA_BYTES + SLACK_BYTES] as const
const RAW_ADDRESS: number = AREA_ADDRESSES[1] + AREA_BYTES + SLACK_BYTES
const MEMORY_BYTES: number = RAW_ADDRESS + BLOCK_BYTES + SLACK_BYTES

interface KernelExports {
  initialise(): number
  expand(input: number, quads: number, output: number): void
  hashPairs(input: number, pairs: number, nodes: number): void
  truncate(nodes: number, count: number): void
}

export class WasmPieceKernel implements PieceKernel {
  readonly implementation: KernelBuild
  readonly pairHasher: KernelBuild
  readonly fallbackReason: FallbackReason | undefined
  readonly memoryBytes: number
  readonly raw: Uint8Array
  readonly areas: readonly [Uint8Array, Uint8Array]
  readonly #kernel: KernelExports

  /** @throws KernelUnavailableError */
  constructor(build: KernelBuild, fallbackReason?: FallbackReason) {
    this.implementation = build
    this.pairHasher = build
    this.fallbackReason = fallbackReason
    const kernel = loadKernel<KernelExports>(KERNEL_NAME, build, MEMORY_BYTES)
    assert(kernel.initialise() <= KERNEL_BYTES, 'the areas lie behind the kernel')
    const { buffer } = kernel.memory
    this.#kernel = kernel
    this.memoryBytes = buffer.byteLength
    this.raw = new Uint8Array(buffer, RAW_ADDRESS, BLOCK_BYTES)
    this.areas = [
      new Uint8Array(buffer, AREA_ADDRESSES[0], AREA_BYTES),
      new Uint8Array(buffer, AREA_ADDRESSES[1], AREA_BYTES)
    ]
  }

  expand(quads: number): void {
    this.#kernel.expand(RAW_ADDRESS, quads, AREA_ADDRESSES[0])
  }

  hashPairs(from: Area, pairs: number): void {
    this.#kernel.hashPairs(AREA_ADDRESSES[from], pairs, AREA_ADDRESSES[otherArea(from)])
  }

  truncate(area: Area, count: number): void {
    this.#kernel.truncate(AREA_ADDRESSES[area], count)
  }
}
