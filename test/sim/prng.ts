/** Seeded randomness, split per purpose: drawing more of one kind does not move the others. */

export interface Prng {
  /** Uniform in 0 .. bound - 1. */
  below(bound: number): number
  /** True with this probability. */
  chance(probability: number): boolean
  /** Uniform in low .. high, both included. */
  between(low: number, high: number): number
  pick<T>(items: readonly T[]): T
  /** A generator of its own for a purpose. */
  split(purpose: string): Prng
}

const UINT32 = 2 ** 32

export function createPrng(seed: string): Prng {
  let [a, b, c, d] = [hash32(`${seed}/a`), hash32(`${seed}/b`), hash32(`${seed}/c`), 1]
  // sfc32 (Chris Doty-Humphrey, PractRand)
  const next = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) next()
  const prng: Prng = {
    below: bound => Math.floor((next() / UINT32) * bound),
    chance: probability => next() / UINT32 < probability,
    between: (low, high) => low + prng.below(high - low + 1),
    pick: items => items[prng.below(items.length)]!,
    split: purpose => createPrng(`${seed}/${purpose}`)
  }
  return prng
}

/** FNV-1a. */
function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}
