/** One stripe in the memory of the kernel. */
import { assert } from '../../base/assert.ts'
import { checkPresent, checkShardIndex } from './check.ts'
import type { BoundJob } from './kernel-job.ts'
import type { ReedSolomonArena, ReedSolomonProfile } from './types.ts'

/** Fills the shards before `end` that are not present. */
type Repair = (present: readonly boolean[], end: number) => void

export class WasmArena implements ReedSolomonArena {
  readonly shareBytes: number
  readonly #profile: ReedSolomonProfile
  readonly #shards: readonly Uint8Array[]
  readonly #encode: BoundJob
  readonly #repair: Repair
  #replaced = false

  constructor(
    profile: ReedSolomonProfile,
    shards: readonly Uint8Array[],
    encode: BoundJob,
    repair: Repair
  ) {
    this.shareBytes = shards[0]!.length
    this.#profile = profile
    this.#shards = shards
    this.#encode = encode
    this.#repair = repair
  }

  /** From now on its memory belongs to another arena. */
  retire(): void {
    this.#replaced = true
  }

  shard(index: number): Uint8Array {
    this.#assertCurrent()
    checkShardIndex(index, this.#shards.length)
    return this.#shards[index]!
  }

  encode(): void {
    this.#assertCurrent()
    this.#encode(this.shareBytes)
  }

  reconstruct(present: readonly boolean[]): void {
    this.#reconstruct(present, this.#profile.n)
  }

  reconstructData(present: readonly boolean[]): void {
    this.#reconstruct(present, this.#profile.k)
  }

  #reconstruct(present: readonly boolean[], end: number): void {
    this.#assertCurrent()
    checkPresent(present, this.#profile)
    this.#repair(present, end)
  }

  #assertCurrent(): void {
    assert(!this.#replaced, 'an arena is not used after another one replaced it')
  }
}
