/**
 * Seeded randomness for the tests of this folder. The seed of a failed test is printed; HOLDFAST_TEST_SEED=<seed>
 * replays it. Every test starts from the seed again, so a single one can be replayed alone.
 */
import { randomInt } from 'node:crypto'
import type { Random } from '../../src/base/ports.ts'

export interface SeededRandom extends Random {
  /** 0 .. bound-1 */
  below(bound: number): number
  shuffled<T>(items: readonly T[]): T[]
  /** Starts over. */
  reset(): void
}

/** mulberry32: enough for tests, and the same everywhere. */
export function createRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  const below = (bound: number): number => next() % bound
  return {
    below,
    bytes: length => {
      const words = Uint32Array.from({ length: Math.ceil(length / 4) }, next)
      return new Uint8Array(words.buffer, 0, length)
    },
    shuffled: items => {
      const order = [...items]
      for (let i = order.length - 1; i > 0; i--) {
        const j = below(i + 1)
        const moved = order[i]!
        order[i] = order[j]!
        order[j] = moved
      }
      return order
    },
    reset: () => {
      state = seed >>> 0
    }
  }
}

/** Randomness for the surrounding `describe`; call it there once. */
export function suiteRandom(): SeededRandom {
  const fromEnvironment = process.env['HOLDFAST_TEST_SEED']
  const seed = fromEnvironment === undefined ? randomInt(2 ** 32) : Number(fromEnvironment)
  const random = createRandom(seed)
  beforeEach(() => random.reset())
  afterEach(function () {
    if (this.currentTest?.state === 'failed') {
      console.error(`replay with HOLDFAST_TEST_SEED=${seed}`)
    }
  })
  return random
}
