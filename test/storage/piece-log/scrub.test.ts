import assert from 'node:assert/strict'
import { toHex } from '../../../src/base/bytes.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { MIB } from '../../../src/base/limits.ts'
import { createPacer, unpaced } from '../../../src/storage/piece-log/pacer.ts'
import { storePiece } from '../../contracts/piece-store.ts'
import { FaultDisk } from '../../support/fault-disk.ts'
import { FaultIndex } from '../../support/fault-index.ts'
import { suiteRandom } from '../random.ts'
import { simulatedStore } from './history.ts'

describe('scrub of a piece log', () => {
  const random = suiteRandom()

  it('goes on where it was when the process ended, and checks each piece once', async () => {
    let [disk, index] = [new FaultDisk(random), new FaultIndex(random)]
    const first = simulatedStore(disk, index)
    await first.open()
    const pieces = Array.from({ length: 60 }, () => random.bytes(1 + random.below(9_000)))
    for (const bytes of pieces) await storePiece(first, bytes)
    const totalBytes = first.usage().usedBytes
    let budgetBytes = totalBytes / 3
    const stop = new AbortController()
    const pacer = {
      take: async (bytes: number): Promise<void> => {
        budgetBytes -= bytes
        if (budgetBytes < 0) stop.abort()
      }
    }
    const onDamage = (root: Uint8Array): void => assert.fail(`${toHex(root)} is damaged`)
    const stopped = first.scrub({ pacer, onDamage, signal: stop.signal })
    await assert.rejects(stopped, { name: 'AbortError' })
    const { checkedBytes } = first.scrubProgress()
    assert.ok(checkedBytes > 0 && checkedBytes < totalBytes)
    ;[disk, index] = [disk.afterKill(), index.afterKill()]
    const second = simulatedStore(disk, index)
    await second.open()
    assert.ok(second.scrubProgress().checkedBytes > 0)
    let seenBytes = 0
    const counting = {
      take: async (bytes: number): Promise<void> => {
        seenBytes += bytes
      }
    }
    const found = await second.scrub({ pacer: counting, onDamage })
    assert.deepEqual(found, { checkedBytes: totalBytes, totalBytes, damagedPieces: 0, passes: 1 })
    assert.ok(seenBytes < 60 * 16_384, 'not all over again')
  })

  it('finds damage that the trailer cache would hide, and one pass at a time', async () => {
    const disk = new FaultDisk(random)
    const store = simulatedStore(disk, new FaultIndex(random))
    await store.open()
    const root = await storePiece(store, random.bytes(40_000))
    await store.readGroups(root, 0, 1)
    const [path] = disk.paths()
    disk.flip(path!, 64 + 32 + 40_000 + 90)
    const damaged: [string, number[]][] = []
    const onDamage = async (found: Uint8Array, groups: readonly number[]): Promise<void> => {
      damaged.push([toHex(found), [...groups]])
      await assert.rejects(store.scrub({ pacer: unpaced, onDamage }), { code: 'INVALID_ARGUMENT' })
    }
    await store.scrub({ pacer: unpaced, onDamage })
    assert.deepEqual(damaged, [[toHex(root), [0, 1, 2]]])
  })

  it('does not report what was healed, removed or put in the trash meanwhile', async () => {
    const disk = new FaultDisk(random)
    const store = simulatedStore(disk, new FaultIndex(random), { trashTicks: 5 })
    await store.open()
    const bytes = random.bytes(30_000)
    const root = await storePiece(store, bytes)
    disk.flip(disk.paths()[0]!, 64 + 32 + 5)
    await store.remove(sha256(bytes))
    const onDamage = (): void => assert.fail('it is in the trash')
    assert.equal((await store.scrub({ pacer: unpaced, onDamage })).damagedPieces, 0)
    await store.keep(root, 100)
    const reported: string[] = []
    const report = (found: Uint8Array): number => reported.push(toHex(found))
    await store.scrub({ pacer: unpaced, onDamage: async found => void report(found) })
    assert.deepEqual(reported, [toHex(root)])
    await storePiece(store, bytes)
    assert.equal((await store.scrub({ pacer: unpaced, onDamage })).damagedPieces, 0)
  })
})

describe('pacer', () => {
  it('keeps to its budget, saves nothing up, and survives a clock that goes back', async () => {
    let nowMs = 1_000_000
    const slept: number[] = []
    const sleep = async (ms: number): Promise<void> => {
      slept.push(ms)
      nowMs += ms
    }
    const pacer = createPacer({ bytesPerSecond: MIB, clock: { nowMs: () => nowMs }, sleep })
    const startMs = nowMs
    for (let i = 0; i < 10; i++) await pacer.take(MIB)
    assert.equal(nowMs - startMs, 9_000)
    nowMs += 60_000
    slept.length = 0
    await pacer.take(MIB)
    await pacer.take(MIB)
    assert.deepEqual(slept, [1_000])
    nowMs -= 3_600_000
    slept.length = 0
    await pacer.take(MIB)
    await pacer.take(MIB)
    assert.deepEqual(slept, [1_000])
  })
})
