/**
 * One piece on one provider that is honest, broken or hostile. Whatever it does, a read ends, gives nothing but bytes
 * of the piece, and names who failed.
 */
import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { GROUP_BYTES } from '../../../src/base/limits.ts'
import type { GroupRun, PieceSource } from '../../../src/node/client/piece-source.ts'
import { bytesOfGroup, groupsOf } from '../../../src/proofs/index.ts'
import { suiteRandom } from '../../storage/random.ts'
import { until } from '../net/support.ts'
import {
  type Behaviour,
  behaviour,
  type HeldPiece,
  HOSTILE,
  held,
  STALLING,
  serving,
  TRICKLING
} from './hostile.ts'
import { PieceNetwork } from './segment-support.ts'

/** The header is true: groups that verify still count, and the source may be asked again. */
const STILL_USEFUL = new Set(['flips a bit of the body', 'sends zeros', 'says that all is damaged'])

describe('piece source', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let piece: HeldPiece
  let network: PieceNetwork
  let source: PieceSource
  let groups: number
  beforeEach(() => {
    piece = held(random.bytes(GROUP_BYTES * 5 + 777))
    groups = groupsOf(piece.bytes.length)
    network = new PieceNetwork(random, [piece])
    ;[source] = network.sources() as [PieceSource]
  })
  afterEach(() => source.close())

  /** Every group that is called good is the group of the piece. */
  function assertTrue({ bytes, good }: GroupRun, firstGroup: number): void {
    for (const [i, isGood] of good.entries()) {
      if (!isGood) continue
      const length = bytesOfGroup(piece.bytes.length, firstGroup + i)
      const at = (firstGroup + i) * GROUP_BYTES
      const found = bytes.subarray(i * GROUP_BYTES, i * GROUP_BYTES + length)
      assert.deepEqual(found, piece.bytes.subarray(at, at + length), `group ${firstGroup + i}`)
    }
  }

  async function assertReads(firstGroup: number, count: number): Promise<void> {
    const run = await source.read(firstGroup, count)
    assert.deepEqual(run.good, new Array(count).fill(true), JSON.stringify(network.failures))
    assertTrue(run, firstGroup)
  }

  it('reads any range of an honest provider, over one stream', async () => {
    await network.honest(0)
    for (let first = 0; first < groups; first++) {
      for (let count = 1; first + count <= groups; count++) await assertReads(first, count)
    }
    assert.deepEqual([network.failures, source.spent], [[], false])
    assert.equal(network.reader.dialled.length, 1)
  })

  it('queues requests behind each other', async () => {
    await network.honest(0)
    const reads = [source.read(0, 2), source.read(2, 1), source.read(5, 1)]
    assert.equal(source.pending, 3)
    for (const [i, first] of [0, 2, 5].entries()) assertTrue(await reads[i]!, first)
    assert.equal(source.pending, 0)
  })

  it('takes bytes that trickle in', async () => {
    network.hostile(0, serving(piece, TRICKLING, random))
    await assertReads(0, groups)
    await assertReads(3, 2)
    assert.deepEqual(network.failures, [])
  })

  for (const [name, behave] of Object.entries<Behaviour>(HOSTILE)) {
    it(`survives a provider that ${name}, and names it`, async () => {
      network.hostile(0, serving(piece, behave, random))
      const run = await source.read(1, groups - 1)
      assertTrue(run, 1)
      assert.equal(run.good.length, groups - 1)
      assert.ok(run.good.includes(false), 'it did get away with it')
      assert.deepEqual(network.named(), [0])
      for (const { reason } of network.failures) assert.match(reason, /^[ -~]{1,600}$/)
      assert.equal(source.spent, !STILL_USEFUL.has(name))
      const told = network.failures.length
      assertTrue(await source.read(0, 1), 0)
      if (source.spent)
        assert.ok(network.failures.length <= told + 1, 'a spent source is left alone')
      source.close()
      await until('the stream ends', () => network.reader.openChannels === 0)
    })
  }

  it('loses only the groups that are wrong', async () => {
    network.hostile(0, serving(piece, behaviour('flips a bit of the body'), random))
    for (let i = 0; i < 10; i++) {
      const { good } = await source.read(0, groups)
      assert.equal(good.filter(isGood => !isGood).length, 1)
    }
    assert.equal(source.spent, false)
  })

  it('is spent when nobody is there, or nobody speaks the protocol', async () => {
    network.providers[0]!.online = false
    assert.ok(!(await source.read(0, 1)).good[0])
    assert.deepEqual([source.spent, network.failures.length], [true, 1])
    await source.read(0, 1)
    assert.equal(network.reader.dialled.length, 1, 'not dialled again')
    const [mute] = network.sources() as [PieceSource]
    network.providers[0]!.online = true
    assert.ok(!(await mute.read(0, 1)).good[0])
    assert.match(network.failures[1]!.reason, /does not speak/)
  })

  it('is spent when the provider dies in the middle', async () => {
    const sent = Promise.withResolvers<void>()
    const dying: Behaviour = async (channel, answer, rng, signal) => {
      sent.resolve()
      await behaviour('stalls inside the body')(channel, answer, rng, signal)
    }
    network.hostile(0, serving(piece, dying, random))
    const reading = source.read(0, groups)
    await sent.promise
    await network.providers[0]!.stop()
    assertTrue(await reading, 0)
    assert.deepEqual([source.spent, network.failures.length], [true, 1])
  })

  for (const [name, behave] of Object.entries<Behaviour>(STALLING)) {
    it(`gives up on a provider that ${name}`, async () => {
      mock.timers.enable({ apis: ['setTimeout'] })
      try {
        network.hostile(0, serving(piece, behave, random))
        const reading = source.read(0, groups)
        let over = false
        void reading.then(() => {
          over = true
        })
        for (let seconds = 0; !over && seconds < 120; seconds++) {
          for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
          mock.timers.tick(1000)
        }
        assert.ok(over, 'two minutes are enough')
        assertTrue(await reading, 0)
        assert.deepEqual([source.spent, network.failures.length], [true, 1])
      } finally {
        mock.timers.reset()
      }
    })

    it(`blames nobody when it is closed while a provider ${name}`, async () => {
      const asked = Promise.withResolvers<void>()
      const stall: Behaviour = async (channel, answer, rng, signal) => {
        asked.resolve()
        await behave(channel, answer, rng, signal)
      }
      network.hostile(0, serving(piece, stall, random))
      const reads = [source.read(0, 1), source.read(1, 1)]
      await asked.promise
      source.close()
      for (const read of reads) assert.deepEqual((await read).good, [false])
      assert.deepEqual(network.failures, [])
      await until('the stream ends', () => network.reader.openChannels === 0)
    })
  }

  it('blames nobody when its reader gives up', async () => {
    network.hostile(0, serving(piece, behaviour('never answers'), random))
    const reading = source.read(0, groups)
    network.abort.abort()
    assert.ok(!(await reading).good.includes(true))
    assert.deepEqual(network.failures, [])
  })
})
