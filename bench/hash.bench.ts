/** BLAKE3 of piece roots against the pure JavaScript oracle and the native SHA-256 of Node. CPU time of one thread. */
import { hash } from 'node:crypto'
import { blake3 as nobleBlake3 } from '@noble/hashes/blake3.js'
import { assert } from '../src/base/assert.ts'
import { equal } from '../src/base/bytes.ts'
import { KIB, MIB } from '../src/base/limits.ts'
import { blake3 } from '../src/proofs/index.ts'
import { compare, cpuLoop, rowOf } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { randomBytes } from './support/bytes.ts'
import type { Area } from './types.ts'

const SIZES: readonly number[] = [1 * KIB, 64 * KIB, 1 * MIB]
const PEERS: readonly string[] = ['noble-blake3', 'node-sha256']

export const area: Area = {
  name: 'hash',
  about: 'BLAKE3 of src/proofs against @noble/hashes and SHA-256 of node:crypto',
  async *run(context) {
    for (const bytes of SIZES) {
      const input = randomBytes(bytes)
      assert(equal(blake3(input), nobleBlake3(input)), 'both compute BLAKE3')
      const rounds = await compare(
        [
          cpuLoop('ours', bytes, () => blake3(input)),
          cpuLoop('noble-blake3', bytes, () => nobleBlake3(input)),
          cpuLoop('node-sha256', bytes, () => hash('sha256', input, 'buffer'))
        ],
        context
      )
      const name = rowName('hash', 'blake3', { size: sizeOf(bytes) })
      yield rowOf(rounds, {
        name,
        ours: 'ours',
        peers: PEERS,
        unit: 'MB',
        basis: 'cpu',
        guard: true
      })
    }
  }
}
