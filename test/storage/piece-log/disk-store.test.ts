/** The piece store on a real disk, with `level` for its index. */
import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../../src/base/hash.ts'
import { GROUP_BYTES } from '../../../src/base/limits.ts'
import {
  createDiskPieceStore,
  type DiskPieceStore
} from '../../../src/storage/piece-log/piece-log-store.ts'
import type { DiskPieceStoreInit } from '../../../src/storage/piece-log/store-parts.ts'
import { outboardOf, storePiece } from '../../contracts/piece-store.ts'
import { suiteRandom } from '../random.ts'
import { diskUse, makeTempFolder, removeTempFolder } from '../temp-folder.ts'

const QUOTA_BYTES = 100_000_000

describe('piece log on a real disk', () => {
  const random = suiteRandom()
  let dir: string
  const opened: DiskPieceStore[] = []

  beforeEach(async () => {
    dir = await makeTempFolder()
  })

  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    await removeTempFolder(dir)
  })

  async function openStore(init: Partial<DiskPieceStoreInit> = {}): Promise<DiskPieceStore> {
    const store = createDiskPieceStore({ dir, quotaBytes: QUOTA_BYTES, ...init })
    await store.open()
    opened.push(store)
    return store
  }

  async function assertReads(store: DiskPieceStore, bytes: Uint8Array): Promise<void> {
    const groups = Math.ceil(bytes.length / GROUP_BYTES)
    assert.deepEqual(await store.readGroups(sha256(bytes), 0, groups), { bytes, damaged: [] })
    assert.deepEqual(await store.groupCvs(sha256(bytes)), outboardOf(bytes))
  }

  async function storeSome(store: DiskPieceStore, count: number): Promise<Uint8Array[]> {
    const pieces = Array.from({ length: count }, () => random.bytes(1 + random.below(300_000)))
    await Promise.all(pieces.map(bytes => storePiece(store, bytes, 65_536)))
    return pieces
  }

  it('opens with what it held, without reading a log', async () => {
    const first = await openStore()
    const pieces = await storeSome(first, 30)
    await first.remove(sha256(pieces[0]!))
    await first.settled()
    const usage = first.usage()
    await first.close()
    const second = await openStore()
    assert.deepEqual(second.usage(), usage)
    assert.deepEqual(second.recovery(), {
      ...{ rebuilt: false, scannedBytes: 0, tornTails: [], damaged: [], lost: [], foreign: [] }
    })
    assert.equal(await second.has(sha256(pieces[0]!)), false)
    for (const bytes of pieces.slice(1)) await assertReads(second, bytes)
  })

  it('comes back from its logs alone', async () => {
    const first = await openStore({ trashTicks: 10 })
    const pieces = await storeSome(first, 30)
    for (const bytes of pieces.slice(0, 5)) await first.remove(sha256(bytes))
    await first.keep(sha256(pieces[0]!), 5_000)
    await first.settled()
    const usage = first.usage()
    await first.close()
    await rm(join(dir, 'piece-index'), { recursive: true })
    const second = await openStore({ trashTicks: 10 })
    assert.equal(second.recovery()!.rebuilt, true)
    assert.deepEqual(second.usage(), usage)
    for (const bytes of [pieces[0]!, ...pieces.slice(5)]) await assertReads(second, bytes)
    for (const bytes of pieces.slice(1, 5)) assert.equal(await second.has(sha256(bytes)), false)
    assert.equal(await second.keep(sha256(pieces[1]!), 5_000), true)
    await assertReads(second, pieces[1]!)
  })

  it('counts what the file system counts, and gives back what is removed', async () => {
    const limits = { logBytesMax: 4_000_000, garbageBytesFree: 500_000 }
    const store = await openStore({ limits })
    const pieces = await storeSome(store, 120)
    const check = async (): Promise<number> => {
      await store.settled()
      const { diskBytes, usedBytes, garbageBytes } = store.usage()
      const { apparentBytes, allocatedBytes } = await diskUse(join(dir, 'pieces'))
      assert.equal(diskBytes, apparentBytes)
      assert.ok(Math.abs(allocatedBytes - diskBytes) < 0.01 * allocatedBytes)
      assert.ok(garbageBytes <= Math.max(500_000, 0.2 * diskBytes))
      return diskBytes / usedBytes
    }
    assert.ok((await check()) < 1.01)
    for (const bytes of pieces.filter((_, i) => i % 3 > 0)) await store.remove(sha256(bytes))
    assert.ok((await check()) < 1.3, 'space amplification')
    for (const bytes of pieces.filter((_, i) => i % 3 === 0)) await assertReads(store, bytes)
  })

  it('keeps nothing but its logs under pieces', async () => {
    const store = await openStore()
    await storeSome(store, 3)
    const names = await readdir(join(dir, 'pieces'))
    assert.ok(names.length > 0 && names.every(name => /^[0-9a-f]{8}-\d+\.log$/.test(name)))
    await store.close()
    await writeFile(join(dir, 'pieces', 'lost+found'), 'not ours')
    assert.deepEqual((await openStore()).recovery()!.foreign, ['lost+found'])
    assert.equal(await readFile(join(dir, 'pieces', 'lost+found'), 'utf8'), 'not ours')
  })

  it('spreads over several folders, and says which is not mounted', async () => {
    const disks = ['a', 'b'].map(name => ({ folder: join(dir, name), quotaBytes: 1_000_000 }))
    const first = await openStore({ disks })
    assert.equal(first.usage().quotaBytes, 2_000_000)
    const pieces = Array.from({ length: 6 }, () => random.bytes(300_000))
    for (const bytes of pieces) await storePiece(first, bytes)
    await assert.rejects(storePiece(first, random.bytes(300_000)), { code: 'QUOTA_EXCEEDED' })
    for (const { folder } of disks) assert.ok((await diskUse(folder)).apparentBytes > 900_000)
    await first.close()
    await rename(disks[1]!.folder, join(dir, 'elsewhere'))
    await assert.rejects(openStore({ disks }), {
      code: 'STORE_READ_ONLY',
      message: /\/b is missing/
    })
    await assert.rejects(openStore({ disks: disks.slice(0, 1) }), { code: 'STORE_READ_ONLY' })
    await rm(disks[1]!.folder, { recursive: true, force: true })
    await rename(join(dir, 'elsewhere'), disks[1]!.folder)
    const second = await openStore({ disks: disks.toReversed() })
    for (const bytes of pieces) await assertReads(second, bytes)
  })

  it('goes on reading and removing with a quota below its use', async () => {
    const first = await openStore()
    const pieces = await storeSome(first, 5)
    await first.close()
    const second = await openStore({ quotaBytes: 10 })
    await assert.rejects(second.stage(1), { code: 'QUOTA_EXCEEDED' })
    for (const bytes of pieces) await assertReads(second, bytes)
    for (const bytes of pieces) assert.equal(await second.remove(sha256(bytes)), true)
    await (await second.stage(10)).abort()
  })

  it('lets one process in', async () => {
    await openStore()
    await assert.rejects(openStore(), { code: 'HOME_IN_USE' })
  })

  it('says so when its folder cannot be made', async () => {
    await mkdir(join(dir, 'file'))
    await writeFile(join(dir, 'file', 'pieces'), '')
    const store = createDiskPieceStore({ dir: join(dir, 'file'), quotaBytes: 1 })
    await assert.rejects(store.open(), { code: 'STORE_READ_ONLY' })
  })

  it('reads pieces that move under its hands', async () => {
    const limits = { logBytesMax: 300_000, smallBytesMax: 5_000, garbageBytesFree: 0 }
    const store = await openStore({ limits, groupTicks: 10 })
    const kept = Array.from({ length: 20 }, () => random.bytes(1 + random.below(20_000)))
    for (const bytes of kept) await storePiece(store, bytes)
    let isDone = false
    const churn = async (): Promise<void> => {
      for (let round = 0; round < 60; round++) {
        const root = await storePiece(store, random.bytes(20_000))
        await store.keep(sha256(kept[round % kept.length]!), 1_000 + round)
        await store.remove(root)
      }
      isDone = true
    }
    const read = async (): Promise<void> => {
      while (!isDone) await assertReads(store, kept[random.below(kept.length)]!)
    }
    await Promise.all([churn(), read(), read()])
    await store.settled()
    assert.ok((await stat(join(dir, 'pieces'))).isDirectory())
  })

  it('is read-only when its folder has become so', async function () {
    if (process.getuid?.() === 0) this.skip() // root may write everywhere
    const store = await openStore()
    await chmod(join(dir, 'pieces'), 0o500)
    await assert.rejects(storePiece(store, random.bytes(10)), { code: 'STORE_READ_ONLY' })
    await chmod(join(dir, 'pieces'), 0o700)
  })
})
