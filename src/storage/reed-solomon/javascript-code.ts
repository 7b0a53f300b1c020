/** The code in plain JavaScript behind the same interface, for machines without WebAssembly SIMD. */
import { KERNEL_PAGES_MAX, WASM_PAGE_BYTES } from '../../base/wasm-module.ts'
import { checkPresent, checkShardIndex, checkShards, checkShareBytes } from './check.ts'
import { encodeShards, interpolate, range, type ShardAt } from './oracle.ts'
import type { ReedSolomon, ReedSolomonArena, ReedSolomonProfile } from './types.ts'

export class JavaScriptReedSolomon implements ReedSolomon {
  readonly k: number
  readonly n: number
  readonly implementation = 'javascript'
  readonly fallbackReason: string | undefined
  readonly memoryBytes = 0
  #arena: ReedSolomonArena | null = null

  constructor({ k, n }: ReedSolomonProfile, fallbackReason?: string) {
    this.k = k
    this.n = n
    this.fallbackReason = fallbackReason
  }

  get arenaShareBytesMax(): number {
    return Math.floor((KERNEL_PAGES_MAX * WASM_PAGE_BYTES) / this.n)
  }

  arena(shareBytes: number): ReedSolomonArena {
    checkShareBytes(shareBytes, this.arenaShareBytesMax)
    if (this.#arena?.shareBytes !== shareBytes) this.#arena = this.#makeArena(shareBytes)
    return this.#arena
  }

  encode(shards: Uint8Array, shareBytes: number): void {
    checkShards(shards, this.n, shareBytes, null)
    encodeShards(this.k, this.n, shardsOf(shards, shareBytes))
  }

  reconstruct(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void {
    checkShards(shards, this.n, shareBytes, null)
    this.#rebuild(shardsOf(shards, shareBytes), present, this.n)
  }

  reconstructData(shards: Uint8Array, shareBytes: number, present: readonly boolean[]): void {
    checkShards(shards, this.n, shareBytes, null)
    this.#rebuild(shardsOf(shards, shareBytes), present, this.k)
  }

  /** Fills the shards before `end` that are not present. */
  #rebuild(shard: ShardAt, present: readonly boolean[], end: number): void {
    checkPresent(present, this)
    const known = range(0, this.n).filter(index => present[index])
    const missing = range(0, end).filter(index => !present[index])
    interpolate(known.slice(0, this.k), missing, shard)
  }

  #makeArena(shareBytes: number): ReedSolomonArena {
    const views = range(0, this.n).map(() => new Uint8Array(shareBytes))
    const shard: ShardAt = index => {
      checkShardIndex(index, this.n)
      return views[index]!
    }
    return {
      shareBytes,
      shard,
      encode: () => encodeShards(this.k, this.n, shard),
      reconstruct: present => this.#rebuild(shard, present, this.n),
      reconstructData: present => this.#rebuild(shard, present, this.k)
    }
  }
}

function shardsOf(shards: Uint8Array, shareBytes: number): ShardAt {
  return index => shards.subarray(index * shareBytes, (index + 1) * shareBytes)
}
