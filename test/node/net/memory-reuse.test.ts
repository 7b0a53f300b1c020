/** Whose memory is whose: writers change theirs as soon as a write resolves, readers read into memory of their own. */
import assert from 'node:assert/strict'
import { KIB, MIB } from '../../../src/base/limits.ts'
import { COPIED_BYTES_MAX, SEND_CHUNK_BYTES } from '../../../src/node/net/limits.ts'
import type { Channel } from '../../../src/node/net/types.ts'
import { channelTo, Digest, SEED, type SeededRandom, seededRandom, testNets } from './support.ts'

const TOTAL_BYTES: number = 24 * MIB
const WRITE_BYTES_MAX: number = 3 * SEND_CHUNK_BYTES
/** Where writing and reading change their ways, and one byte to each side of it. */
const EDGES: readonly number[] = [1, 16 * KIB, COPIED_BYTES_MAX, SEND_CHUNK_BYTES].flatMap(
  bytes => [bytes - 1, bytes, bytes + 1]
)

describe('node/net memory', () => {
  const nets = testNets()
  afterEach(() => nets.stopAll())

  it('carries what was in it when it was given, however writes and reads are cut', async () => {
    const [a, b] = await Promise.all([nets.start(), nets.start()])
    const read = Promise.withResolvers<string>()
    const channel = await channelTo(a, b, far => {
      const digest = readAll(far, seededRandom(`${SEED} read`))
      digest.then(read.resolve, read.reject)
      return digest.then(() => {})
    })
    const written = await writeAll(channel, seededRandom(`${SEED} write`))
    assert.equal(await read.promise, written, `seed ${SEED}`)
  })
})

/** One memory for all writes, filled anew for each. Digest of what was written. */
async function writeAll(channel: Channel, random: SeededRandom): Promise<string> {
  const digest = new Digest()
  const memory = new Uint8Array(WRITE_BYTES_MAX)
  const source = random.bytes(WRITE_BYTES_MAX + 256)
  for (let left = TOTAL_BYTES; left > 0; ) {
    const bytes = memory.subarray(0, Math.min(left, sizeFrom(random)))
    bytes.set(source.subarray(random.below(256)).subarray(0, bytes.length))
    digest.add(bytes)
    await channel.write(bytes)
    left -= bytes.length
  }
  await channel.closeWrite()
  return digest.hex()
}

/** Every way to read, in turn. Digest of what was read. */
async function readAll(channel: Channel, random: SeededRandom): Promise<string> {
  const digest = new Digest()
  const target = new Uint8Array(WRITE_BYTES_MAX)
  /** Looked at only after later reads: nothing may have changed or freed it. */
  const kept: Uint8Array[] = []
  for (let left = TOTAL_BYTES; left > 0; ) {
    const length = Math.min(left, sizeFrom(random))
    const way = random.below(3)
    const into = target.slice(0, way === 0 ? length : 0)
    if (way === 0) await channel.readInto(into)
    const bytes =
      way === 0
        ? into
        : way === 1
          ? await channel.readExactly(length)
          : await channel.readSome(length)
    assert.ok(bytes !== undefined && bytes.length > 0, `ended early, seed ${SEED}`)
    kept.push(bytes)
    left -= bytes.length
    if (kept.length > 8) digest.add(kept.shift()!)
  }
  for (const bytes of kept) digest.add(bytes)
  return digest.hex()
}

function sizeFrom(random: SeededRandom): number {
  const edge = EDGES[random.below(2 * EDGES.length)] ?? 1 + random.below(WRITE_BYTES_MAX)
  return Math.max(1, edge)
}
