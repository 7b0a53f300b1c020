import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../src/base/hash.ts'
import { createDiskPieceStore, type DiskPieceStore } from '../../src/storage/disk-piece-store.ts'
import { createPieceFiles, type PieceFiles } from '../../src/storage/piece-files.ts'
import { storePiece } from '../contracts/piece-store.ts'
import { observeFiles, type Step } from './observed-files.ts'
import { suiteRandom } from './random.ts'
import { makeTempFolder, removeTempFolder } from './temp-folder.ts'

const QUOTA_BYTES = 10_000_000
const STEPS: Step[] = ['create', 'write', 'sync', 'publish', 'published']

describe('disk piece store on a failing disk', () => {
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

  async function openStore(files: PieceFiles = realFiles()): Promise<DiskPieceStore> {
    const store = createDiskPieceStore({ dir, quotaBytes: QUOTA_BYTES, files })
    await store.open()
    opened.push(store)
    return store
  }

  function realFiles(): PieceFiles {
    return createPieceFiles(join(dir, 'pieces'))
  }

  /** Real files whose named step fails with that error code, until healed. */
  function faultyFiles(faulty: Step, code: string): { files: PieceFiles; heal: () => void } {
    let failing = true
    const files = observeFiles(realFiles(), step => {
      if (failing && step === faulty) throw Object.assign(new Error(`${code}: ${step}`), { code })
    })
    const heal = (): void => {
      failing = false
    }
    return { files, heal }
  }

  async function filesUnder(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries.filter(entry => entry.isFile()).map(entry => entry.name)
  }

  it('acknowledges only after file, folder and index', async () => {
    const steps: string[] = []
    const store = await openStore(
      observeFiles(realFiles(), async (step, root) => {
        const indexed = root !== undefined && (await store.has(root))
        steps.push(indexed ? `${step}, indexed` : step)
      })
    )
    const root = await storePiece(store, random.bytes(100))
    assert.ok(await store.has(root))
    await store.remove(root)
    assert.deepEqual(steps, ['create', 'write', 'sync', 'publish', 'published', 'remove'])
  })

  for (const step of STEPS) {
    it(`frees everything when the disk is full at ${step}`, async () => {
      const { files, heal } = faultyFiles(step, 'ENOSPC')
      const store = await openStore(files)
      const bytes = random.bytes(1000)
      await assert.rejects(storePiece(store, bytes), { code: 'QUOTA_EXCEEDED' })
      const { usedBytes, reservedBytes, readOnly } = store.usage()
      assert.deepEqual([usedBytes, reservedBytes, readOnly], [0, 0, false])
      assert.deepEqual(await filesUnder(join(dir, 'pieces')), [])
      assert.equal(await store.has(sha256(bytes)), false)
      heal()
      await storePiece(store, bytes)
      assert.equal(store.usage().usedBytes, 1000)
    })

    for (const code of ['EIO', 'EROFS']) {
      it(`turns read-only on ${code} at ${step}`, async () => {
        const before = await openStore()
        const kept = await storePiece(before, random.bytes(500))
        await before.close()
        const store = await openStore(faultyFiles(step, code).files)
        const bytes = random.bytes(1000)
        await assert.rejects(storePiece(store, bytes), { code: 'STORE_READ_ONLY' })
        await assert.rejects(store.stage(1), { code: 'STORE_READ_ONLY' })
        const { usedBytes, reservedBytes, readOnly } = store.usage()
        assert.deepEqual([usedBytes, reservedBytes, readOnly], [500, 0, true])
        assert.equal(await store.has(sha256(bytes)), false)
        assert.equal((await store.readGroups(kept, 0, 1)).bytes.length, 500)
        await store.close()
        assert.equal((await openStore()).usage().usedBytes, 500)
      })
    }
  }

  it('stays writable when the process runs out of file handles', async () => {
    const { files, heal } = faultyFiles('create', 'EMFILE')
    const store = await openStore(files)
    await assert.rejects(store.stage(1), { code: 'STORE_READ_ONLY', retryable: true })
    heal()
    await storePiece(store, random.bytes(10))
  })

  it('refuses to go on with pieces that were staged before', async () => {
    const { files } = faultyFiles('sync', 'EIO')
    const store = await openStore(files)
    const staged = await store.stage(10)
    await staged.write(random.bytes(10))
    await assert.rejects(storePiece(store, random.bytes(10)), { code: 'STORE_READ_ONLY' })
    await assert.rejects(staged.commit(random.bytes(32), random.bytes(0)), {
      code: 'STORE_READ_ONLY'
    })
    assert.equal(store.usage().reservedBytes, 0)
  })

  it('says so when a file cannot be read at all', async () => {
    const { files } = faultyFiles('read', 'EIO')
    const store = await openStore(files)
    const root = await storePiece(store, random.bytes(10))
    await assert.rejects(store.readGroups(root, 0, 1), { code: 'PIECE_DAMAGED' })
  })

  it('passes bugs on as they are', async () => {
    const store = await openStore()
    const staged = await store.stage(10)
    await staged.write(random.bytes(10))
    await assert.rejects(staged.commit(random.bytes(31), random.bytes(0)), {
      name: 'AssertionError'
    })
    assert.equal(store.usage().readOnly, false)
  })
})
