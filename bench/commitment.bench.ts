/** Commitment to a piece as it streams: its root and the chaining values of all its groups. CPU time of one thread. */
import { createHash } from 'node:crypto'
import { blake3 } from '@noble/hashes/blake3.js'
import { KIB, MIB } from '../src/base/limits.ts'
import { createCommitter } from '../src/proofs/index.ts'
import { compare, cpuLoop, rowOf } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { randomBytes } from './support/bytes.ts'
import type { Area } from './types.ts'

const PIECE_BYTES: number = 8 * MIB
/** What a provider reads from its stream at a time. */
const CHUNK_BYTES: number = 256 * KIB

export const area: Area = {
  name: 'commitment',
  about: 'streaming commitment of a piece against plain hashes of the same stream',
  async *run(context) {
    const piece = randomBytes(PIECE_BYTES)
    const stream = (update: (chunk: Uint8Array) => unknown): void => {
      for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
        update(piece.subarray(at, at + CHUNK_BYTES))
      }
    }
    const rounds = await compare(
      [
        cpuLoop('ours', PIECE_BYTES, () => {
          const committer = createCommitter()
          stream(chunk => committer.update(chunk))
          committer.finish()
        }),
        cpuLoop('noble-blake3', PIECE_BYTES, () => {
          const state = blake3.create()
          stream(chunk => state.update(chunk))
          state.digest()
        }),
        cpuLoop('node-sha256', PIECE_BYTES, () => {
          const state = createHash('sha256')
          stream(chunk => state.update(chunk))
          state.digest()
        })
      ],
      context
    )
    yield rowOf(rounds, {
      name: rowName('commitment', 'piece', { size: sizeOf(PIECE_BYTES) }),
      ...{ ours: 'ours', peers: ['noble-blake3', 'node-sha256'], unit: 'MB', basis: 'cpu' },
      guard: true
    })
  }
}
