/** Readers that ask for what is not there, ask nonsense, or vanish; and a disk that has lost bytes. */
import assert from 'node:assert/strict'
import { toHex } from '../../../src/base/bytes.ts'
import { type ErrorCode, HoldfastError } from '../../../src/base/errors.ts'
import { GROUP_BYTES } from '../../../src/base/limits.ts'
import { PieceSource } from '../../../src/node/client/piece-source.ts'
import { SharedMemory } from '../../../src/node/client/shared-memory.ts'
import { PIECE_GET_PROTOCOL } from '../../../src/node/net/protocols.ts'
import type { Channel } from '../../../src/node/net/types.ts'
import * as messages from '../../../src/node/wire/piece-messages.ts'
import { createMemoryPieceStore, type PieceStore } from '../../../src/storage/index.ts'
import { suiteRandom } from '../../storage/random.ts'
import { rejectsWith, until } from '../net/support.ts'
import { ProviderWorld, QUOTA_BYTES } from './support.ts'

const GROUPS = 6

/** A store whose reads report damage in some groups, with zeros in their place, as the real one does. */
class DamagedStore {
  readonly groups: Set<number> = new Set()
  readonly store: PieceStore

  constructor() {
    const store = createMemoryPieceStore({ quotaBytes: QUOTA_BYTES })
    const readGroups = store.readGroups.bind(store)
    store.readGroups = async (root, firstGroup, groups) => {
      const read = await readGroups(root, firstGroup, groups)
      const bytes = read.bytes.slice()
      const damaged: number[] = []
      for (let i = 0; i < groups; i++) {
        if (!this.groups.has(firstGroup + i)) continue
        damaged.push(firstGroup + i)
        bytes.fill(0, i * GROUP_BYTES, (i + 1) * GROUP_BYTES)
      }
      return { bytes, damaged }
    }
    this.store = store
  }
}

