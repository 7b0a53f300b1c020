/** Providers of pieces over the network in memory: honest ones run the real server, hostile ones everything else. */
import assert from 'node:assert/strict'
import { encodeDocument } from '../../../src/base/codec.ts'
import { HoldfastError } from '../../../src/base/errors.ts'
import { GROUP_BYTES } from '../../../src/base/limits.ts'
import type { Channel, ChannelHandler } from '../../../src/node/net/types.ts'
import * as messages from '../../../src/node/wire/piece-messages.ts'
import { bytesOfGroup, commitPiece, openRange } from '../../../src/proofs/index.ts'
import type { SeededRandom } from '../../storage/random.ts'

export interface HeldPiece {
  bytes: Uint8Array
  root: Uint8Array
  groupCvs: Uint8Array
}

export function held(bytes: Uint8Array): HeldPiece {
  const { root, groupCvs } = commitPiece(bytes)
  return { bytes, root, groupCvs }
}

/** What one request would be answered with by an honest provider. */
interface Answer {
  firstGroup: number
  header: messages.GetAnswerMessage
  body: Uint8Array
}

function honestAnswer(piece: HeldPiece, request: messages.GetRequestMessage): Answer {
  const { firstGroup, groups } = request
  const pieceBytes = piece.bytes.length
  const last = firstGroup + groups - 1
  const end = last * GROUP_BYTES + bytesOfGroup(pieceBytes, last)
  const proof = openRange({ groupCvs: piece.groupCvs, pieceBytes, firstGroup, groups })
  return {
    firstGroup,
    header: { pieceBytes, ...proof, damaged: [] },
    body: piece.bytes.subarray(firstGroup * GROUP_BYTES, end)
  }
}

/** Answers one request; returning ends the channel, never resolving stalls it. */
export type Behaviour = (
  channel: Channel,
  answer: Answer,
  random: SeededRandom,
  signal: AbortSignal
) => Promise<void>

const frame = (channel: Channel, value: unknown): Promise<void> =>
  channel.writeFrame(encodeDocument(value))

const flipOne = (bytes: Uint8Array, random: SeededRandom): Uint8Array => {
  const changed = bytes.slice()
  changed[random.below(changed.length)]! ^= 1 << random.below(8)
  return changed
}

const untilGone = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

/**
 * Every way to fail that an honest reader must survive. Where the header is true and the body is not, good groups still
 * count; everything else spends the source.
 */
export const HOSTILE: Readonly<Record<string, Behaviour>> = {
  'flips a bit of the body': async (channel, { header, body }, random) => {
    await frame(channel, header)
    await channel.write(flipOne(body, random))
  },
  'sends zeros': async (channel, { header, body }) => {
    await frame(channel, header)
    await channel.write(new Uint8Array(body.length))
  },
  'flips a bit of the proof': async (channel, { header, body }, random) => {
    await frame(channel, { ...header, cvs: flipOne(header.cvs, random) })
    await channel.write(body)
  },
  'leaves out chaining values': async (channel, { header, body }) => {
    await frame(channel, { ...header, cvs: header.cvs.subarray(32) })
    await channel.write(body)
  },
  'adds siblings': async (channel, { header, body }, random) => {
    await frame(channel, { ...header, siblings: [...header.siblings, random.bytes(32)] })
    await channel.write(body)
  },
  'claims another length': async (channel, { header, body }) => {
    await frame(channel, { ...header, pieceBytes: header.pieceBytes + 1 })
    await channel.write(body)
  },
  'claims a length of nothing': async (channel, { header }) => {
    await frame(channel, { ...header, pieceBytes: 0 })
  },
  'stops inside the body': async (channel, { header, body }, random) => {
    await frame(channel, header)
    await channel.write(body.subarray(0, random.below(body.length)))
    await channel.close()
  },
  'resets inside the body': async (channel, { header, body }, random) => {
    await frame(channel, header)
    await channel.write(body.subarray(0, random.below(body.length)))
    throw new HoldfastError('ABORTED', 'reset')
  },
  'stops inside the header': async (channel, { header }, random) => {
    const bytes = encodeDocument(header)
    const framed = new Uint8Array(4 + bytes.length)
    new DataView(framed.buffer).setUint32(0, bytes.length)
    framed.set(bytes, 4)
    await channel.write(framed.subarray(0, 1 + random.below(framed.length - 1)))
    await channel.close()
  },
  'says nothing and hangs up': async () => {},
  'announces four gigabytes': async channel => {
    await channel.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0))
  },
  'sends noise': async (channel, _, random) => {
    await channel.write(random.bytes(1 + random.below(5000)))
    await channel.close()
  },
  'sends a frame of noise': async (channel, _, random) => {
    await channel.writeFrame(random.bytes(random.below(500)))
  },
  'sends frames without end': async (channel, { header }, _, signal) => {
    while (!signal.aborted) await frame(channel, { ...header, siblings: [] })
  },
  'answers with an error': async channel => {
    await frame(channel, { error: { code: 'PIECE_NOT_FOUND', message: 'gone\u001b[2J\n' } })
  },
  'answers with an unknown error': async channel => {
    await frame(channel, { error: { code: 'HACKED', message: 'x'.repeat(500) } })
  },
  'answers another question': async (channel, { header, body }) => {
    await frame(channel, { ok: true })
    await frame(channel, header)
    await channel.write(body)
  },
  'says that all is damaged': async (channel, { firstGroup, header, body }) => {
    const groups = Math.ceil(body.length / GROUP_BYTES)
    const damaged = Array.from({ length: groups }, (_, i) => firstGroup + i)
    await frame(channel, { ...header, damaged })
  },
  'names damage that is none of ours': async (channel, { header, body }) => {
    await frame(channel, { ...header, damaged: [-1, 4096] })
    await channel.write(body)
  }
}

/** Those that never end by themselves: only the reader can end them. */
export const STALLING: Readonly<Record<string, Behaviour>> = {
  'never answers': async (_channel, _answer, _random, signal) => untilGone(signal),
  'stalls inside the body': async (channel, { header, body }, random, signal) => {
    await frame(channel, header)
    await channel.write(body.subarray(0, random.below(body.length)))
    await untilGone(signal)
  }
}

/** Slow, and right. */
export const TRICKLING: Behaviour = async (channel, { header, body }, random) => {
  await frame(channel, header)
  for (let at = 0; at < body.length; ) {
    const bytes = 1 + random.below(7000)
    await channel.write(body.subarray(at, at + bytes))
    at += bytes
  }
}

/** One of those above by its name. */
export function behaviour(name: string): Behaviour {
  const found = HOSTILE[name] ?? STALLING[name]
  assert.ok(found !== undefined, name)
  return found
}

/** Serves the piece-get protocol with one behaviour for every request. */
export function serving(piece: HeldPiece, behave: Behaviour, random: SeededRandom): ChannelHandler {
  return async (channel, signal) => {
    for (;;) {
      const request = await messages.receiveMessage(channel, messages.getRequest, { signal })
      if (request === undefined) return
      await behave(channel, honestAnswer(piece, request), random, signal)
      if (behave === HOSTILE['says nothing and hangs up']) return
    }
  }
}
