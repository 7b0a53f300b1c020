/**
 * Power cuts at every write and fsync, over random histories on a disk that loses and tears what was not synced.
 * HOLDFAST_SEEDS says how many histories, HOLDFAST_TEST_SEED which one alone.
 */
import assert from 'node:assert/strict'
import { FaultDisk, PowerLine } from '../../support/fault-disk.ts'
import { FaultIndex } from '../../support/fault-index.ts'
import { createRandom } from '../random.ts'
import { GROUP_TICKS, History, listedIn, simulatedStore } from './history.ts'

const SEEDS = Number(process.env['HOLDFAST_SEEDS'] ?? 100)
const CUTS = 3
const CALLS = 40

describe('piece log, with the power cut at any step', function () {
  this.timeout(3_600_000)
  const only = process.env['HOLDFAST_TEST_SEED']
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => i) : [Number(only)]

  it(`loses nothing acknowledged and brings back nothing removed, over ${seeds.length} histories`, async () => {
    for (const seed of seeds) {
      await replayable(seed, () => cutsAnywhere(seed))
    }
  })

  it('does so for every single step of a history', async () => {
    const seed = Number(only ?? 1)
    const steps = await stepsOf(seed)
    for (let crashAt = 1; crashAt <= steps; crashAt++) {
      await replayable(seed, () => cutAt(seed, crashAt))
    }
  })
})

async function replayable(seed: number, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    console.error(`replay with HOLDFAST_TEST_SEED=${seed}`)
    throw error
  }
}

async function cutsAnywhere(seed: number): Promise<void> {
  const random = createRandom(seed)
  const trashTicks = random.below(2) * 8
  const history = new History(random)
  let disk = new FaultDisk(random, { isShort: true })
  let index = new FaultIndex(random, disk.power)
  for (let cut = 0; cut < CUTS; cut++) {
    disk.power.crashAt = disk.power.steps + 1 + random.below(250)
    const store = simulatedStore(disk, index, { trashTicks })
    const crashed = await openAndRun(store, history)
    // The process may end without the machine: then all that was written is there.
    const power = new PowerLine()
    const killed = random.below(3) === 0
    const next = killed
      ? disk.afterKill({ isShort: true }, power)
      : disk.afterCrash({ isShort: true }, power)
    const nextIndex = killed ? index.afterKill(power) : index.afterCrash(power)
    if (!crashed) await store.settled()
    disk.power.isOff = true
    await store.close().catch(() => {})
    ;[disk, index] = [next, nextIndex]
    await verify(disk, index, history, trashTicks)
    disk = disk.afterKill({ isShort: true })
    index = index.afterKill(disk.power)
  }
  await verifyRebuild(disk, index, history, trashTicks)
}

/** True when the power went. */
async function openAndRun(
  store: ReturnType<typeof simulatedStore>,
  history: History
): Promise<boolean> {
  try {
    await store.open()
  } catch {
    return true
  }
  return await history.run(store, CALLS)
}

async function verify(
  disk: FaultDisk,
  index: FaultIndex,
  history: History,
  trashTicks: number
): Promise<void> {
  const store = simulatedStore(disk, index, { trashTicks })
  await store.open()
  const { lost, foreign } = store.recovery()!
  assert.deepEqual({ lost, foreign }, { lost: [], foreign: [] })
  await history.assertTrue(store, disk)
  await store.close()
}

/** Closing loses nothing and leaves nothing to read; an index that is deleted comes back the same. */
async function verifyRebuild(
  disk: FaultDisk,
  index: FaultIndex,
  history: History,
  trashTicks: number
): Promise<void> {
  const first = simulatedStore(disk, index, { trashTicks })
  await first.open()
  await history.run(first, CALLS)
  // Leases are looked at group by group: at the end of one, every lease that has ended is in one that has.
  history.tick = GROUP_TICKS * Math.ceil(history.tick / GROUP_TICKS)
  await first.sweep(history.tick)
  await history.assertTrue(first, disk)
  const listed = await listedIn(first)
  const { usedBytes, trashBytes } = first.usage()
  await first.close()
  const second = simulatedStore(disk, index, { trashTicks })
  await second.open()
  assert.equal(second.recovery()!.scannedBytes, 0)
  await history.assertTrue(second, disk)
  await second.close()
  const rebuilt = simulatedStore(disk, new FaultIndex(createRandom(1)), { trashTicks })
  await rebuilt.open()
  assert.equal(rebuilt.recovery()!.rebuilt, true)
  await rebuilt.sweep(history.tick)
  assert.deepEqual(await listedIn(rebuilt), listed)
  await history.assertTrue(rebuilt, disk)
  const after = rebuilt.usage()
  assert.deepEqual([after.usedBytes, after.trashBytes], [usedBytes, trashBytes])
  await rebuilt.close()
}

async function stepsOf(seed: number): Promise<number> {
  const disk = await runShort(seed, Infinity)
  return disk.disk.power.steps
}

async function cutAt(seed: number, crashAt: number): Promise<void> {
  const { disk, index, history } = await runShort(seed, crashAt)
  const power = new PowerLine()
  await verify(disk.afterCrash({}, power), index.afterCrash(power), history, 0)
}

async function runShort(
  seed: number,
  crashAt: number
): Promise<{ disk: FaultDisk; index: FaultIndex; history: History }> {
  const random = createRandom(seed)
  const disk = new FaultDisk(random, { crashAt })
  const index = new FaultIndex(random, disk.power)
  const history = new History(random)
  const store = simulatedStore(disk, index)
  await openAndRun(store, history)
  await store.close().catch(() => {})
  return { disk, index, history }
}
