/** Work started before its turn, results in order: how the steps of a put and a get overlap. */

/**
 * Starts the work of up to `aheadMax` items while the consumer is busy with an earlier one, and yields the results in
 * the order of the items. The first error ends it; what was started and is not awaited any more settles unheard.
 */
export async function* startAhead<T, R>(
  items: Iterable<T>,
  aheadMax: number,
  start: (item: T) => Promise<R>
): AsyncGenerator<R> {
  const iterator = items[Symbol.iterator]()
  const started: Promise<R>[] = []
  const startNext = (): void => {
    const { done, value } = iterator.next()
    if (done === true) return
    const result = start(value)
    // Awaited in order, below: an error of a later one must not be unhandled until then.
    result.catch(() => {})
    started.push(result)
  }
  for (let i = 0; i < aheadMax; i++) startNext()
  while (started.length > 0) {
    const result = await started.shift()!
    startNext()
    yield result
  }
}
