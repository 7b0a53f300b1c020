/** Equality with the npm package, byte by byte: every implementation, random codes, lengths and losses. */
import assert from 'node:assert/strict'
import {
  createReedSolomon,
  type Implementation,
  type ReedSolomon
} from '../../../src/storage/reed-solomon/reed-solomon.ts'
import { type SeededRandom, suiteRandom } from '../random.ts'
import { encodeByPeer, erase, presentWithout } from './support.ts'

const PROFILES = 260
const CASES_PER_PROFILE = 4
const IMPLEMENTATIONS: readonly Implementation[] = ['relaxed-simd', 'simd', 'javascript']

describe('reed-solomon fuzz', () => {
  const random = suiteRandom()
  const cases = PROFILES * CASES_PER_PROFILE

  it(`${cases} cases equal the npm package`, function () {
    this.timeout(60_000)
    for (let i = 0; i < PROFILES; i++) {
      const { k, n } = randomProfile(random)
      const codes = IMPLEMENTATIONS.map(implementation =>
        createReedSolomon({ k, n }, { implementation })
      )
      for (let j = 0; j < CASES_PER_PROFILE; j++) oneCase(random, codes)
    }
  })
})

function randomProfile(random: SeededRandom): { k: number; n: number } {
  const n = 2 + random.below(random.below(8) === 0 ? 255 : 47)
  return { k: 1 + random.below(n - 1), n }
}

function oneCase(random: SeededRandom, codes: ReedSolomon[]): void {
  const { k, n } = codes[0]!
  const shareBytes = 1 + random.below(random.below(4) === 0 ? 700 : 70)
  const lost = randomLoss(random, k, n)
  const present = presentWithout(n, lost)
  const original = random.bytes(n * shareBytes)
  const expected = original.slice()
  encodeByPeer(expected, k, n)
  for (const code of codes) {
    const label = `${code.implementation} ${k}/${n} ${shareBytes} bytes, lost ${lost.join()}`
    try {
      checkCopying(code, original, expected, present)
      checkArena(code, original, expected, present)
    } catch (cause) {
      throw new Error(label, { cause })
    }
  }
}

/** Any loss that can be repaired; often the first shards, because then the data are gone. */
function randomLoss(random: SeededRandom, k: number, n: number): number[] {
  const count = random.below(n - k + 1)
  const shards = Array.from({ length: n }, (_, i) => i)
  return (random.below(3) === 0 ? shards : random.shuffled(shards)).slice(0, count)
}

function checkCopying(
  code: ReedSolomon,
  original: Uint8Array,
  expected: Uint8Array,
  present: boolean[]
): void {
  const shareBytes = expected.length / code.n
  const shards = original.slice()
  code.encode(shards, shareBytes)
  assert.ok(Buffer.from(shards).equals(expected), 'encode')
  erase(shards, shareBytes, present)
  const absentParity = shards.slice(code.k * shareBytes)
  code.reconstructData(shards, shareBytes, present)
  const data = expected.subarray(0, code.k * shareBytes)
  assert.ok(Buffer.from(shards.subarray(0, data.length)).equals(data), 'reconstructData')
  assert.deepEqual(shards.subarray(data.length), absentParity, 'reconstructData leaves parity')
  erase(shards, shareBytes, present)
  code.reconstruct(shards, shareBytes, present)
  assert.ok(Buffer.from(shards).equals(expected), 'reconstruct')
}

function checkArena(
  code: ReedSolomon,
  original: Uint8Array,
  expected: Uint8Array,
  present: boolean[]
): void {
  const shareBytes = expected.length / code.n
  const arena = code.arena(shareBytes)
  const slice = (bytes: Uint8Array, i: number): Uint8Array =>
    bytes.subarray(i * shareBytes, (i + 1) * shareBytes)
  const assertEqual = (step: string): void => {
    for (let i = 0; i < code.n; i++) {
      assert.ok(Buffer.from(arena.shard(i)).equals(slice(expected, i)), `arena ${step}: shard ${i}`)
    }
  }
  for (let i = 0; i < code.n; i++) arena.shard(i).set(slice(original, i))
  arena.encode()
  assertEqual('encode')
  for (const [i, here] of present.entries()) if (!here) arena.shard(i).fill(0x5a)
  arena.reconstructData(present)
  for (let i = 0; i < code.k; i++) {
    assert.ok(Buffer.from(arena.shard(i)).equals(slice(expected, i)), 'arena reconstructData')
  }
  arena.reconstruct(present)
  assertEqual('reconstruct')
}
