/**
 * A peer in a process of its own: connects to the address it is given, sends a byte and half a frame and waits to be
 * killed.
 */
import { parseAddress, peerIn } from '../../../src/node/net/addresses.ts'
import { TEST_PROTOCOL, testNets } from './support.ts'

const address = process.argv[2]!
const net = await testNets().start({ listen: [] })
await net.connect(address)
const channel = await net.open(peerIn(parseAddress(address))!, TEST_PROTOCOL)
await channel.write(Uint8Array.of(7, 0, 0, 0, 100, 1, 2, 3))
