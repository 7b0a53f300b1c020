/** Runs work over items, so many at a time, and returns the results in the order of the items. */
export async function runLimited<T, R>(
  items: readonly T[],
  atOnceMax: number,
  work: (item: T) => Promise<R>
): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, worker))
  return results
}
