/** The other end of a transfer over our Net: takes as many bytes as the first eight say, then answers one frame. */
import { KIB } from '../../src/base/limits.ts'
import { serveParent } from './messages.ts'
import { BENCH_PROTOCOL, createBenchNet } from './net-protocol.ts'

/** What a provider reads at a time, always into the same memory. */
const READ_BYTES: number = 256 * KIB

const net = await createBenchNet()
net.handle(BENCH_PROTOCOL, async channel => {
  const memory = new Uint8Array(READ_BYTES)
  for (;;) {
    // the others have their turns in between
    const head = await channel.readSome(1, { timeoutMs: Infinity })
    if (head === undefined) return
    const rest = await channel.readExactly(7)
    let left = Number(Buffer.concat([head, rest]).readBigUInt64BE())
    while (left > 0) {
      const bytes = memory.subarray(0, left)
      await channel.readInto(bytes)
      left -= bytes.length
    }
    await channel.writeFrame(Uint8Array.of(1))
  }
})
await net.start()
serveParent(net.addresses()[0]!)
