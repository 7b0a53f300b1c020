/** The code as its callers see it: known answers, large shares, memory, fallbacks and typed errors. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ErrorCode, HoldfastError } from '../../../src/base/errors.ts'
import { MIB, SHARE_BYTES_MAX, SHARE_BYTES_MIN } from '../../../src/base/limits.ts'
import {
  createReedSolomon,
  type Implementation,
  type ReedSolomon
} from '../../../src/storage/reed-solomon/reed-solomon.ts'
import { suiteRandom } from '../random.ts'
import { encodeByPeer, erase, presentWithout } from './support.ts'

const IMPLEMENTATIONS: readonly Implementation[] = ['relaxed-simd', 'simd', 'javascript']
const MEMORY_BYTES_MAX = 8 * MIB

function throwsCode(code: ErrorCode, call: () => unknown): void {
  assert.throws(call, error => HoldfastError.is(error, code))
}

for (const implementation of IMPLEMENTATIONS) {
  describe(`reed-solomon ${implementation}`, () => {
    const random = suiteRandom()
    const make = (k: number, n: number): ReedSolomon =>
      createReedSolomon({ k, n }, { implementation })

    it('gives the bytes of the published 5 + 5 vector (Backblaze, klauspost TestOneEncode)', () => {
      const data = [0, 1, 4, 5, 2, 3, 6, 7, 8, 9]
      const parity = [12, 13, 10, 11, 14, 15, 90, 91, 94, 95]
      const shards = Uint8Array.from([...data, ...new Array<number>(10).fill(0)])
      make(5, 10).encode(shards, 2)
      assert.deepEqual([...shards], [...data, ...parity])
    })

    it('codes shares longer than a block, of odd length, in shared memory', () => {
      const [k, n, shareBytes] = [4, 8, 150_001]
      const shards = new Uint8Array(new SharedArrayBuffer(n * shareBytes))
      shards.set(random.bytes(k * shareBytes))
      const expected = Uint8Array.from(shards)
      encodeByPeer(expected, k, n)
      const code = make(k, n)
      code.encode(shards, shareBytes)
      const same = (): boolean => Buffer.from(shards).equals(expected)
      assert.ok(same(), 'encode')
      const present = presentWithout(n, [0, 3, 5, 7])
      erase(shards, shareBytes, present)
      code.reconstruct(shards, shareBytes, present)
      assert.ok(same(), 'reconstruct')
    })

    it('leaves present shards alone, even wrong ones', () => {
      const code = make(3, 7)
      const shards = random.bytes(7 * 5)
      const before = shards.slice()
      code.reconstruct(shards, 5, presentWithout(7, [1, 6]))
      for (const shard of [0, 2, 3, 4, 5]) {
        const part = (bytes: Uint8Array): number[] => [...bytes.slice(shard * 5, shard * 5 + 5)]
        assert.deepEqual(part(shards), part(before))
      }
    })

    it('has nothing to do without parity or without loss', () => {
      const shards = random.bytes(6)
      const before = shards.slice()
      const code = make(2, 2)
      code.encode(shards, 3)
      code.reconstruct(shards, 3, [true, true])
      assert.deepEqual(shards, before)
    })

    it('keeps the arena apart from the copying calls', () => {
      const code = make(2, 4)
      const arena = code.arena(100)
      for (const shard of [0, 1, 2, 3]) arena.shard(shard).fill(shard + 1)
      code.encode(random.bytes(4 * 100), 100)
      for (const shard of [0, 1, 2, 3]) {
        assert.ok(arena.shard(shard).every(byte => byte === shard + 1))
      }
      assert.equal(code.arena(100), arena)
      assert.equal(code.arena(50).shard(3).length, 50)
    })

    it('refuses bad lengths, flags, indexes and too few shards', () => {
      const code = make(3, 5)
      const shards = new Uint8Array(5 * 8)
      const all = presentWithout(5, [])
      for (const shareBytes of [0, -1, 7, 9, 1.5, Number.NaN, 2 ** 53]) {
        throwsCode('INVALID_ARGUMENT', () => code.encode(shards, shareBytes))
        throwsCode('INVALID_ARGUMENT', () => code.reconstruct(shards, shareBytes, all))
        throwsCode('INVALID_ARGUMENT', () => code.reconstructData(shards, shareBytes, all))
      }
      for (const shareBytes of [0, 0.5, Number.NaN, code.arenaShareBytesMax + 1]) {
        throwsCode('INVALID_ARGUMENT', () => code.arena(shareBytes))
      }
      for (const index of [-1, 5, 0.5, Number.NaN]) {
        throwsCode('INVALID_ARGUMENT', () => code.arena(8).shard(index))
      }
      for (const present of [
        all.slice(1),
        [...all, true],
        [1, 1, 1, 1, 1] as unknown as boolean[]
      ]) {
        throwsCode('INVALID_ARGUMENT', () => code.reconstruct(shards, 8, present))
        throwsCode('INVALID_ARGUMENT', () => code.arena(8).reconstruct(present))
      }
      const few = presentWithout(5, [0, 2, 4])
      throwsCode('UNRECOVERABLE', () => code.reconstruct(shards, 8, few))
      throwsCode('UNRECOVERABLE', () => code.reconstructData(shards, 8, few))
      throwsCode('UNRECOVERABLE', () => code.arena(8).reconstruct(few))
      throwsCode('UNRECOVERABLE', () => code.arena(8).reconstructData(few))
    })

    it('stays within 8 MiB and takes shares of the system', () => {
      for (const [k, n] of [
        [1, 1],
        [4, 8],
        [29, 80],
        [1, 256],
        [128, 256],
        [255, 256]
      ] as const) {
        const code = make(k, n)
        assert.ok(code.arenaShareBytesMax >= SHARE_BYTES_MIN, `${k}/${n}`)
        if (n <= 80) assert.ok(code.arenaShareBytesMax >= SHARE_BYTES_MAX, `${k}/${n}`)
        code.arena(code.arenaShareBytesMax).encode()
        assert.ok(code.memoryBytes <= MEMORY_BYTES_MAX, `${k}/${n}: ${code.memoryBytes}`)
      }
    })
  })
}

describe('reed-solomon choice', () => {
  it('takes the fastest implementation', () => {
    const code = createReedSolomon({ k: 4, n: 8 })
    assert.equal(code.implementation, 'relaxed-simd')
    assert.equal(code.fallbackReason, undefined)
  })

  it('refuses bad k and n', () => {
    const bad = [
      [0, 4],
      [5, 4],
      [1, 257],
      [1.5, 4],
      [2, 4.5],
      [-1, 4],
      [Number.NaN, 4],
      [2, Infinity]
    ]
    for (const [k, n] of bad) {
      throwsCode('INVALID_ARGUMENT', () => createReedSolomon({ k: k!, n: n! }))
    }
  })

  it('does not run an arena that was replaced', () => {
    const code = createReedSolomon({ k: 2, n: 3 })
    const arena = code.arena(64)
    code.arena(32)
    const calls = [
      () => arena.shard(0),
      () => arena.encode(),
      () => arena.reconstruct([true, true, true])
    ]
    for (const call of calls) assert.throws(call, { name: 'AssertionError' })
  })

  it('refuses shards that lie in its own arena', () => {
    const code = createReedSolomon({ k: 2, n: 3 })
    const inside = new Uint8Array(code.arena(64).shard(0).buffer, 0, 3)
    throwsCode('INVALID_ARGUMENT', () => code.encode(inside, 1))
    throwsCode('INVALID_ARGUMENT', () => code.reconstruct(inside, 1, [true, true, false]))
  })
})

describe('reed-solomon fallback', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-rs-'))
    const root = join(import.meta.dirname, '../../..')
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    for (const part of ['src/base', 'src/storage/reed-solomon']) {
      cpSync(join(root, part), join(folder, part), { recursive: true })
    }
    cpSync(join(root, 'wasm/build'), join(folder, 'wasm/build'), { recursive: true })
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const load = async (): Promise<typeof createReedSolomon> => {
    const file = join(folder, 'src/storage/reed-solomon/reed-solomon.ts')
    return (await import(pathToFileURL(file).href)).createReedSolomon
  }

  it('runs standard SIMD where relaxed SIMD does not validate, and says so', async () => {
    writeFileSync(join(folder, 'wasm/build/rs-relaxed.wasm'), 'not for this machine')
    const code = (await load())({ k: 4, n: 8 })
    assert.equal(code.implementation, 'simd')
    assert.match(code.fallbackReason ?? '', /relaxed-simd: not-supported/)
  })

  it('runs plain JavaScript where no kernel was built, and says so', async () => {
    rmSync(join(folder, 'wasm'), { recursive: true })
    const create = await load()
    const code = create({ k: 2, n: 3 })
    assert.equal(code.implementation, 'javascript')
    assert.match(code.fallbackReason ?? '', /relaxed-simd: not-built.*; simd: not-built/)
    const shards = Uint8Array.from([1, 2, 0])
    code.encode(shards, 1)
    const expected = Uint8Array.from([1, 2, 0])
    encodeByPeer(expected, 2, 3)
    assert.deepEqual(shards, expected)
    throwsCode('INVALID_ARGUMENT', () => create({ k: 2, n: 3 }, { implementation: 'simd' }))
  })

  it('finds the kernels from the published layout', async () => {
    mkdirSync(join(folder, 'dist'))
    cpSync(join(folder, 'src'), join(folder, 'dist/src'), { recursive: true })
    const file = join(folder, 'dist/src/storage/reed-solomon/reed-solomon.ts')
    const { createReedSolomon: create } = await import(pathToFileURL(file).href)
    assert.equal(create({ k: 2, n: 3 }).implementation, 'relaxed-simd')
  })
})
