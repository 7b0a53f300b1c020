/** What every PieceStore must do. Call it inside a `describe`; each test gets a store of its own. */
import assert from 'node:assert/strict'
import { compare, equal, toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { GROUP_BYTES, PIECE_BYTES_MAX } from '../../src/base/limits.ts'
import type { PieceStore } from '../../src/storage/piece-store.ts'
import type { SeededRandom } from '../storage/random.ts'

const QUOTA_BYTES = 1_000_000
/** Stores under test keep removed pieces so long, and look at leases in groups of so many ticks. */
const TRASH_TICKS = 100
export const GROUP_TICKS = 10

export interface PieceStoreHarness {
  /** A fresh store, not open yet. Its leases are grouped by GROUP_TICKS, if they are grouped. */
  create(quotaBytes: number, trashTicks?: number): Promise<PieceStore>
  /** Runs after each test, when its store has been closed. */
  cleanUp?(): Promise<void>
}

/** Stores bytes under their SHA-256 (roots mean nothing to a store) in chunks; returns the root. */
export async function storePiece(
  store: PieceStore,
  bytes: Uint8Array,
  chunkBytes: number = bytes.length,
  leaseEnd?: number
): Promise<Uint8Array> {
  const root = sha256(bytes)
  const staged = await store.stage(bytes.length, leaseEnd)
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    await staged.write(bytes.slice(at, at + chunkBytes))
  }
  await staged.commit(root, outboardOf(bytes))
  return root
}

/** A stand-in for chaining values: opaque to the store. */
export function outboardOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(sha256(sha256(bytes)))
}

