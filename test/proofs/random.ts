/** Seeded randomness for these tests. A failure names its seed; HOLDFAST_TEST_SEED=<seed> replays it. */
import { randomInt } from 'node:crypto'
import process from 'node:process'

export interface TestRandom {
  /** Uniform in 0..below-1. */
  int(below: number): number
  bytes(length: number): Uint8Array
}

export function seededRandom(seed: number): TestRandom {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  return {
    int: below => next() % below,
    bytes: length => Uint8Array.from({ length }, () => next() & 0xff)
  }
}

/** `it` with a generator of its own whose seed is part of the error. */
export function itRandom(title: string, body: (random: TestRandom) => void | Promise<void>): void {
  it(title, async () => {
    const seed = Number(process.env['HOLDFAST_TEST_SEED'] ?? randomInt(2 ** 32))
    try {
      await body(seededRandom(seed))
    } catch (error) {
      if (error instanceof Error) error.message += ` (HOLDFAST_TEST_SEED=${seed})`
      throw error
    }
  })
}

/** Bytes 0..250 repeating, the input of the published BLAKE3 vectors. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i % 251)
}

/** A copy with one bit flipped. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = new Uint8Array(bytes)
  out[bit >> 3]! ^= 1 << (bit & 7)
  return out
}
