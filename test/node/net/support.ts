/** Nodes on 127.0.0.1 in this process, seeded bytes, and waiting for conditions instead of times. */
import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { type ErrorCode, HoldfastError } from '../../../src/base/errors.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { signingKeyFromSeed } from '../../../src/base/keys.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { createNet } from '../../../src/node/net/p2p.ts'
import type { Channel, ChannelHandler, Net, NetInit } from '../../../src/node/net/types.ts'

export const TEST_PROTOCOL = '/holdfast/test/1.0.0'
export const NETWORK_ID: string = 'ab'.repeat(32)

/** Replays a run of the seeded tests. */
export const SEED: string = process.env['HOLDFAST_TEST_SEED'] ?? String(Date.now())

export interface TestNets {
  start(init?: Partial<NetInit>): Promise<Net>
  create(init?: Partial<NetInit>): Promise<Net>
  stopAll(): Promise<void>
}

/** Started nodes that stop together; keys differ within the process. */
export function testNets(): TestNets {
  const nets: Net[] = []
  const create = async (init: Partial<NetInit> = {}): Promise<Net> => {
    const net = await createNet({
      key: signingKeyFromSeed(nextSeed()),
      bootstrap: [],
      networkId: NETWORK_ID,
      roles: [],
      userAgent: 'holdfast-test',
      logger: silentLogger,
      ...init
    })
    nets.push(net)
    return net
  }
  return {
    create,
    start: async init => {
      const net = await create(init)
      await net.start()
      return net
    },
    stopAll: async () => {
      await Promise.all(nets.splice(0).map(net => net.stop()))
    }
  }
}

let keys = 0

export function nextSeed(): Uint8Array {
  keys += 1
  return sha256(new TextEncoder().encode(`test key ${keys}`))
}

export function addressOf(net: Net): string {
  return net.addresses()[0]!
}

/** A channel from one node to another whose handler is `handler`. */
export async function channelTo(from: Net, to: Net, handler: ChannelHandler): Promise<Channel> {
  to.handle(TEST_PROTOCOL, handler)
  await from.connect(addressOf(to))
  return await from.open(to.peerId, TEST_PROTOCOL)
}

/** Resolves once the condition holds; fails after 8 seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const startMs = performance.now()
  while (!condition()) {
    if (performance.now() - startMs > 8_000) assert.fail(`never: ${what}`)
    await turn()
  }
}

export async function rejectsWith(
  code: ErrorCode,
  promise: Promise<unknown>
): Promise<HoldfastError> {
  let found: unknown
  await assert.rejects(promise, error => {
    found = error
    assert.ok(HoldfastError.is(error), String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
  return found as HoldfastError
}

export interface SeededRandom {
  /** Below `bound`, itself at most 2^32. */
  below(bound: number): number
  bytes(length: number): Uint8Array
}

/** The same numbers and bytes for the same text: an AES-CTR key stream. */
export function seededRandom(seed: string): SeededRandom {
  const key = sha256(new TextEncoder().encode(seed))
  const stream = createCipheriv('aes-256-ctr', key, new Uint8Array(16))
  const bytes = (length: number): Uint8Array =>
    new Uint8Array(stream.update(new Uint8Array(length)))
  return {
    bytes,
    below: bound => new DataView(bytes(4).buffer).getUint32(0) % bound
  }
}

/** Hex SHA-256 fed in parts. */
export class Digest {
  readonly #hash = createHash('sha256')
  add(bytes: Uint8Array): void {
    this.#hash.update(bytes)
  }
  hex(): string {
    return this.#hash.digest('hex')
  }
}
