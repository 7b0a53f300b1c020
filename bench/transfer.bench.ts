/**
 * Bytes from one process to another one over our Net (TLS on the socket, yamux, flow control), in the shape of an
 * upload: writes of 256 KiB, an answer at the end; n streams of one connection at the same time. Wall time; the second
 * ratio of each peer compares the CPU time of both processes together.
 *
 *   raw-tcp      one socket of node:net
 *   node-tls     one socket of node:tls
 *   noise        libp2p as published with @chainsafe/libp2p-noise, yamux, four streams
 *   libp2p-tls   the same with @libp2p/tls
 */
import { MIB } from '../src/base/limits.ts'
import type { StockEncrypter } from './children/libp2p-protocol.ts'
import type { Transport } from './children/tcp-protocol.ts'
import { compare, rowOf, timed } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { type BenchChild, cpuOf, startChild, stopChildren } from './support/child.ts'
import type { Area, Contestant, Sample } from './types.ts'

const TRANSFER_BYTES: number = 128 * MIB
/** Plain sockets are so fast that their sample needs more. */
const PLAIN_BYTES: number = 512 * MIB
/** Until both ends run compiled code. */
const WARM_UP_BYTES: number = 128 * MIB
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

/** Both ends of every connection, each in a process of its own. */
class Ends {
  readonly #children: BenchChild[] = []

  async net(streams: number): Promise<Contestant> {
    const receiver = await this.#child('net-peer.ts')
    return await this.#pair(`net-${streams}`, receiver, ['net', streams, TRANSFER_BYTES])
  }

  async plain(name: string, transport: Transport): Promise<Contestant> {
    const receiver = await this.#child('tcp-peer.ts', transport)
    return await this.#pair(name, receiver, [`plain/${transport}`, 1, PLAIN_BYTES])
  }

  async stock(name: string, encrypter: StockEncrypter): Promise<Contestant> {
    const receiver = await this.#child('libp2p-peer.ts', encrypter)
    return await this.#pair(name, receiver, [`stock/${encrypter}`, STREAMS, TRANSFER_BYTES])
  }

  async stop(): Promise<void> {
    await stopChildren(this.#children)
  }

  async #pair(
    name: string,
    receiver: BenchChild,
    [over, streams, bytes]: [over: string, streams: number, bytes: number]
  ): Promise<Contestant> {
    const args = [over, receiver.address, String(streams)]
    const sender = await this.#child('transfer-sender.ts', ...args)
    const sample = (): Promise<Required<Sample>> =>
      timed(
        async () => {
          await sender.sendBytes(bytes)
          return bytes
        },
        () => cpuOf([sender, receiver])
      )
    return { name, prepare: () => sender.sendBytes(WARM_UP_BYTES), sample }
  }

  async #child(program: string, ...args: string[]): Promise<BenchChild> {
    const child = await startChild(program, ...args)
    this.#children.push(child)
    return child
  }
}
