/** SIGKILL in the middle of puts, removals and compaction, on a real disk; HOLDFAST_KILLS says how often. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { equal, fromHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { GROUP_BYTES } from '../../src/base/limits.ts'
import type { DiskPieceStore } from '../../src/storage/piece-log/piece-log-store.ts'
import { outboardOf } from '../contracts/piece-store.ts'
import { crashStore } from './crash-store.ts'
import { suiteRandom } from './random.ts'
import { diskUse, makeTempFolder, removeTempFolder } from './temp-folder.ts'

const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 10)
const CHILD = join(import.meta.dirname, 'crash-child.ts')

/** What the child said about a root: stored, being removed (either is right), removed. */
type Said = '+' | '?' | '-'

describe('disk piece store killed in the middle of writes', function () {
  this.timeout(20_000 * KILLS)
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

  async function assertPiece(store: DiskPieceStore, rootHex: string, last: Said): Promise<void> {
    const root = fromHex(rootHex)
    const held = await store.stat(root)
    if (last === '-') assert.equal(held, undefined, `${rootHex} was removed`)
    if (last === '+') assert.ok(held !== undefined, `${rootHex} was acknowledged`)
    if (held === undefined) return
    const groups = Math.ceil(held.bytes / GROUP_BYTES)
    const { bytes, damaged } = await store.readGroups(root, 0, groups)
    assert.ok(damaged.length === 0 && equal(sha256(bytes), root), `${rootHex} is whole`)
    assert.ok(equal(await store.groupCvs(root), outboardOf(bytes)))
  }

  /** Counters against the list of pieces and against what the file system counts. */
  async function assertCounters(store: DiskPieceStore): Promise<void> {
    let [pieces, usedBytes] = [0, 0]
    for await (const { bytes } of store.roots()) {
      pieces += 1
      usedBytes += bytes
    }
    const usage = store.usage()
    assert.deepEqual([usage.pieces, usage.usedBytes], [pieces, usedBytes])
    const { apparentBytes, allocatedBytes } = await diskUse(join(dir, 'pieces'))
    assert.equal(usage.diskBytes, apparentBytes)
    // Blocks: one of 4 KiB may be partly used at the end of each log.
    if (apparentBytes > 4_000_000) {
      const difference = Math.abs(allocatedBytes - usage.diskBytes)
      assert.ok(difference < 0.01 * allocatedBytes, `${usage.diskBytes} against ${allocatedBytes}`)
    }
  }

  it(`holds everything it acknowledged and nothing it removed, over ${KILLS} kills`, async () => {
    const seed = random.below(2 ** 32)
    for (let kill = 0; kill < KILLS; kill++) {
      await writeAndKill(1 + random.below(400), seed + kill)
      await using store = crashStore(dir)
      await store.open()
      const { lost, damaged, foreign } = store.recovery()!
      assert.deepEqual({ lost, damaged, foreign }, { lost: [], damaged: [], foreign: [] })
      for (const [rootHex, last] of said) await assertPiece(store, rootHex, last)
      await store.settled()
      await assertCounters(store)
    }
    assert.ok([...said.values()].includes('+'))
  })
})
