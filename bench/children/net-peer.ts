/** The other end of a transfer over our Net: takes as many bytes as the first eight say, then answers one frame. */
import { KIB } from '../../src/base/limits.ts'
import { serveParent } from './messages.ts'
import { BENCH_PROTOCOL, createBenchNet } from './net-protocol.ts'

/** As much as a provider reads at a time. */
const READ_BYTES_MAX: number = 256 * KIB

const net = await createBenchNet()
net.handle(BENCH_PROTOCOL, async channel => {
  for (;;) {
    const head = await channel.readSome(1)
    if (head === undefined) return
    const rest = await channel.readExactly(7)
    let left = Number(Buffer.concat([head, rest]).readBigUInt64BE())
    while (left > 0) {
      const chunk = await channel.readSome(Math.min(left, READ_BYTES_MAX))
      if (chunk === undefined) return
      left -= chunk.length
    }
    await channel.writeFrame(Uint8Array.of(1))
  }
})
await net.start()
serveParent(net.addresses()[0]!)
