/** What each kind of disk trouble does to a store: full, failing, slow to give, rotten, cut, taken away, foreign. */
import assert from 'node:assert/strict'
import { toHex } from '../../../src/base/bytes.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { GROUP_BYTES } from '../../../src/base/limits.ts'
import { unpaced } from '../../../src/storage/piece-log/pacer.ts'
import type { DiskPieceStore } from '../../../src/storage/piece-log/piece-log-store.ts'
import { outboardOf, storePiece } from '../../contracts/piece-store.ts'
import { FaultDisk, type FaultPlan, type StepKind } from '../../support/fault-disk.ts'
import { FaultIndex } from '../../support/fault-index.ts'
import { suiteRandom } from '../random.ts'
import { listedIn, simulatedStore } from './history.ts'

const SMALL = 1_000
const LARGE = 40_000
const WRITING: StepKind[] = ['create', 'write', 'sync', 'syncFolder']

describe('piece log on a disk in trouble', () => {
  const random = suiteRandom()
  let disk: FaultDisk
  let index: FaultIndex

  beforeEach(() => {
    disk = new FaultDisk(random)
    index = new FaultIndex(random)
  })

  async function open(plan: FaultPlan = {}): Promise<DiskPieceStore> {
    disk.plan = plan
    const store = simulatedStore(disk, index)
    await store.open()
    return store
  }

  async function assertReads(store: DiskPieceStore, bytes: Uint8Array): Promise<void> {
    const groups = Math.ceil(bytes.length / GROUP_BYTES)
    assert.deepEqual(await store.readGroups(sha256(bytes), 0, groups), { bytes, damaged: [] })
    assert.deepEqual(await store.groupCvs(sha256(bytes)), outboardOf(bytes))
  }

  for (const kind of WRITING) {
    for (const length of [SMALL, LARGE]) {
      it(`frees everything when the disk is full at ${kind}, piece of ${length}`, async () => {
        const refuse = (step: StepKind): string | undefined =>
          step === kind ? 'ENOSPC' : undefined
        const store = await open({ refuse })
        const bytes = random.bytes(length)
        await assert.rejects(storePiece(store, bytes), { code: 'QUOTA_EXCEEDED', retryable: true })
        const { usedBytes, reservedBytes, readOnly } = store.usage()
        assert.deepEqual([usedBytes, reservedBytes, readOnly], [0, 0, false])
        assert.equal(await store.has(sha256(bytes)), false)
        disk.plan = {}
        await storePiece(store, bytes)
        await assertReads(store, bytes)
        assert.equal(store.usage().diskBytes, disk.totalBytes())
        await store.close()
      })

      for (const code of ['EIO', 'EROFS']) {
        it(`turns read-only on ${code} at ${kind}, piece of ${length}`, async () => {
          const before = await open()
          // In another group, so that the next piece needs a new log.
          const kept = random.bytes(500)
          const staged = await before.stage(500, 5)
          await staged.write(kept)
          await staged.commit(sha256(kept), outboardOf(kept))
          await before.close()
          const store = await open({ refuse: step => (step === kind ? code : undefined) })
          const bytes = random.bytes(length)
          await assert.rejects(storePiece(store, bytes), { code: 'STORE_READ_ONLY' })
          await assert.rejects(store.stage(1), { code: 'STORE_READ_ONLY' })
          await assert.rejects(store.remove(sha256(kept)), { code: 'STORE_READ_ONLY' })
          const { usedBytes, reservedBytes, readOnly } = store.usage()
          assert.deepEqual([usedBytes, reservedBytes, readOnly], [500, 0, true])
          assert.equal(await store.has(sha256(bytes)), false)
          await assertReads(store, kept)
          await store.close()
          const again = await open()
          assert.equal(again.usage().readOnly, false)
          await assertReads(again, kept)
          await again.close()
        })
      }
    }
  }

  it('turns read-only when the index cannot be written', async () => {
    const store = await open()
    const kept = random.bytes(SMALL)
    await storePiece(store, kept)
    index.refusal = 'EIO'
    await assert.rejects(storePiece(store, random.bytes(SMALL)), { code: 'STORE_READ_ONLY' })
    assert.equal(store.usage().readOnly, true)
    await assertReads(store, kept)
    await store.close()
    index.refusal = undefined
    await assertReads(await open(), kept)
  })

  it('stays writable when the process runs out of file handles', async () => {
    const store = await open({ refuse: step => (step === 'create' ? 'EMFILE' : undefined) })
    await assert.rejects(store.stage(LARGE), { code: 'STORE_READ_ONLY', retryable: true })
    disk.plan = {}
    await storePiece(store, random.bytes(10))
  })

  it('ends what was staged before the trouble', async () => {
    const store = await open()
    const staged = await store.stage(10)
    await staged.write(random.bytes(10))
    disk.plan = { refuse: step => (step === 'sync' ? 'EIO' : undefined) }
    await assert.rejects(storePiece(store, random.bytes(10)), { code: 'STORE_READ_ONLY' })
    const late = staged.commit(random.bytes(32), random.bytes(0))
    await assert.rejects(late, { code: 'STORE_READ_ONLY' })
    assert.equal(store.usage().reservedBytes, 0)
  })

  it('passes bugs on as they are', async () => {
    const store = await open()
    const staged = await store.stage(10)
    await staged.write(random.bytes(10))
    const wrong = staged.commit(random.bytes(31), random.bytes(0))
    await assert.rejects(wrong, { name: 'AssertionError' })
    assert.equal(store.usage().readOnly, false)
    await storePiece(store, random.bytes(10))
  })

  it('says so when a log cannot be opened, and which groups cannot be read', async () => {
    const first = await open()
    const bytes = random.bytes(3 * GROUP_BYTES)
    const root = await storePiece(first, bytes)
    await first.close()
    const store = await open({ refuse: step => (step === 'open' ? 'EIO' : undefined) })
    await assert.rejects(store.readGroups(root, 0, 1), { code: 'PIECE_DAMAGED' })
    disk.plan = { refuse: step => (step === 'read' ? 'EIO' : undefined) }
    const { damaged } = await store.readGroups(root, 0, 3)
    assert.deepEqual(damaged, [0, 1, 2])
    disk.plan = {}
    await assertReads(store, bytes)
  })

  it('refuses more bytes in flight than it was told, and one piece never', async () => {
    const store = await open()
    const first = await store.stage(900_000)
    await assert.rejects(store.stage(100_001), { code: 'STORE_BUSY', retryable: true })
    await first.abort()
    const huge = await store.stage(2_000_000)
    await huge.abort()
  })

  describe('with flipped bits', () => {
    /** Pieces in one log, and where each record lies. */
    async function filled(): Promise<{ pieces: Uint8Array[]; path: string }> {
      const store = await open()
      const pieces = [500, 20_000, 700, 1, 17_000, 2_000].map(length => random.bytes(length))
      for (const bytes of pieces) await storePiece(store, bytes)
      await store.close()
      const [path, ...rest] = disk.paths()
      assert.deepEqual(rest, [])
      return { pieces, path: path! }
    }

    async function intact(
      store: DiskPieceStore,
      pieces: readonly Uint8Array[]
    ): Promise<boolean[]> {
      return await Promise.all(
        pieces.map(async bytes => {
          try {
            await assertReads(store, bytes)
            return true
          } catch {
            return false
          }
        })
      )
    }

    it('damages no piece but the one they are in, and says so; healing is a commit', async () => {
      const { pieces, path } = await filled()
      for (let round = 0; round < 60; round++) {
        const [clean, cleanIndex] = [disk.afterKill(), index.afterKill()]
        disk.flip(path, random.below(disk.bytesOf(path).length))
        const store = await open()
        const good = await intact(store, pieces)
        assert.ok(good.filter(isGood => !isGood).length <= 1)
        const reported: string[] = []
        const onDamage = (root: Uint8Array): void => void reported.push(toHex(root))
        const { damagedPieces } = await store.scrub({ pacer: unpaced, onDamage })
        const expected = pieces.filter((_, i) => !good[i]).map(bytes => toHex(sha256(bytes)))
        assert.deepEqual([reported, damagedPieces], [expected, expected.length])
        for (const [i, bytes] of pieces.entries()) if (!good[i]) await storePiece(store, bytes)
        assert.deepEqual(
          await intact(store, pieces),
          pieces.map(() => true)
        )
        await store.close()
        ;[disk, index] = [clean, cleanIndex]
      }
    })

    it('costs a rebuild of the index no piece but the one they are in', async () => {
      const { pieces, path } = await filled()
      for (let round = 0; round < 100; round++) {
        const clean = disk.afterKill()
        disk.flip(path, random.below(disk.bytesOf(path).length))
        index = new FaultIndex(random)
        const store = await open()
        assert.ok((await intact(store, pieces)).filter(isGood => !isGood).length <= 1)
        const { damaged, tornTails, rebuilt } = store.recovery()!
        assert.ok(rebuilt && damaged.length + tornTails.length <= 1)
        await store.close()
        disk = clean
      }
    })

    it('are copied as they are by compaction, and stay visible', async () => {
      const store = await open()
      const rotten = random.bytes(3 * GROUP_BYTES)
      await storePiece(store, rotten)
      const [path] = disk.paths()
      disk.flip(path!, 64 + 32 + GROUP_BYTES + 5)
      const gone = await Promise.all(
        Array.from({ length: 30 }, () => storePiece(store, random.bytes(1_500)))
      )
      for (const root of gone) await store.remove(root)
      await store.settled()
      assert.ok(!disk.paths().includes(path!), 'the log was compacted')
      assert.deepEqual((await store.readGroups(sha256(rotten), 0, 3)).damaged, [1])
    })
  })

  it('reports what is lost when logs are cut or missing, and goes on', async () => {
    const first = await open()
    const pieces = Array.from({ length: 8 }, () => random.bytes(30_000))
    for (const bytes of pieces) await storePiece(first, bytes)
    await first.close()
    const [gone, cut] = disk.paths()
    disk.remove(gone!)
    disk.cut(cut!, 35_000)
    const store = await open()
    const listed = await listedIn(store)
    const lost = store.recovery()!.lost.map(({ root }) => toHex(root))
    assert.equal(lost.length, 3)
    assert.deepEqual([...listed.keys(), ...lost].sort(), pieces.map(b => toHex(sha256(b))).sort())
    for (const bytes of pieces)
      if (listed.has(toHex(sha256(bytes)))) await assertReads(store, bytes)
    assert.equal(store.usage().diskBytes, disk.totalBytes())
    assert.equal(store.usage().usedBytes, 5 * 30_000)
  })

  it('refuses logs of another node, and an index of another node', async () => {
    const theirDisk = new FaultDisk(random)
    const theirIndex = new FaultIndex(random)
    const theirs = simulatedStore(theirDisk, theirIndex, { identity: 2 })
    await theirs.open()
    await storePiece(theirs, random.bytes(SMALL))
    await theirs.close()
    await assert.rejects(simulatedStore(theirDisk, index).open(), { code: 'STORE_READ_ONLY' })
    await assert.rejects(simulatedStore(theirDisk, theirIndex).open(), { code: 'STORE_READ_ONLY' })
    const before = await open()
    await before.stage(1, 3).then(staged => staged.abort())
    const mine = random.bytes(SMALL)
    await storePiece(before, mine)
    await before.close()
    // Their log under a name that is still free here.
    const [theirPath] = theirDisk.paths()
    const renamed = theirPath!.replace('00000001', '0000002a')
    theirDisk.rename(theirPath!, renamed)
    theirDisk.copyInto(disk, renamed)
    const store = await open()
    assert.deepEqual(store.recovery()!.foreign, [renamed.slice('/node/pieces/'.length)])
    assert.equal(store.usage().pieces, 1)
    await assertReads(store, mine)
    assert.ok(disk.paths().includes(renamed), 'left alone')
  })

  it('does not forget its pieces while their disk is not mounted', async () => {
    const before = await open()
    const bytes = random.bytes(SMALL)
    await storePiece(before, bytes)
    await before.close()
    const mounted = disk
    disk = new FaultDisk(random)
    await assert.rejects(open(), { code: 'STORE_READ_ONLY' })
    disk = mounted
    await assertReads(await open(), bytes)
  })

  it('takes no bytes of a client for a record', async () => {
    // A whole log of another store, and of this one, inside a piece whose own record is damaged.
    const first = await open()
    await storePiece(first, random.bytes(SMALL))
    const evil = disk.bytesOf(disk.paths()[0]!)
    await storePiece(first, new Uint8Array(evil))
    await first.close()
    const [path] = disk.paths()
    const records = 64 + recordLength(SMALL)
    disk.flip(path!, records + 4)
    disk.flip(path!, disk.bytesOf(path!).length - 60)
    index = new FaultIndex(random)
    const store = await open()
    assert.equal(store.usage().pieces, 1, 'the copy inside the damaged piece does not count')
  })
})

function recordLength(bytes: number): number {
  return 32 + bytes + 80 + 4 * Math.ceil(bytes / GROUP_BYTES) + 32 + 4
}
