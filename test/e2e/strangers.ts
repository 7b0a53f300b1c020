/** The part of bad input that comes over the network: frames and noise of peers that nobody invited. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { toHex } from '../../src/base/bytes.ts'
import { signingKeyFromSeed } from '../../src/base/keys.ts'
import { silentLogger } from '../../src/base/ports.ts'
import { genesisHashOf, parseGenesis } from '../../src/ledger/index.ts'
import { homePaths } from '../../src/node/home-files.ts'
import { createNet } from '../../src/node/net/p2p.ts'
import * as protocols from '../../src/node/net/protocols.ts'
import { request } from '../../src/node/net/rpc.ts'
import type { Net } from '../../src/node/net/types.ts'
import type { Network, NetworkNode } from './network.ts'
import { seededBytes } from './seed.ts'

/** Hostile bytes from the network; the daemons and what they store have to survive them. */
export function fromStrangers(
  seed: number,
  network: () => Network,
  assertNothingLost: () => Promise<void>
): void {
  describe('from strangers', () => {
    let stranger: Net
    before(async () => {
      const { genesis } = homePaths(network().validator.home)
      const parsed = parseGenesis(JSON.parse(await readFile(genesis, 'utf8')))
      stranger = await createNet({
        key: signingKeyFromSeed(new Uint8Array(seededBytes(seed + 3, 32))),
        bootstrap: [],
        networkId: toHex(genesisHashOf(parsed)),
        roles: [],
        userAgent: 'stranger',
        logger: silentLogger
      })
      await stranger.start()
    })
    after(() => stranger?.stop())

    async function assertServes(node: NetworkNode): Promise<void> {
      const [address] = (await node.api.status()).listen
      await stranger.connect(address!)
      const ask = await request(stranger, node.peerId, protocols.ASK_PROTOCOL, {})
      assert.ok(ask !== null)
    }

    it('survives truncated and oversized frames on every protocol', async () => {
      const node = network().node('provider-2')
      await assertServes(node)
      const frames = [
        Uint8Array.of(0, 0),
        Uint8Array.of(0, 0, 1, 0, 1, 2, 3),
        Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3),
        Uint8Array.of(0x7f, 0xff, 0xff, 0xff),
        Uint8Array.of(0, 0, 0, 0),
        new Uint8Array(seededBytes(seed + 4, 5000))
      ]
      const { ASK_PROTOCOL, DEAL_PROTOCOL, FOLLOW_PROTOCOL, HELLO_PROTOCOL } = protocols
      const { PIECE_GET_PROTOCOL, PIECE_PUT_PROTOCOL } = protocols
      const targets = [ASK_PROTOCOL, DEAL_PROTOCOL, FOLLOW_PROTOCOL, HELLO_PROTOCOL]
      for (const protocol of [...targets, PIECE_GET_PROTOCOL, PIECE_PUT_PROTOCOL]) {
        await Promise.all(
          frames.map(async frame => {
            const channel = await stranger.open(node.peerId, protocol).catch(() => undefined)
            await channel?.write(frame).catch(() => {})
            await channel?.closeWrite().catch(() => {})
            // it answers with an error or hangs up; what it must not do is hang or die
            await channel?.readFrame(64 * 1024, { timeoutMs: 30_000 }).catch(() => {})
            await channel?.close()
          })
        )
      }
      await assertServes(node)
      assert.equal((await node.api.status()).pid, node.pid)
      await assertNothingLost()
    })

    it('survives noise on its ports', async () => {
      const node = network().node('provider-2')
      const { listen } = await node.api.status()
      const peerPort = Number(/\/tcp\/(\d+)/.exec(listen[0]!)![1])
      const control = JSON.parse(await readFile(homePaths(node.home).control, 'utf8')) as {
        port: number
      }
      const noise = [
        seededBytes(seed + 5, 100_000),
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        Buffer.from(
          `POST /v1/status HTTP/1.1\r\nHost: evil.example\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`
        ),
        Buffer.from('\x13/multistream/1.0.0\n\xff\xff\xff\xff', 'latin1')
      ]
      for (const port of [peerPort, control.port]) {
        await Promise.all(
          noise.map(async bytes => {
            const socket = connect(port, '127.0.0.1')
            const closed = new Promise(resolve => socket.once('close', resolve))
            socket.on('error', () => {}) // it may well reset us
            socket.resume()
            socket.end(bytes)
            await closed
          })
        )
      }
      assert.equal((await node.api.status()).pid, node.pid)
      await assertServes(node)
      await assertNothingLost()
    })
  })
}