describe('serving pieces', function () {
  this.timeout(30_000)
  const random = suiteRandom()
  let world: ProviderWorld
  let disk: DamagedStore
  let piece: Uint8Array
  let root: Uint8Array
  beforeEach(async () => {
    disk = new DamagedStore()
    world = await ProviderWorld.make(disk.store)
    piece = random.bytes(GROUP_BYTES * (GROUPS - 1) + 100)
    ;({ root } = await world.place(piece))
  })
  afterEach(() => world.close())

  const open = (): Promise<Channel> =>
    world.stranger.net.open(world.provider.net.peerId, PIECE_GET_PROTOCOL)

  /** Reads through the client's own code. */
  async function read(
    firstGroup: number,
    groups: number
  ): Promise<{ good: boolean[]; bytes: Uint8Array; failures: string[] }> {
    const failures: string[] = []
    const source = new PieceSource({
      net: world.client.net,
      locate: async () => {},
      peerId: world.provider.net.peerId,
      root,
      pieceBytes: piece.length,
      memory: new SharedMemory(),
      signal: new AbortController().signal,
      onFailure: (_, reason) => failures.push(reason),
      onLag: () => {}
    })
    try {
      return { ...(await source.read(firstGroup, groups)), failures }
    } finally {
      source.close()
    }
  }

  async function assertServes(): Promise<void> {
    const { good, bytes, failures } = await read(0, GROUPS)
    assert.deepEqual([good, failures], [new Array(GROUPS).fill(true), []])
    assert.equal(toHex(bytes.subarray(0, piece.length)), toHex(piece))
  }

  async function refuses(code: ErrorCode, request: unknown): Promise<HoldfastError> {
    const channel = await open()
    await messages.sendMessage(channel, request)
    const error = await rejectsWith(code, messages.expectMessage(channel, messages.getAnswer))
    channel.abort(error)
    return error
  }

  it('serves anybody, range after range', async () => {
    await assertServes()
    const channel = await open()
    for (const [firstGroup, groups] of [
      [0, 1],
      [GROUPS - 1, 1],
      [2, 3]
    ] as const) {
      await messages.sendMessage(channel, { root, firstGroup, groups })
      const { pieceBytes } = (await messages.receiveMessage(channel, messages.getAnswer))!
      assert.equal(pieceBytes, piece.length)
      const from = firstGroup * GROUP_BYTES
      const expected = piece.subarray(from, from + groups * GROUP_BYTES)
      assert.equal(toHex(await channel.readExactly(expected.length)), toHex(expected))
    }
    await channel.closeWrite()
    assert.equal(
      await channel.readSome(1),
      undefined,
      'it ends when the reader has no more questions'
    )
  })

  it('refuses what it does not have, and what no piece has', async () => {
    await refuses('PIECE_NOT_FOUND', { root: random.bytes(32), firstGroup: 0, groups: 1 })
    const refused: unknown[] = [
      { root, firstGroup: GROUPS, groups: 1 },
      { root, firstGroup: 0, groups: GROUPS + 1 },
      { root, firstGroup: 0, groups: 0 },
      { root, firstGroup: -1, groups: 1 },
      { root, firstGroup: 0.5, groups: 1 },
      { root, firstGroup: 0, groups: 2 ** 31 },
      { root: root.subarray(1), firstGroup: 0, groups: 1 },
      { root, firstGroup: 0, groups: 1, all: true },
      { root },
      null,
      []
    ]
    for (const request of refused) await refuses('PROTOCOL_VIOLATION', request)
    await assertServes()
  })

  it('survives noise, cut frames and large ones', async () => {
    const hostile = [
      Uint8Array.of(0xff, 0xff, 0xff, 0xff),
      Uint8Array.of(0, 0, 0x40, 1),
      Uint8Array.of(0, 0),
      random.bytes(100),
      Uint8Array.of(0, 0, 0, 0)
    ]
    for (const bytes of hostile) {
      const channel = await open()
      await channel.write(bytes)
      await channel.closeWrite()
      await assert.rejects(messages.expectMessage(channel, messages.getAnswer))
    }
    await assertServes()
  })

  it('survives readers that vanish in the middle of an answer', async () => {
    for (let i = 0; i < 10; i++) {
      const channel = await open()
      await messages.sendMessage(channel, { root, firstGroup: 0, groups: GROUPS })
      await channel.readSome(1 + random.below(2000))
      channel.abort(new HoldfastError('ABORTED', 'gone'))
    }
    await until('all have ended', () => world.provider.net.openChannels === 0)
    await assertServes()
  })

  it('serves so many readers at once and no more, and recovers', async () => {
    const channels = await Promise.all(Array.from({ length: 128 }, open))
    const error = await refuses('REMOTE_REFUSED', { root, firstGroup: 0, groups: 1 })
    assert.match(error.message, /too many readers/)
    for (const channel of channels) channel.abort(new HoldfastError('ABORTED', 'gone'))
    await until('all have ended', () => world.provider.net.openChannels === 0)
    await assertServes()
  })

  it('leaves out what its disk has lost, says so, and tells its owner', async () => {
    disk.groups.add(1).add(3)
    const { good, bytes, failures } = await read(0, GROUPS)
    assert.deepEqual(good, [true, false, true, false, true, true])
    for (const group of [0, 2, 4]) {
      const [from, to] = [group * GROUP_BYTES, (group + 1) * GROUP_BYTES]
      assert.equal(toHex(bytes.subarray(from, to)), toHex(piece.subarray(from, to)))
    }
    for (const reason of failures) assert.match(reason, /reports damaged bytes/)
    assert.deepEqual(world.damaged, [toHex(root)])
    const rest = await read(4, 2)
    assert.deepEqual([rest.good, rest.failures], [[true, true], []])
  })

  it('never sends a byte of a group that it calls damaged', async () => {
    for (let group = 0; group < GROUPS; group++) disk.groups.add(group)
    const channel = await open()
    await messages.sendMessage(channel, { root, firstGroup: 0, groups: GROUPS })
    const { damaged } = (await messages.receiveMessage(channel, messages.getAnswer))!
    assert.deepEqual(damaged, [0, 1, 2, 3, 4, 5])
    await channel.closeWrite()
    assert.equal(await channel.readSome(1), undefined)
  })
})
