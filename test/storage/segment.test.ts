import assert from 'node:assert/strict'
import { concat } from '../../src/base/bytes.ts'
import { cutSegments } from '../../src/storage/segment.ts'
import { type SeededRandom, suiteRandom } from './random.ts'

/** The bytes in chunks of random length, in one buffer that is overwritten for each chunk. */
async function* chunked(bytes: Uint8Array, random: SeededRandom): AsyncGenerator<Uint8Array> {
  const reused = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, random.below(bytes.length + 1))
    reused.set(bytes.subarray(at, at + length))
    yield reused.subarray(0, length)
    at += length
  }
}

describe('segment', () => {
  const random = suiteRandom()

  it('cuts any stream into whole segments and a rest', async () => {
    for (const length of [0, 1, 99, 100, 101, 199, 200, 201, 1000, 1234]) {
      const bytes = random.bytes(length)
      const segments: Uint8Array[] = []
      for await (const segment of cutSegments(chunked(bytes, random), 100)) segments.push(segment)
      assert.equal(segments.length, Math.ceil(length / 100))
      assert.ok(segments.slice(0, -1).every(segment => segment.length === 100))
      assert.deepEqual(concat(...segments), bytes)
    }
  })

  it('grows its buffer with the stream', async () => {
    const bytes = random.bytes(300_000)
    const segments: Uint8Array[] = []
    for await (const segment of cutSegments(chunked(bytes, random), 1 << 20)) segments.push(segment)
    assert.equal(segments.length, 1)
    assert.deepEqual(concat(...segments), bytes)
  })

  it('takes turns with the buffers of the caller', async () => {
    const bytes = random.bytes(450)
    const buffers = [new Uint8Array(100), new Uint8Array(128)]
    let before: { segment: Uint8Array; copy: Uint8Array } | undefined
    const copies: Uint8Array[] = []
    for await (const segment of cutSegments(chunked(bytes, random), 100, buffers)) {
      assert.equal(segment.buffer, buffers[copies.length % 2]!.buffer)
      // The segment before this one still holds its bytes.
      if (before !== undefined) assert.deepEqual(before.segment, before.copy)
      before = { segment, copy: segment.slice() }
      copies.push(before.copy)
    }
    assert.deepEqual(concat(...copies), bytes)
  })

  it('ends the source when the caller stops early, and passes its failure on', async () => {
    let ended = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(64)
      } finally {
        ended = true
      }
    }
    for await (const segment of cutSegments(endless(), 100)) {
      assert.equal(segment.length, 100)
      break
    }
    assert.ok(ended)
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10)
      throw new Error('disk on fire')
    }
    await assert.rejects(cutSegments(failing(), 100).next(), { message: 'disk on fire' })
  })

  it('insists on usable buffers', async () => {
    const source = chunked(random.bytes(10), random)
    const cut = cutSegments(source, 100, [new Uint8Array(99)])
    await assert.rejects(cut.next(), { name: 'AssertionError' })
    await assert.rejects(cutSegments(source, 100, []).next(), { name: 'AssertionError' })
  })
})
