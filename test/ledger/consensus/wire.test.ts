/** Messages on the wire: everything reads back; nothing hostile does more than a typed error. */
import assert from 'node:assert/strict'
import { equal } from '../../../src/base/bytes.ts'
import { HoldfastError } from '../../../src/base/errors.ts'
import {
  HAVE_BLOCKS_MAX,
  HAVE_VOTES_MAX,
  MESSAGE_BYTES_MAX,
  NEED_BLOCKS_MAX,
  NEED_VIEWS_MAX
} from '../../../src/ledger/consensus/limits.ts'
import type { Message } from '../../../src/ledger/consensus/types.ts'
import { decodeMessage, encodeMessage } from '../../../src/ledger/consensus/wire.ts'
import { BitArray } from '../../../src/ledger/types/ssz.ts'
import { itRandom, type TestRandom } from '../../proofs/random.ts'
import { Actors, blockNamed, finalize, HEIGHT, notarize, nullify } from './support.ts'

const actors = new Actors([1n, 1n, 1n, 1n])
const certs = [actors.cert(nullify, 1n, [0, 1, 2]), actors.cert(notarize, 2n, [1, 2, 3], 'a')]
const need = {
  height: HEIGHT,
  view: 2n ** 64n - 1n,
  lacking: BitArray.fromBoolArray([true, false, true]),
  blocks: [blockNamed('a').blockHash]
}
const have = {
  height: HEIGHT,
  certs,
  votes: [actors.vote(0, finalize, 2n, 'a'), actors.vote(3, nullify, 9n)],
  proposals: [actors.proposal({ view: 3n, base: 2n, justify: certs, name: 'a' })],
  blocks: [blockNamed('a').block]
}
const messages: Message[] = [
  { type: 'proposal', proposal: actors.proposal({ view: 1n, name: 'a' }) },
  {
    type: 'proposal',
    proposal: actors.proposal({ view: 3n, base: 2n, justify: certs, name: 'a' })
  },
  { type: 'vote', vote: actors.vote(2, notarize, 5n, 'b') },
  { type: 'need', need },
  { type: 'need', need: { ...need, lacking: BitArray.fromBoolArray([]), blocks: [] } },
  { type: 'have', have },
  { type: 'have', have: { height: 0n, certs: [], votes: [], proposals: [], blocks: [] } }
]

function refuses(bytes: Uint8Array, code: 'PROTOCOL_VIOLATION' | 'FRAME_TOO_LARGE'): void {
  assert.throws(
    () => decodeMessage(bytes),
    (error: unknown) => HoldfastError.is(error, code)
  )
}

/** Bytes flipped, cut, put in or swapped. */
function mutated(bytes: Uint8Array, random: TestRandom): Uint8Array {
  const out = new Uint8Array(bytes)
  switch (random.int(4)) {
    case 0:
      return out.subarray(0, random.int(out.length))
    case 1:
      return new Uint8Array([...out, ...random.bytes(1 + random.int(4))])
    case 2:
      out[random.int(Math.min(out.length, 64))] = random.int(256)
      return out
    default:
      for (let i = 0; i <= random.int(4); i++) out[random.int(out.length)] = random.int(256)
      return out
  }
}

describe('consensus wire', () => {
  it('reads back what it writes', () => {
    for (const message of messages) {
      assert.deepEqual(decodeMessage(encodeMessage(message)), message)
    }
  })

  it('refuses what is too long, empty, of an unknown kind, cut or continued', () => {
    refuses(new Uint8Array(MESSAGE_BYTES_MAX + 1), 'FRAME_TOO_LARGE')
    refuses(new Uint8Array(0), 'PROTOCOL_VIOLATION')
    for (const message of messages) {
      const bytes = encodeMessage(message)
      for (const kind of [0, 5, 255]) {
        refuses(Uint8Array.of(kind, ...bytes.subarray(1)), 'PROTOCOL_VIOLATION')
      }
      for (let length = 1; length < Math.min(bytes.length, 40); length++) {
        if (length < 11) refuses(bytes.subarray(0, length), 'PROTOCOL_VIOLATION')
      }
    }
  })

  it('refuses lists above their maxima', () => {
    const empty = { height: 1n, certs: [], votes: [], proposals: [], blocks: [] }
    const many = <T>(value: T, count: number): T[] => Array.from({ length: count }, () => value)
    const vote = actors.vote(0, nullify, 1n)
    const allowed: Message[] = [
      { type: 'have', have: { ...empty, votes: many(vote, HAVE_VOTES_MAX) } },
      { type: 'need', need: { ...need, blocks: many(new Uint8Array(32), NEED_BLOCKS_MAX) } }
    ]
    for (const message of allowed) assert.deepEqual(decodeMessage(encodeMessage(message)), message)
    const bits = BitArray.fromBoolArray(many(true, NEED_VIEWS_MAX + 1))
    const tooMany: Message[] = [
      { type: 'have', have: { ...empty, votes: many(vote, HAVE_VOTES_MAX + 1) } },
      { type: 'have', have: { ...empty, blocks: many(new Uint8Array(1), HAVE_BLOCKS_MAX + 1) } },
      { type: 'need', need: { ...need, blocks: many(new Uint8Array(32), NEED_BLOCKS_MAX + 1) } },
      { type: 'need', need: { ...need, lacking: bits } }
    ]
    for (const message of tooMany) refuses(encodeMessage(message), 'PROTOCOL_VIOLATION')
  })

  itRandom('decodes mutated bytes to a typed error or to their one encoding', random => {
    const encoded = messages.map(encodeMessage)
    let decoded = 0
    for (let i = 0; i < 20_000; i++) {
      const bytes = mutated(encoded[random.int(encoded.length)]!, random)
      let message: Message
      try {
        message = decodeMessage(bytes)
      } catch (error) {
        assert.ok(HoldfastError.is(error, 'PROTOCOL_VIOLATION'), String(error))
        continue
      }
      decoded++
      assert.ok(equal(encodeMessage(message), bytes), 'one encoding')
    }
    assert.ok(decoded > 0 && decoded < 20_000)
  })
})
