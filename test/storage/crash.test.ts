import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { equal, fromHex, toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { GROUP_BYTES } from '../../src/base/limits.ts'
import { createDiskPieceStore } from '../../src/storage/disk-piece-store.ts'
import { outboardOf } from '../contracts/piece-store.ts'
import { suiteRandom } from './random.ts'
import { makeTempFolder, removeTempFolder } from './temp-folder.ts'

const ROUNDS = 5
const CHILD = join(import.meta.dirname, 'crash-child.ts')

/** What the child said about a root: stored, being removed (either is right), removed. */
type Said = '+' | '?' | '-'

describe('disk piece store killed in the middle of writes', function () {
  this.timeout(60_000)
  const random = suiteRandom()
  const said = new Map<string, Said>()
  let dir: string

  before(async () => {
    dir = await makeTempFolder()
  })

  after(() => removeTempFolder(dir))

  /** Runs the child until it has printed so many lines, then kills it. */
  async function writeAndKill(lines: number, seed: number): Promise<void> {
    const child = spawn(process.execPath, [CHILD, dir, String(seed)], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const exit = once(child, 'exit')
    let left = lines
    // Lines printed before the kill and read after it are acknowledgements too.
    for await (const line of createInterface({ input: child.stdout })) {
      const match = /^([+?-]) ([0-9a-f]{64})$/.exec(line)
      if (match === null) continue
      said.set(match[2]!, match[1] as Said)
      left -= 1
      if (left === 0) child.kill('SIGKILL')
    }
    assert.deepEqual(await exit, [null, 'SIGKILL'])
  }

  async function bytesUnder(folder: string): Promise<{ bytes: number; names: string[] }> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    const files = entries.filter(entry => entry.isFile())
    const sizes = await Promise.all(
      files.map(async file => (await stat(join(file.parentPath, file.name))).size)
    )
    const bytes = sizes.reduce((sum, size) => sum + size, 0)
    return { bytes, names: files.map(file => file.name) }
  }

  it('holds everything it acknowledged, and nothing it removed', async () => {
    const seed = random.below(2 ** 32)
    for (let round = 0; round < ROUNDS; round++) {
      await writeAndKill(1 + random.below(60), seed + round)
      await using store = createDiskPieceStore({ dir, quotaBytes: 1_000_000_000 })
      await store.open()
      assert.deepEqual(store.recovery()!.lost, [])
      for (const [rootHex, last] of said) {
        const root = fromHex(rootHex)
        const held = await store.stat(root)
        if (last === '-') assert.equal(held, undefined, `${rootHex} was removed`)
        if (last === '+') assert.ok(held !== undefined, `${rootHex} was acknowledged`)
        if (held === undefined) continue
        const groups = Math.ceil(held.bytes / GROUP_BYTES)
        const { bytes, damaged } = await store.readGroups(root, 0, groups)
        assert.ok(damaged.length === 0 && equal(sha256(bytes), root), `${rootHex} is whole`)
        assert.ok(equal(await store.groupCvs(root), outboardOf(bytes)))
      }
      const listed: string[] = []
      for await (const piece of store.roots()) listed.push(toHex(piece.root))
      const onDisk = await bytesUnder(join(dir, 'pieces'))
      assert.deepEqual(listed, onDisk.names.sort())
      assert.equal(store.usage().usedBytes, onDisk.bytes)
      assert.equal(store.usage().pieces, listed.length)
    }
    assert.ok([...said.values()].includes('+'))
  })
})
