/** The arenas of one put: a fixed number of them, so that its memory is bounded whatever the length of the object. */
import type { SharedMemory } from './shared-memory.ts'

export class Arenas {
  readonly #memory: SharedMemory
  readonly #waiting: (() => void)[] = []
  #left: number

  constructor(memory: SharedMemory, count: number) {
    this.#memory = memory
    this.#left = count
  }

  /** At least `bytes`, once fewer than `count` are in use. */
  async take(bytes: number): Promise<Uint8Array> {
    while (this.#left === 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.#left--
    return this.#memory.take(bytes)
  }

  give(arena: Uint8Array): void {
    this.#memory.give(arena)
    this.#left++
    this.#waiting.shift()?.()
  }
}
