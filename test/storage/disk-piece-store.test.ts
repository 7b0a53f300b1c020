import assert from 'node:assert/strict'
import {
  access,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile
} from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { GROUP_BYTES } from '../../src/base/limits.ts'
import { createDiskPieceStore, type DiskPieceStore } from '../../src/storage/disk-piece-store.ts'
import { outboardOf, storePiece } from '../contracts/piece-store.ts'
import { suiteRandom } from './random.ts'
import { makeTempFolder, removeTempFolder } from './temp-folder.ts'

const QUOTA_BYTES = 10_000_000

describe('disk piece store', () => {
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

  async function openStore(): Promise<DiskPieceStore> {
    const store = createDiskPieceStore({ dir, quotaBytes: QUOTA_BYTES })
    await store.open()
    opened.push(store)
    return store
  }

  function pathOf(root: Uint8Array): string {
    return join(dir, 'pieces', toHex(root).slice(0, 2), toHex(root))
  }

  async function filesUnder(folder: string): Promise<string[]> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  }

  it('keeps the bytes of a piece and nothing else in its file', async () => {
    const store = await openStore()
    const bytes = random.bytes(50_000)
    const root = await storePiece(store, bytes)
    assert.deepEqual(new Uint8Array(await readFile(pathOf(root))), bytes)
    assert.deepEqual(await filesUnder(join(dir, 'pieces')), [pathOf(root)])
  })

  it('opens with what it held', async () => {
    const first = await openStore()
    const pieces = Array.from({ length: 20 }, () => random.bytes(1 + random.below(50_000)))
    for (const bytes of pieces) await storePiece(first, bytes)
    await first.remove(sha256(pieces[0]!))
    const usage = first.usage()
    await first.close()
    const second = await openStore()
    assert.deepEqual(second.usage(), usage)
    assert.deepEqual(second.recovery(), { partials: 0, orphans: 0, lost: [], foreign: [] })
    assert.equal(await second.has(sha256(pieces[0]!)), false)
    for (const bytes of pieces.slice(1)) {
      const root = sha256(bytes)
      const groups = Math.ceil(bytes.length / GROUP_BYTES)
      assert.deepEqual(await second.readGroups(root, 0, groups), { bytes, damaged: [] })
      assert.deepEqual(await second.groupCvs(root), outboardOf(bytes))
    }
  })

  it('removes partial files and files that were never acknowledged', async () => {
    const first = await openStore()
    const root = await storePiece(first, random.bytes(100))
    await first.close()
    const orphan = pathOf(Uint8Array.of(...root.subarray(0, 31), root[31]! ^ 1))
    await writeFile(orphan, 'written, renamed, not indexed')
    await writeFile(join(dir, 'pieces', 'stage-0.partial'), 'half')
    const foreign = join(dir, 'pieces', toHex(root).slice(0, 2), 'lost+found')
    await writeFile(foreign, 'not ours')
    const second = await openStore()
    const report = { partials: 1, orphans: 1, lost: [], foreign: ['lost+found'] }
    assert.deepEqual(second.recovery(), report)
    assert.deepEqual((await filesUnder(join(dir, 'pieces'))).sort(), [pathOf(root), foreign].sort())
    assert.equal(second.usage().usedBytes, 100)
  })

  it('reports and drops pieces whose file is missing or of another length', async () => {
    const first = await openStore()
    const sizes = [1000, 2000, 3000, 4000]
    const roots: Uint8Array[] = []
    for (const size of sizes) roots.push(await storePiece(first, random.bytes(size)))
    await first.close()
    await rm(pathOf(roots[0]!))
    await truncate(pathOf(roots[1]!), 1999)
    await truncate(pathOf(roots[2]!), 3001)
    const second = await openStore()
    const lost = second.recovery()!.lost.map(piece => toHex(piece.root))
    assert.deepEqual(lost.sort(), roots.slice(0, 3).map(toHex).sort())
    assert.equal(await second.has(roots[1]!), false)
    assert.deepEqual(
      [
        second.usage().usedBytes,
        second.usage().pieces,
        (await filesUnder(join(dir, 'pieces'))).length
      ],
      [4000, 1, 1]
    )
  })

  it('does not forget its pieces when their disk is not mounted', async () => {
    const first = await openStore()
    const root = await storePiece(first, random.bytes(1000))
    await first.close()
    const away = join(dir, 'elsewhere')
    await rename(join(dir, 'pieces'), away)
    await assert.rejects(openStore(), { code: 'STORE_READ_ONLY' })
    await mkdir(join(dir, 'pieces'))
    await assert.rejects(openStore(), { code: 'STORE_READ_ONLY' })
    await rm(join(dir, 'pieces'), { recursive: true })
    await rename(away, join(dir, 'pieces'))
    assert.equal(await (await openStore()).has(root), true)
  })

  it('does not delete pieces when their index is gone', async () => {
    const first = await openStore()
    const root = await storePiece(first, random.bytes(1000))
    await first.close()
    await rm(join(dir, 'piece-index'), { recursive: true })
    await assert.rejects(openStore(), { code: 'STORE_READ_ONLY' })
    await assert.rejects(openStore(), { code: 'STORE_READ_ONLY' })
    await access(pathOf(root))
  })

  it('lets one process in', async () => {
    await openStore()
    await assert.rejects(openStore(), { code: 'HOME_IN_USE' })
  })

  it('names exactly the damaged groups', async () => {
    const store = await openStore()
    const bytes = random.bytes(5 * GROUP_BYTES + 100)
    const root = await storePiece(store, bytes)
    for (const group of [1, 5]) {
      const file = await open(pathOf(root), 'r+')
      const at = group * GROUP_BYTES + random.below(100)
      await file.write(Uint8Array.of(bytes[at]! ^ (1 << random.below(8))), 0, 1, at)
      await file.close()
    }
    assert.deepEqual((await store.readGroups(root, 0, 6)).damaged, [1, 5])
    assert.deepEqual((await store.readGroups(root, 2, 3)).damaged, [])
    assert.deepEqual((await store.readGroups(root, 5, 1)).damaged, [5])
    await truncate(pathOf(root), 3 * GROUP_BYTES)
    assert.deepEqual((await store.readGroups(root, 0, 6)).damaged, [1, 3, 4, 5])
    // Committing the same root again heals it.
    await storePiece(store, bytes)
    assert.deepEqual(await store.readGroups(root, 0, 6), { bytes, damaged: [] })
    assert.equal(store.usage().usedBytes, bytes.length)
    await rm(pathOf(root))
    await assert.rejects(store.readGroups(root, 0, 1), { code: 'PIECE_NOT_FOUND' })
  })

  it('uses the space it says', async () => {
    const store = await openStore()
    for (let i = 0; i < 10; i++) await storePiece(store, random.bytes(1 + random.below(100_000)))
    const files = await filesUnder(join(dir, 'pieces'))
    const sizes = await Promise.all(files.map(async file => (await stat(file)).size))
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      store.usage().usedBytes
    )
  })
})
