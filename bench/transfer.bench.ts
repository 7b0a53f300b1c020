/**
 * Bytes from this process to another one over our Net (encryption, multiplexing, flow control) against plain TCP in the
 * same shape: one stream, writes of 256 KiB, an answer at the end. Wall time; the second ratio compares the CPU time of
 * both processes together.
 */
import { MIB } from '../src/base/limits.ts'
import type { Net } from '../src/node/net/types.ts'
import { BENCH_PROTOCOL, createBenchNet, sendOverNet } from './children/net-protocol.ts'
import { sendOverTcp } from './children/tcp-protocol.ts'
import { compare, rowOf, timed } from './harness.ts'
import { rowName, sizeOf } from './row-name.ts'
import { type BenchChild, startChild, stopChildren } from './support/child.ts'
import type { Area, Contestant } from './types.ts'

const TRANSFER_BYTES: number = 64 * MIB
/** Plain TCP is so fast that its sample needs more. */
const TCP_BYTES: number = 512 * MIB
const WARM_UP_BYTES: number = 8 * MIB
const PEER = 'raw-tcp'

export const area: Area = {
  name: 'transfer',
  about: 'bytes between two processes over our Net against plain TCP',
  async *run(context) {
    const children: BenchChild[] = []
    const net = await createBenchNet()
    await net.start()
    try {
      const netChild = await startChild('net-peer.ts')
      children.push(netChild)
      const tcpChild = await startChild('tcp-peer.ts')
      children.push(tcpChild)
      const overNet = await netSender(net, netChild)
      const port = Number(tcpChild.address)
      const contestants = [
        sender('net', netChild, TRANSFER_BYTES, overNet),
        sender(PEER, tcpChild, TCP_BYTES, bytes => sendOverTcp(port, bytes))
      ]
      yield rowOf(await compare(contestants, context), {
        name: rowName('transfer', 'net', { size: sizeOf(TRANSFER_BYTES) }),
        ...{ ours: 'net', peers: [PEER], unit: 'MB', basis: 'wall' }
      })
    } finally {
      await net.stop()
      await stopChildren(children)
    }
  }
}

async function netSender(net: Net, child: BenchChild): Promise<(bytes: number) => Promise<void>> {
  const peer = await net.connect(child.address)
  const channel = await net.open(peer, BENCH_PROTOCOL)
  return bytes => sendOverNet(channel, bytes)
}

function sender(
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
