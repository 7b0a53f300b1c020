/**
 * The shares of a run of stripes from n providers of which any n-k may be hostile:
 *
 *   honest  h h . . h . h .     k = 4 of n = 8, in random places
 *   hostile . . x x . x . x     each with a behaviour of its own
 */
import assert from 'node:assert/strict'
import { HoldfastError } from '../../../src/base/errors.ts'
import { fetchWindow } from '../../../src/node/client/window-fetch.ts'
import { createSegmentDecoder, plainAt, shareAt } from '../../../src/storage/index.ts'
import { suiteRandom } from '../../storage/random.ts'
import { until } from '../net/support.ts'
import { type Behaviour, behaviour, HOSTILE, STALLING, serving, TRICKLING } from './hostile.ts'
import { PieceNetwork, segmentOf, type TestSegment } from './segment-support.ts'

const PROFILE = { k: 4, n: 8 }
const HEDGE_MS = 20
/** In all of them good groups of other stripes count. */
const behaviours: [string, Behaviour][] = Object.entries<Behaviour>({ ...HOSTILE, ...STALLING })

describe('window fetch', function () {
  this.timeout(60_000)
  const random = suiteRandom()
  let segment: TestSegment
  let network: PieceNetwork
  beforeEach(async () => {
    const { stripePlainBytes } = (await segmentOf(random, PROFILE, 1)).layout
    segment = await segmentOf(random, PROFILE, stripePlainBytes * 3 + random.below(5000) + 1)
    network = new PieceNetwork(random, segment.pieces)
  })

  /** Reads all stripes as one window and decodes them. */
  async function assertReads(hedgeMs = HEDGE_MS): Promise<void> {
    const { layout } = segment
    const sources = network.sources()
    const window = { first: 0, last: layout.stripes - 1 }
    try {
      const { memory, abort } = network
      const fetching = { memory, doubts: () => 0, hedgeMs, signal: abort.signal }
      const { rows } = await fetchWindow(window, { layout, sources, ...fetching })
      assert.equal(rows.length, layout.stripes)
      for (const [stripe, row] of rows.entries()) {
        for (const [index, share] of row.entries()) {
          if (share === undefined) continue
          const { offset, bytes } = shareAt(layout, stripe)
          const expected = segment.pieces[index]!.bytes.subarray(offset, offset + bytes)
          assert.deepEqual(share, expected, `share ${index} of stripe ${stripe}`)
        }
        const plain = createSegmentDecoder(segment).decodeStripe(stripe, row)
        const at = plainAt(layout, stripe)
        assert.deepEqual(plain, segment.plain.subarray(at.offset, at.offset + at.bytes))
      }
    } finally {
      for (const source of sources) source.close()
    }
    await until('no stream stays open', () => network.reader.openChannels === 0)
  }

  /** Hostile ones by index. */
  async function populate(hostile: ReadonlyMap<number, Behaviour>): Promise<void> {
    for (const [index, piece] of segment.pieces.entries()) {
      const behaviour = hostile.get(index)
      if (behaviour === undefined) await network.honest(index)
      else network.hostile(index, serving(piece, behaviour, random))
    }
  }

  for (let round = 1; round <= 12; round++) {
    it(`gives the right bytes with any k honest ones, and accuses none of them (${round})`, async () => {
      const order = random.shuffled([...segment.pieces.keys()])
      const hostile = new Map(
        order
          .slice(0, PROFILE.n - PROFILE.k)
          .map(index => [index, behaviours[random.below(behaviours.length)]![1]])
      )
      await populate(hostile)
      await assertReads()
      for (const index of network.named()) assert.ok(hostile.has(index), `${index} is honest`)
    })
  }

  it('gives the right bytes however all of them fail in turn, when each is right somewhere', async () => {
    // every provider spoils the share of one stripe
    const flips = new Map(
      segment.pieces.map((_, index) => {
        const behaviour: Behaviour = async (channel, answer, rng, signal) => {
          const body = answer.body.slice()
          const { offset } = shareAt(segment.layout, index % segment.layout.stripes)
          body[offset]! ^= 1
          await TRICKLING(channel, { ...answer, body }, rng, signal)
        }
        return [index, behaviour] as const
      })
    )
    await populate(flips)
    await assertReads()
    assert.ok(network.named().length > 0)
  })

  it('asks no more providers than it needs when all is well', async () => {
    await populate(new Map())
    await assertReads(60_000)
    assert.ok(network.reader.dialled.length <= PROFILE.k + 1, `${network.reader.dialled.length}`)
    assert.deepEqual(network.failures, [])
  })

  it('names every liar whose bytes it looked at', async () => {
    const liars = [0, 1, 2]
    await populate(new Map(liars.map(index => [index, behaviour('sends zeros')])))
    await assertReads()
    // the first k+1 are asked at once: three of them lie, so their answers had to be looked at
    assert.deepEqual(network.named(), liars)
    for (const { reason } of network.failures) assert.match(reason, /do not match the piece root/)
  })

  it('does not wait for those that stall', async () => {
    const stalling = [0, 1, 2, 3].map(index => [index, behaviour('never answers')] as const)
    await populate(new Map(stalling))
    await assertReads()
    assert.deepEqual(network.failures, [], 'slow is not a lie')
  })

  it('says how many are missing when there are too few', async () => {
    const gone = [0, 2, 3, 5, 6]
    await populate(new Map(gone.map(index => [index, behaviour('answers with an error')])))
    await assert.rejects(assertReads(), error => {
      assert.ok(HoldfastError.is(error, 'UNRECOVERABLE'))
      assert.deepEqual(error.details, { needed: PROFILE.k, found: PROFILE.n - gone.length })
      assert.ok(error.retryable && error.hint !== undefined)
      return true
    })
    assert.deepEqual(network.named(), gone)
  })

  it('ends when its reader gives up, even if nobody answers', async () => {
    await populate(new Map(segment.pieces.map((_, i) => [i, behaviour('never answers')])))
    const reading = assertReads()
    const refused = assert.rejects(reading, { name: /AbortError|HoldfastError/ })
    await until('someone is asked', () => network.reader.dialled.length >= PROFILE.k)
    network.abort.abort()
    await refused
    assert.deepEqual(network.failures, [])
  })

  it('streams a long segment in order while providers fail and die', async () => {
    const bytes = 6 * 1024 * 1024 + random.below(100_000)
    segment = await segmentOf(random, PROFILE, bytes)
    network = new PieceNetwork(random, segment.pieces)
    const hostile = new Map<number, Behaviour>([
      [random.below(4), behaviour('flips a bit of the body')],
      [4 + random.below(4), behaviour('flips a bit of the body')]
    ])
    await populate(hostile)
    const victims = [...segment.pieces.keys()].filter(index => !hostile.has(index))
    let read = 0
    let killed = 0
    for await (const plain of network.read([segment])) {
      assert.deepEqual(plain, segment.plain.subarray(read, read + plain.length), `at ${read}`)
      read += plain.length
      if (killed < 2 && read > (killed + 1) * 2_000_000) {
        await network.providers[victims[killed++]!]!.stop()
      }
    }
    assert.equal(read, bytes)
    for (const index of network.named()) {
      assert.ok(hostile.has(index) || victims.slice(0, 2).includes(index), `${index} is honest`)
    }
    assert.ok([...hostile.keys()].some(index => network.named().includes(index)))
  })

  it('reads on over the borders of segments while one provider never answers', async () => {
    const segments: TestSegment[] = []
    for (let i = 0; i < 4; i++) {
      segments.push(await segmentOf(random, PROFILE, 1 + random.below(3 * 1024 * 1024)))
    }
    network = new PieceNetwork(
      random,
      segments.flatMap(({ pieces }) => pieces)
    )
    const stalling = new Set(segments.map((_, i) => i * PROFILE.n + random.below(PROFILE.n)))
    for (const [index, piece] of segments.flatMap(({ pieces }) => pieces).entries()) {
      if (stalling.has(index)) {
        network.hostile(index, serving(piece, behaviour('stalls inside the body'), random))
      } else await network.honest(index)
    }
    const plain = Buffer.concat(segments.map(part => part.plain))
    let read = 0
    for await (const chunk of network.read(segments)) {
      assert.ok(plain.subarray(read, read + chunk.length).equals(chunk), `at ${read}`)
      read += chunk.length
    }
    assert.equal(read, plain.length)
    assert.deepEqual(network.failures, [], 'slow is not a lie')
    await until('no stream stays open', () => network.reader.openChannels === 0)
  })
})