export function pieceStoreContract(harness: PieceStoreHarness, random: SeededRandom): void {
  let store: PieceStore

  beforeEach(async () => {
    store = await harness.create(QUOTA_BYTES)
    await store.open()
  })

  afterEach(async () => {
    await store.close()
    await harness.cleanUp?.()
  })

  it('gives back what was stored, by groups', async () => {
    for (const length of [1, 4096, GROUP_BYTES - 1, GROUP_BYTES, GROUP_BYTES + 1, 100_000]) {
      const bytes = random.bytes(length)
      const root = await storePiece(store, bytes, 1 + random.below(30_000))
      const groups = Math.ceil(length / GROUP_BYTES)
      assert.deepEqual(await store.readGroups(root, 0, groups), { bytes, damaged: [] })
      const first = random.below(groups)
      const count = 1 + random.below(groups - first)
      const part = await store.readGroups(root, first, count)
      const from = first * GROUP_BYTES
      assert.deepEqual(part.bytes, bytes.slice(from, from + count * GROUP_BYTES))
      assert.deepEqual(await store.stat(root), { bytes: length })
      assert.equal(await store.has(root), true)
      assert.deepEqual(await store.groupCvs(root), outboardOf(bytes))
    }
  })

  it('knows nothing of a piece before its commit', async () => {
    const bytes = random.bytes(1000)
    const root = sha256(bytes)
    const staged = await store.stage(1000)
    await staged.write(bytes)
    await assertAbsent(root)
    await staged.commit(root, new Uint8Array(0))
    assert.equal(await store.has(root), true)
    assert.deepEqual(await store.groupCvs(root), new Uint8Array(0))
  })

  it('refuses ranges outside the piece', async () => {
    const root = await storePiece(store, random.bytes(GROUP_BYTES + 1))
    for (const [first, groups] of [
      [0, 3],
      [2, 1],
      [-1, 1],
      [0, 0],
      [0.5, 1],
      [1, Number.NaN]
    ]) {
      await assert.rejects(store.readGroups(root, first!, groups!), { code: 'RANGE_INVALID' })
    }
  })

  it('counts used and reserved bytes exactly, and keeps its quota', async () => {
    const first = await store.stage(600_000)
    assertUsage({ usedBytes: 0, reservedBytes: 600_000, pieces: 0 })
    await assert.rejects(store.stage(400_001), { code: 'QUOTA_EXCEEDED', retryable: true })
    const second = await store.stage(400_000)
    assertUsage({ usedBytes: 0, reservedBytes: 1_000_000, pieces: 0 })
    await second.abort()
    assertUsage({ usedBytes: 0, reservedBytes: 600_000, pieces: 0 })
    const bytes = random.bytes(600_000)
    await first.write(bytes)
    await first.commit(sha256(bytes), outboardOf(bytes))
    assertUsage({ usedBytes: 600_000, reservedBytes: 0, pieces: 1 })
    await assert.rejects(store.stage(400_001), { code: 'QUOTA_EXCEEDED' })
    assert.equal(await store.remove(sha256(bytes)), true)
    assertUsage({ usedBytes: 0, reservedBytes: 0, pieces: 0 })
    await storePiece(store, random.bytes(1_000_000))
  })

  it('stages pieces of a sensible length only', async () => {
    for (const bytes of [0, -1, 1.5, Number.NaN, PIECE_BYTES_MAX + 1]) {
      await assert.rejects(store.stage(bytes), { code: 'INVALID_ARGUMENT' })
    }
  })

  it('takes exactly the staged length', async () => {
    const long = await store.stage(10)
    await long.write(random.bytes(6))
    await assert.rejects(long.write(random.bytes(5)), { code: 'PIECE_MISMATCH' })
    const short = await store.stage(10)
    await short.write(random.bytes(9))
    const root = random.bytes(32)
    await assert.rejects(short.commit(root, random.bytes(32)), { code: 'PIECE_MISMATCH' })
    await assertAbsent(root)
    await long.abort()
    assertUsage({ usedBytes: 0, reservedBytes: 0, pieces: 0 })
  })

  it('aborts once, and not what is committed', async () => {
    const staged = await store.stage(10)
    await staged.write(random.bytes(4))
    await staged.abort()
    await staged.abort()
    await assert.rejects(staged.write(random.bytes(1)), { code: 'ABORTED' })
    const bytes = random.bytes(10)
    const kept = await store.stage(10)
    await kept.write(bytes)
    await kept.commit(sha256(bytes), outboardOf(bytes))
    await kept.abort()
    assert.equal(await store.has(sha256(bytes)), true)
    assertUsage({ usedBytes: 10, reservedBytes: 0, pieces: 1 })
  })

  it('stores a root once, however often it is committed', async () => {
    const bytes = random.bytes(50_000)
    await Promise.all(Array.from({ length: 5 }, () => storePiece(store, bytes)))
    const root = await storePiece(store, bytes)
    assertUsage({ usedBytes: 50_000, reservedBytes: 0, pieces: 1 })
    assert.deepEqual((await store.readGroups(root, 0, 4)).bytes, bytes)
    assert.equal(await store.remove(root), true)
    assert.equal(await store.remove(root), false)
    await assertAbsent(root)
    assertUsage({ usedBytes: 0, reservedBytes: 0, pieces: 0 })
  })

  it('stores many pieces at once', async () => {
    const pieces = Array.from({ length: 40 }, () => random.bytes(1 + random.below(20_000)))
    const roots = await Promise.all(pieces.map(bytes => storePiece(store, bytes)))
    for (const [i, root] of roots.entries()) {
      const groups = Math.ceil(pieces[i]!.length / GROUP_BYTES)
      assert.deepEqual((await store.readGroups(root, 0, groups)).bytes, pieces[i])
    }
    const usedBytes = pieces.reduce((sum, bytes) => sum + bytes.length, 0)
    assertUsage({ usedBytes, reservedBytes: 0, pieces: 40 })
  })

  it('lists pieces by root', async () => {
    const pieces = Array.from({ length: 20 }, (_, i) => random.bytes(100 + i))
    for (const bytes of pieces) await storePiece(store, bytes)
    const expected = pieces
      .map(bytes => ({ root: new Uint8Array(sha256(bytes)), bytes: bytes.length }))
      .sort((a, b) => compare(a.root, b.root))
    const listed: { root: Uint8Array; bytes: number }[] = []
    for await (const piece of store.roots()) listed.push(piece)
    assert.deepEqual(listed, expected)
  })

  it('keeps a copy of its own', async () => {
    const bytes = random.bytes(100)
    const chunk = bytes.slice()
    const staged = await store.stage(100)
    await staged.write(chunk)
    chunk.fill(0)
    const root = sha256(bytes)
    await staged.commit(root, outboardOf(bytes))
    const read = await store.readGroups(root, 0, 1)
    read.bytes.fill(0)
    assert.deepEqual((await store.readGroups(root, 0, 1)).bytes, bytes)
  })

  it('drops what is staged when it closes', async () => {
    const staged = await store.stage(100)
    await staged.write(random.bytes(50))
    await store.close()
    await store.close()
    await assert.rejects(staged.write(random.bytes(50)), { code: 'ABORTED' })
    assertUsage({ usedBytes: 0, reservedBytes: 0, pieces: 0 })
  })

  it('closes at the end of its scope', async () => {
    const scoped = await harness.create(QUOTA_BYTES)
    {
      await using opened = scoped
      await opened.open()
      await storePiece(opened, random.bytes(10))
    }
    await assert.rejects(scoped.stage(1), { name: 'AssertionError' })
  })

  describe('over time', () => {
    let kept: PieceStore

    beforeEach(async () => {
      kept = await harness.create(QUOTA_BYTES, TRASH_TICKS)
      await kept.open()
      await kept.sweep(1_000)
    })

    afterEach(() => kept.close())

    const put = (length: number, leaseEnd?: number): Promise<Uint8Array> =>
      storePiece(kept, random.bytes(length), length, leaseEnd)

    const counted = (): number[] => {
      const { usedBytes, trashBytes, pieces } = kept.usage()
      return [usedBytes, trashBytes, pieces]
    }

    const listed = async (): Promise<number> => {
      let count = 0
      for await (const _ of kept.roots()) count += 1
      return count
    }

    it('keeps removed pieces in the trash, out of sight, for the window', async () => {
      const root = await put(50_000)
      assert.equal(await kept.remove(root), true)
      assert.equal(await kept.remove(root), false)
      assert.deepEqual([await kept.has(root), await listed()], [false, 0])
      await assert.rejects(kept.readGroups(root, 0, 1), { code: 'PIECE_NOT_FOUND' })
      assert.deepEqual(counted(), [0, 50_000, 0])
      assert.deepEqual(await kept.sweep(1_099), { expiredPieces: 0, purgedPieces: 0 })
      assert.deepEqual(counted(), [0, 50_000, 0])
      assert.deepEqual(await kept.sweep(1_100), { expiredPieces: 0, purgedPieces: 1 })
      assert.deepEqual(counted(), [0, 0, 0])
      assert.equal(await kept.keep(root, 2_000), false)
    })

    it('counts the trash against the quota', async () => {
      const root = await put(600_000)
      await kept.remove(root)
      await assert.rejects(kept.stage(400_001), { code: 'QUOTA_EXCEEDED' })
      await kept.sweep(1_200)
      await (await kept.stage(400_001)).abort()
    })

    it('gives back what is kept in time, and what is stored again', async () => {
      const bytes = random.bytes(20_000)
      const root = await storePiece(kept, bytes)
      for (const again of [() => kept.keep(root, 5_000), () => storePiece(kept, bytes)]) {
        await kept.remove(root)
        assert.ok(await again())
        assert.deepEqual(counted(), [20_000, 0, 1])
        assert.deepEqual((await kept.readGroups(root, 0, 2)).bytes, bytes)
      }
      await kept.sweep(4_000)
      assert.equal(await kept.has(root), true)
    })

    it('lets pieces go when their lease has ended, and not before', async () => {
      const roots = [
        await put(10, 1_010),
        await put(20_000, 1_020),
        await put(30),
        await put(40, 0)
      ]
      assert.deepEqual(await kept.sweep(1_000), { expiredPieces: 1, purgedPieces: 1 })
      assert.deepEqual(await kept.sweep(1_010), { expiredPieces: 1, purgedPieces: 0 })
      assert.deepEqual(await kept.sweep(1_020), { expiredPieces: 1, purgedPieces: 0 })
      assert.deepEqual(await Promise.all(roots.map(root => kept.has(root))), [
        ...[false, false, true, false]
      ])
      assert.deepEqual(counted(), [30, 20_010, 1])
      assert.deepEqual(await kept.sweep(1_110), { expiredPieces: 0, purgedPieces: 1 })
      assert.deepEqual(await kept.sweep(1_120), { expiredPieces: 0, purgedPieces: 1 })
      assert.deepEqual(counted(), [30, 0, 1])
    })

    it('makes leases longer, never shorter', async () => {
      const bytes = random.bytes(100)
      const root = await storePiece(kept, bytes, 100, 1_010)
      assert.equal(await kept.keep(root, 1_050), true)
      assert.equal(await kept.keep(root, 1_020), true)
      await storePiece(kept, bytes, 100, 1_010)
      await kept.sweep(1_040)
      assert.equal(await kept.has(root), true)
      await storePiece(kept, bytes, 100, 1_070)
      await kept.sweep(1_060)
      assert.equal(await kept.has(root), true)
      await kept.sweep(1_070)
      assert.equal(await kept.has(root), false)
      assert.equal(await kept.keep(random.bytes(32), 9_000), false)
    })

    it('asks before a lease ends', async () => {
      const roots = [await put(10, 1_010), await put(20, 1_010), await put(30, 1_010)]
      const asked: string[] = []
      const renew = async (root: Uint8Array): Promise<number | undefined> => {
        asked.push(toHex(root))
        return equal(root, roots[0]!) ? 1_100 : equal(root, roots[1]!) ? 1_010 : undefined
      }
      const report = await kept.sweep(1_020, renew)
      assert.deepEqual(report, { expiredPieces: 2, purgedPieces: 0 })
      assert.deepEqual(asked.sort(), roots.map(toHex).sort())
      assert.deepEqual(counted(), [10, 50, 1])
      assert.deepEqual(await kept.sweep(1_050, renew), { expiredPieces: 0, purgedPieces: 0 })
      assert.deepEqual(await kept.sweep(1_100), { expiredPieces: 1, purgedPieces: 0 })
    })

    it('takes no notice of time that goes back', async () => {
      const root = await put(10)
      await kept.sweep(5)
      await kept.remove(root)
      await kept.sweep(1_099)
      assert.deepEqual(counted(), [0, 10, 0])
      await kept.sweep(1_100)
      assert.deepEqual(counted(), [0, 0, 0])
    })

    it('scrubs every piece, and says how far it is', async () => {
      const lengths = [1, 20_000, 3_000_00, 5_000]
      for (const length of lengths) await put(length)
      await kept.remove(await put(7_000))
      const totalBytes = lengths.reduce((sum, length) => sum + length, 0)
      const onDamage = (): void => assert.fail('no piece is damaged')
      let taken = 0
      const pacer = {
        take: async (bytes: number) => {
          taken += bytes
        }
      }
      const found = { checkedBytes: totalBytes, totalBytes, damagedPieces: 0 }
      assert.deepEqual(await kept.scrub({ pacer, onDamage }), { ...found, passes: 1 })
      assert.ok(taken >= totalBytes)
      assert.deepEqual(await kept.scrub({ pacer, onDamage }), { ...found, passes: 2 })
      assert.deepEqual(kept.scrubProgress(), { ...found, checkedBytes: 0, passes: 2 })
      const signal = AbortSignal.abort()
      await assert.rejects(kept.scrub({ pacer, onDamage, signal }), { name: 'AbortError' })
    })
  })

  async function assertAbsent(root: Uint8Array): Promise<void> {
    assert.equal(await store.has(root), false)
    assert.equal(await store.stat(root), undefined)
    await assert.rejects(store.groupCvs(root), { code: 'PIECE_NOT_FOUND' })
    await assert.rejects(store.readGroups(root, 0, 1), { code: 'PIECE_NOT_FOUND' })
    assert.equal(await store.remove(root), false)
  }

  function assertUsage(expected: {
    usedBytes: number
    reservedBytes: number
    pieces: number
  }): void {
    const { usedBytes, reservedBytes, pieces, quotaBytes, readOnly } = store.usage()
    assert.deepEqual({ usedBytes, reservedBytes, pieces }, expected)
    assert.deepEqual({ quotaBytes, readOnly }, { quotaBytes: QUOTA_BYTES, readOnly: false })
  }
}
