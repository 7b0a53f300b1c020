/**
 * Bytes from this process to another one over our Net (TLS on the socket, yamux, flow control), in the shape of an
 * upload: writes of 256 KiB, an answer at the end; n streams of one connection at the same time. Wall time; the second
 * ratio of each peer compares the CPU time of both processes together.
 *
 *   raw-tcp      one socket of node:net
 *   node-tls     one socket of node:tls
 *   noise        libp2p as published with @chainsafe/libp2p-noise, yamux, four streams
 *   libp2p-tls   the same with @libp2p/tls
 */
import { MIB } from '../src/base/limits.ts'
import {
  createStockNode,
  dialStock,
  type StockEncrypter,
  sendOverStock
} from './children/libp2p-protocol.ts'
import { BENCH_PROTOCOL, createBenchNet, sendOverNet } from './children/net-protocol.ts'
import { sendBytes, type Transport } from './children/tcp-protocol.ts'
import { compare, rowOf, timed } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { type BenchChild, startChild, stopChildren } from './support/child.ts'
import type { Area, Contestant } from './types.ts'

const TRANSFER_BYTES: number = 128 * MIB
/** Plain sockets are so fast that their sample needs more. */
const PLAIN_BYTES: number = 512 * MIB
const WARM_UP_BYTES: number = 8 * MIB
const STREAMS = 4

export const area: Area = {
  name: 'transfer',
  about: 'bytes between two processes over our Net against plain sockets, TLS and published libp2p',
  async *run(context) {
    const ends = new Ends()
    try {
      const ours = [await ends.net(1), await ends.net(STREAMS)]
      const peers = [
        await ends.plain('raw-tcp', 'tcp'),
        await ends.plain('node-tls', 'tls'),
        await ends.stock('noise', 'noise'),
        await ends.stock('libp2p-tls', 'tls')
      ]
      const rounds = await compare([...ours, ...peers], context)
      for (const [i, { name }] of ours.entries()) {
        yield rowOf(rounds, {
          name: rowName('transfer', 'net', {
            n: i === 0 ? 1 : STREAMS,
            size: sizeOf(TRANSFER_BYTES)
          }),
          ours: name,
          peers: peers.map(peer => peer.name),
          ...{ unit: 'MB', basis: 'wall' }
        })
      }
    } finally {
      await ends.stop()
    }
  }
}

/** Both ends of every connection. */
class Ends {
  readonly #children: BenchChild[] = []
  readonly #nodes: { stop(): Promise<void> | void }[] = []

  async net(streams: number): Promise<Contestant> {
    const net = await createBenchNet()
    this.#nodes.push(net)
    await net.start()
    const child = await this.#child('net-peer.ts')
    const peer = await net.connect(child.address)
    const open = Array.from({ length: streams }, () => net.open(peer, BENCH_PROTOCOL))
    const channels = await Promise.all(open)
    return contestant(`net-${streams}`, child, TRANSFER_BYTES, async bytes => {
      await Promise.all(channels.map(channel => sendOverNet(channel, bytes / streams)))
    })
  }

  async plain(name: string, transport: Transport): Promise<Contestant> {
    const child = await this.#child('tcp-peer.ts', transport)
    const port = Number(child.address)
    return contestant(name, child, PLAIN_BYTES, bytes => sendBytes(transport, port, bytes))
  }

  async stock(name: string, encrypter: StockEncrypter): Promise<Contestant> {
    const node = await createStockNode(encrypter)
    this.#nodes.push(node)
    const child = await this.#child('libp2p-peer.ts', encrypter)
    const connection = await dialStock(node, child.address)
    return contestant(name, child, TRANSFER_BYTES, async bytes => {
      const sending = Array.from({ length: STREAMS }, () =>
        sendOverStock(connection, bytes / STREAMS)
      )
      await Promise.all(sending)
    })
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) await node.stop()
    await stopChildren(this.#children)
  }

  async #child(program: string, ...args: string[]): Promise<BenchChild> {
    const child = await startChild(program, ...args)
    this.#children.push(child)
    return child
  }
}

function contestant(
  name: string,
  child: BenchChild,
  bytes: number,
  send: (bytes: number) => Promise<void>
): Contestant {
  return {
    name,
    prepare: () => send(WARM_UP_BYTES),
    sample: () =>
      timed(async () => {
        await send(bytes)
        return bytes
      }, child.cpuMicros)
  }
}
