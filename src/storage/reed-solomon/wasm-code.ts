/** The code on the WebAssembly kernels: jobs bound to two places, the blocks of the copying calls and the arena. */
import { assert } from '../../base/assert.ts'
import { type KernelBuild, loadKernel, WASM_PAGE_BYTES } from '../../base/wasm-module.ts'
import { checkPresent, checkShards, checkShareBytes } from './check.ts'
import { nibbleTables } from './field.ts'
import { encodeJob, type Job, repairJob } from './jobs.ts'
import { KERNEL_NAME, type Kernel, type KernelExports } from './kernel.ts'
import { type BoundJob, bindJob, jobBytes } from './kernel-job.ts'
import {
  type KernelLayout,
  kernelLayout,
  NIBBLE_MASK,
  NIBBLE_MASK_ADDRESS,
  type ShardRegion,
  strideFor
} from './kernel-memory.ts'
import { range } from './oracle.ts'
import type { ReedSolomon, ReedSolomonArena, ReedSolomonProfile } from './types.ts'
import { WasmArena } from './wasm-arena.ts'

interface BoundRepair {
  /** Place and flags the job was made for. */
  key: string
  job: Job
  run: BoundJob
}

export class WasmReedSolomon implements ReedSolomon {
  readonly k: number
  readonly n: number
  readonly implementation: KernelBuild
  readonly fallbackReason: string | undefined
  readonly #kernel: Kernel
  readonly #layout: KernelLayout
  readonly #encode: Job
  readonly #encodeBlocks: BoundJob
  #repair: BoundRepair | null = null
  #arena: WasmArena | null = null
  /** Views of the blocks; the memory that they show is replaced when it grows. */
  #blocks: Uint8Array[] = []

  /** @throws KernelUnavailableError */
  constructor(profile: ReedSolomonProfile, build: KernelBuild, fallbackReason?: string) {
    const { k, n } = profile
    this.k = k
    this.n = n
    this.implementation = build
    this.fallbackReason = fallbackReason
    this.#encode = encodeJob(profile)
    this.#layout = kernelLayout(profile, jobBytes(this.#encode))
    this.#kernel = loadKernel<KernelExports>(KERNEL_NAME, build, this.#layout.arena)
    const memory = new Uint8Array(this.#kernel.memory.buffer)
    memory.set(nibbleTables())
    memory.set(NIBBLE_MASK, NIBBLE_MASK_ADDRESS)
    const { blocks, encodeBlocks } = this.#layout
    this.#encodeBlocks = bindJob(this.#encode, this.#kernel, this.#layout, blocks, encodeBlocks)
    this.#viewBlocks()
  }

  get memoryBytes(): number {
    return this.#kernel.memory.buffer.byteLength
  }

  get arenaShareBytesMax(): number {
    return this.#layout.arenaShareBytesMax
  }

  arena(shareBytes: number): ReedSolomonArena {
    checkShareBytes(shareBytes, this.arenaShareBytesMax)
    if (this.#arena?.shareBytes === shareBytes) return this.#arena
    this.#arena?.retire()
    const region = { base: this.#layout.arena, strideBytes: strideFor(shareBytes) }
    this.#reserve(region.base + this.n * region.strideBytes)
    const { encodeArena } = this.#layout
    const encode = bindJob(this.#encode, this.#kernel, this.#layout, region, encodeArena)
    const { buffer } = this.#kernel.memory
    const views = viewShards(buffer, region, this.n, shareBytes)
    this.#arena = new WasmArena(this, views, encode, (present, end) => {
      this.#bindRepair(present, end, 'arena', region).run(shareBytes)
    })
    return this.#arena
  }

  encode(shards: Uint8Array, shareBytes: number): void {
    checkShards(shards, this.n, shareBytes, this.#kernel.memory.buffer)
    this.#inBlocks(this.#encode, this.#encodeBlocks, shards, shareBytes)
  }

  reconstruct(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void {
    this.#reconstruct(shards, shareBytes, present, this.n)
  }

  reconstructData(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void {
    this.#reconstruct(shards, shareBytes, present, this.k)
  }

  #reconstruct(
    shards: Uint8Array,
    shareBytes: number,
    present: readonly boolean[],
    end: number
  ): void {
    checkShards(shards, this.n, shareBytes, this.#kernel.memory.buffer)
    checkPresent(present, this)
    const { job, run } = this.#bindRepair(present, end, 'blocks', this.#layout.blocks)
    this.#inBlocks(job, run, shards, shareBytes)
  }

  #inBlocks(job: Job, run: BoundJob, shards: Uint8Array, shareBytes: number): void {
    if (job.writes.length === 0) return
    const { blockBytes } = this.#layout
    for (let at = 0; at < shareBytes; at += blockBytes) {
      const length = Math.min(blockBytes, shareBytes - at)
      for (const shard of job.reads) {
        const from = shard * shareBytes + at
        this.#blocks[shard]!.set(shards.subarray(from, from + length))
      }
      run(length)
      for (const shard of job.writes) {
        const block = this.#blocks[shard]!
        const result = length === blockBytes ? block : block.subarray(0, length)
        shards.set(result, shard * shareBytes + at)
      }
    }
  }

  /** The repair bound last is kept: stripes of one segment miss the same shards. */
  #bindRepair(
    present: readonly boolean[],
    end: number,
    place: 'blocks' | 'arena',
    region: ShardRegion
  ): BoundRepair {
    const key = `${place} ${region.strideBytes} ${end} ${present.map(Number).join('')}`
    if (this.#repair?.key !== key) {
      const job = repairJob(this, present, end)
      assert(jobBytes(job) <= this.#layout.repairBytes, 'the repair fits its place')
      const run = bindJob(job, this.#kernel, this.#layout, region, this.#layout.repair)
      this.#repair = { key, job, run }
    }
    return this.#repair
  }

  #reserve(bytes: number): void {
    const pages = Math.ceil((bytes - this.memoryBytes) / WASM_PAGE_BYTES)
    if (pages <= 0) return
    this.#kernel.memory.grow(pages)
    this.#viewBlocks()
  }

  #viewBlocks(): void {
    const { blocks, blockBytes } = this.#layout
    this.#blocks = viewShards(this.#kernel.memory.buffer, blocks, this.n, blockBytes)
  }
}

function viewShards(
  buffer: ArrayBuffer,
  { base, strideBytes }: ShardRegion,
  n: number,
  bytes: number
): Uint8Array[] {
  return range(0, n).map(i => new Uint8Array(buffer, base + i * strideBytes, bytes))
}
