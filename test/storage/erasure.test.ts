import assert from 'node:assert/strict'
import { createErasureCode } from '../../src/storage/erasure.ts'
import { parseProfile } from '../../src/storage/profile.ts'
import { suiteRandom } from './random.ts'

const PROFILES = ['1/2', '4/8', '4/10', '10/30', '17/20', '29/80', '128/256']

/** GF(2^8) with polynomial 0x11d, slow and obvious. */
function multiply(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ (product & 0x80 ? 0x11d : 0)
    if ((b >> bit) & 1) product ^= a
  }
  return product
}

function invert(a: number): number {
  for (let b = 1; b < 256; b++) if (multiply(a, b) === 1) return b
  throw new RangeError('0 has no inverse')
}

/** Lagrange: the value at `target` of the polynomial that takes values[i] at point i. */
function valueAt(values: readonly number[], target: number): number {
  let sum = 0
  for (const [j, value] of values.entries()) {
    let weight = value
    for (const i of values.keys()) {
      if (i !== j) weight = multiply(weight, multiply(target ^ i, invert(j ^ i)))
    }
    sum ^= weight
  }
  return sum
}

describe('erasure', () => {
  const random = suiteRandom()

  it('computes the parity of the published matrix, by an independent definition', async () => {
    for (const text of ['1/2', '4/10', '10/30']) {
      const { k, n } = parseProfile(text)
      const code = await createErasureCode({ k, n })
      const shards = new Uint8Array(n * 3)
      shards.set(random.bytes(k * 3))
      code.encode(shards, 3)
      for (let column = 0; column < 3; column++) {
        const data = Array.from({ length: k }, (_, i) => shards[i * 3 + column]!)
        for (let r = k; r < n; r++) assert.equal(shards[r * 3 + column], valueAt(data, r), text)
      }
    }
  })

  it('restores any n-k shards, data and parity', async () => {
    for (const text of PROFILES) {
      const { k, n } = parseProfile(text)
      const code = await createErasureCode({ k, n })
      for (const shareBytes of [1, 2, 31, 32, 777]) {
        const shards = new Uint8Array(n * shareBytes)
        shards.set(random.bytes(k * shareBytes))
        code.encode(shards, shareBytes)
        const original = shards.slice()
        const lost = random.shuffled(Array.from({ length: n }, (_, i) => i)).slice(0, n - k)
        for (const i of lost) shards.fill(0xee, i * shareBytes, (i + 1) * shareBytes)
        const present = Array.from({ length: n }, (_, i) => !lost.includes(i))
        code.reconstruct(shards, shareBytes, present)
        assert.deepEqual(shards, original, `${text} with shares of ${shareBytes}`)
      }
    }
  })

  it('stays right over many calls of many lengths', async () => {
    // The package's own glue corrupts the heap of its wasm with every reconstruction.
    const code = await createErasureCode({ k: 4, n: 8 })
    for (let round = 0; round < 500; round++) {
      const shareBytes = 1 + random.below(500)
      const shards = new Uint8Array(8 * shareBytes)
      shards.set(random.bytes(4 * shareBytes))
      code.encode(shards, shareBytes)
      const original = shards.slice()
      const lost = random.shuffled([0, 1, 2, 3, 4, 5, 6, 7]).slice(0, 4)
      for (const i of lost) shards.fill(0, i * shareBytes, (i + 1) * shareBytes)
      const present = Array.from({ length: 8 }, (_, i) => !lost.includes(i))
      code.reconstruct(shards, shareBytes, present)
      assert.deepEqual(shards, original, `round ${round}`)
    }
  })

  it('leaves parity alone when only data is wanted', async () => {
    const code = await createErasureCode({ k: 4, n: 8 })
    const shards = new Uint8Array(8 * 100)
    shards.set(random.bytes(400))
    code.encode(shards, 100)
    const original = shards.slice()
    shards.fill(0xee, 0, 100)
    shards.fill(0xee, 700)
    code.reconstructData(shards, 100, [false, true, true, true, true, true, true, false])
    assert.deepEqual(shards.subarray(0, 700), original.subarray(0, 700))
    assert.deepEqual(shards.subarray(700), new Uint8Array(100).fill(0xee))
  })

  it('says when too few shards are left, and touches nothing', async () => {
    const code = await createErasureCode({ k: 4, n: 8 })
    const shards = random.bytes(800)
    const before = shards.slice()
    const present = [true, false, true, false, true, false, false, false]
    assert.throws(() => code.reconstruct(shards, 100, present), { code: 'UNRECOVERABLE' })
    assert.deepEqual(shards, before)
  })

  it('refuses impossible profiles and wrong lengths', async () => {
    await assert.rejects(createErasureCode({ k: 8, n: 8 }), { code: 'PROFILE_IMPOSSIBLE' })
    const code = await createErasureCode({ k: 4, n: 8 })
    assert.throws(() => code.encode(new Uint8Array(79), 10), { name: 'AssertionError' })
    assert.throws(() => code.encode(new Uint8Array(0), 0), { name: 'AssertionError' })
    const flags = [true, true, true, true]
    assert.throws(() => code.reconstruct(new Uint8Array(80), 10, flags), { name: 'AssertionError' })
  })
})
