/**
 * Group commit: while one flush runs, further items wait and go into the next one together. So the price of an fsync is
 * shared by everybody who asked during the one before.
 */

interface Waiting<T> {
  readonly item: T
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface GroupLimit<T> {
  weightOf(item: T): number
  /** Of all items of one flush together; a heavier one goes alone. */
  readonly weightMax: number
}

export class GroupCommit<T> {
  readonly #flush: (items: readonly T[]) => Promise<void>
  readonly #limit: GroupLimit<T>
  #waiting: Waiting<T>[] = []
  #running = false

  /** `flush` makes all its items durable or fails for all of them. */
  constructor(
    flush: (items: readonly T[]) => Promise<void>,
    limit: GroupLimit<T> = { weightOf: () => 1, weightMax: Infinity }
  ) {
    this.#flush = flush
    this.#limit = limit
  }

  /** Resolves when a flush that began after this call has taken the item; rejects as that flush does. */
  add(item: T): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ item, resolve, reject })
    if (!this.#running) void this.#run()
    return promise
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup()
      try {
        await this.#flush(group.map(waiting => waiting.item))
        for (const waiting of group) waiting.resolve()
      } catch (error) {
        for (const waiting of group) waiting.reject(error)
      }
    }
    this.#running = false
  }

  #nextGroup(): Waiting<T>[] {
    const { weightOf, weightMax } = this.#limit
    let weight = 0
    let count = 0
    for (const { item } of this.#waiting) {
      weight += weightOf(item)
      if (count > 0 && weight > weightMax) break
      count += 1
    }
    return this.#waiting.splice(0, count)
  }
}
