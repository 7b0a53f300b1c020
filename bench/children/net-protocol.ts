/** A node of the bench's own network on loopback, and the sending end of a transfer. See net-peer.ts. */
import { randomBytes as secureRandomBytes } from 'node:crypto'
import { u64be } from '../../src/base/bytes.ts'
import { signingKeyFromSeed } from '../../src/base/keys.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { createNet } from '../../src/node/net/p2p.ts'
import type { Channel, Net } from '../../src/node/net/types.ts'
import { randomBytes } from '../support/bytes.ts'
import { WRITE_BYTES } from './tcp-protocol.ts'

export const BENCH_PROTOCOL = '/holdfast/bench/1.0.0'
const CHUNK = randomBytes(WRITE_BYTES)

export async function createBenchNet(): Promise<Net> {
  return await createNet({
    key: signingKeyFromSeed(secureRandomBytes(32)),
    bootstrap: [],
    networkId: 'be'.repeat(32),
    roles: [],
    userAgent: 'holdfast-bench',
    logger: silentLogger
  })
}

/** Resolves when the peer has said that it has all of them. */
export async function sendOverNet(channel: Channel, bytes: number): Promise<void> {
  await channel.write(u64be(bytes))
  for (let left = bytes; left > 0; left -= WRITE_BYTES) {
    await channel.write(left < WRITE_BYTES ? CHUNK.subarray(0, left) : CHUNK)
  }
  await channel.readFrame(1)
}
