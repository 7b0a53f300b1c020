/** Seeded numbers: the seed of a failed test is printed, HOLDFAST_TEST_SEED=<seed> replays it. */
import { randomInt } from 'node:crypto'

export interface Numbers {
  /** 0 <= x < 1 */
  next(): number
  /** 0 .. bound-1 */
  below(bound: number): number
  shuffled<T>(items: readonly T[]): T[]
}

/** mulberry32 */
function numbersFrom(seed: number): Numbers {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number): number => Math.floor(next() * bound)
  return {
    next,
    below,
    shuffled: items =>
      items
        .map(item => ({ item, key: next() }))
        .sort((a, b) => a.key - b.key)
        .map(({ item }) => item)
  }
}

/** For the surrounding `describe`; every test starts from the seed again. */
export function suiteNumbers(): () => Numbers {
  const given = process.env['HOLDFAST_TEST_SEED']
  const seed = given === undefined ? randomInt(2 ** 32) : Number(given)
  let numbers = numbersFrom(seed)
  beforeEach(() => {
    numbers = numbersFrom(seed)
  })
  afterEach(function () {
    if (this.currentTest?.state === 'failed')
      console.error(`replay with HOLDFAST_TEST_SEED=${seed}`)
  })
  return () => numbers
}
