import assert from 'node:assert/strict'
import { HoldfastError } from '../../../src/base/errors.ts'
import { type SigningKey, signingKeyFromSeed } from '../../../src/base/keys.ts'
import { silentLogger } from '../../../src/base/ports.ts'
import { MESSAGE_BYTES_MAX } from '../../../src/ledger/index.ts'
import { CONSENSUS_PROTOCOL } from '../../../src/node/net/protocols.ts'
import type { Net } from '../../../src/node/net/types.ts'
import { introduce } from '../../../src/node/validator/introduction.ts'
import { ValidatorLinks } from '../../../src/node/validator/links.ts'
import { MemoryNetwork } from '../memory-net.ts'
import { addressOf, nextSeed, testNets } from '../net/support.ts'

const GENESIS_HASH = new Uint8Array(32).fill(7)

interface Received {
  from: string
  text: string
}

/** Links whose messages can be waited for. */
class Listener {
  readonly links: ValidatorLinks
  readonly #received: Received[] = []
  #wake: () => void = () => {}

  constructor(net: Net, key: SigningKey, members: readonly SigningKey[]) {
    this.links = new ValidatorLinks({
      net,
      genesisHash: GENESIS_HASH,
      validatorKey: key,
      isMember: publicKey =>
        members.some(member => Buffer.from(member.publicKey).equals(publicKey)),
      membersCount: () => members.length,
      nowMs: () => Date.now(),
      logger: silentLogger
    })
    this.links.onMessage((from, message) => {
      this.#received.push({ from, text: new TextDecoder().decode(message) })
      this.#wake()
    })
  }

  async received(count: number): Promise<Received[]> {
    while (this.#received.length < count) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.#received.splice(0)
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const newKey = (): SigningKey => signingKeyFromSeed(nextSeed())

/** Polls a condition that no event tells of. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setImmediate(resolve))
}

describe('node/validator/links', () => {
  const nets = testNets()
  const running: Listener[] = []
  afterEach(async () => {
    for (const { links } of running.splice(0)) await links.stop()
    await nets.stopAll()
  })

  it('finds the validators of the set and carries messages between each pair', async () => {
    const keys = [newKey(), newKey(), newKey()]
    const first = await nets.start({ roles: ['validator'] })
    const bootstrap = [addressOf(first)]
    const others = [
      await nets.start({ roles: ['validator'], bootstrap }),
      await nets.start({ roles: ['validator'], bootstrap })
    ]
    const all = [first, ...others]
    for (const [i, net] of all.entries()) {
      net.announce('validator')
      const listener = new Listener(net, keys[i]!, keys)
      running.push(listener)
      await listener.links.start()
    }
    await until(() => running.every(({ links }) => links.peers().length === 2))
    for (const [i, { links }] of running.entries()) links.broadcast(bytes(`from ${i}`))
    for (const [i, listener] of running.entries()) {
      const received = await listener.received(2)
      const expected = all.flatMap(({ peerId }, from) =>
        from === i ? [] : [{ from: peerId, text: `from ${from}` }]
      )
      assert.deepEqual(received.sort(byText), expected)
    }
    running[0]!.links.send(all[2]!.peerId, bytes('only you'))
    assert.deepEqual(await running[2]!.received(1), [{ from: first.peerId, text: 'only you' }])
  })

  it('comes back when a validator does', async () => {
    const keys = [newKey(), newKey()]
    const network = new MemoryNetwork()
    const [a, b] = [network.join(newKey(), ['validator']), network.join(newKey(), ['validator'])]
    const here = new Listener(a, keys[0]!, keys)
    const there = new Listener(b, keys[1]!, keys)
    running.push(here, there)
    await Promise.all([here.links.start(), there.links.start()])
    await until(() => here.links.peers().length === 1)
    await b.stop()
    await until(() => here.links.peers().length === 0)
    here.links.broadcast(bytes('nobody hears this'))
    await b.start()
    await until(() => here.links.peers().length === 1)
    here.links.broadcast(bytes('and this'))
    assert.deepEqual(await there.received(1), [{ from: a.peerId, text: 'and this' }])
  })

  it('neither listens nor talks to one who is not in the set, or proves another key', async () => {
    const [member, stranger] = [newKey(), newKey()]
    const network = new MemoryNetwork()
    const [a, b] = [network.join(newKey(), ['validator']), network.join(newKey(), ['validator'])]
    const listener = new Listener(a, member, [member])
    running.push(listener)
    await listener.links.start()
    const ends = { genesisHash: GENESIS_HASH, fromPeerKey: b.peerKey, toPeerKey: a.peerKey }
    const refused: Uint8Array[] = [
      introduce(stranger, ends),
      // a member's introduction to somebody else, said again here
      introduce(member, { ...ends, toPeerKey: b.peerKey }),
      introduce(member, { ...ends, genesisHash: new Uint8Array(32) }),
      new Uint8Array(96),
      new Uint8Array(3)
    ]
    for (const introduction of refused) {
      const channel = await b.open(a.peerId, CONSENSUS_PROTOCOL)
      await channel.writeFrame(introduction)
      await assert.rejects(channel.readFrame(1024), error => HoldfastError.is(error, 'UNREACHABLE'))
    }
    assert.deepEqual(listener.links.peers(), [])
  })

  it('ends the stream of a peer that sends more than a message, and of one that is punished', async () => {
    const keys = [newKey(), newKey()]
    const network = new MemoryNetwork()
    const [a, b] = [network.join(newKey(), ['validator']), network.join(newKey(), [])]
    const listener = new Listener(a, keys[0]!, keys)
    running.push(listener)
    await listener.links.start()
    const open = async (): Promise<Awaited<ReturnType<Net['open']>>> => {
      const channel = await b.open(a.peerId, CONSENSUS_PROTOCOL)
      const ends = { genesisHash: GENESIS_HASH, fromPeerKey: b.peerKey, toPeerKey: a.peerKey }
      // one who is punished is not read any more
      await channel.writeFrame(introduce(keys[1]!, ends)).catch(() => {})
      return channel
    }
    const loud = await open()
    assert.notEqual(await loud.readFrame(1024), undefined)
    await loud.writeFrame(new Uint8Array(MESSAGE_BYTES_MAX + 1)).catch(() => {})
    await assert.rejects(loud.readFrame(1024))

    const polite = await open()
    assert.notEqual(await polite.readFrame(1024), undefined)
    await polite.writeFrame(bytes('hello'))
    await listener.received(1)
    listener.links.punish(b.peerId, 'lied')
    await assert.rejects(polite.readFrame(1024))
    const again = await open()
    await assert.rejects(again.readFrame(1024))
  })
})

function byText(a: Received, b: Received): number {
  return a.text < b.text ? -1 : 1
}
