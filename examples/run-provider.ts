/**
 * A provider inside a program of one's own. Its home is made once, and its wallet needs some tokens for fees and
 * collateral:
 *
 *   holdfast --home /tmp/mine init --network-of /tmp/net/client-1 --role provider
 *   holdfast --home /tmp/net/client-1 wallet send <the wallet that init printed> 10
 *   node examples/run-provider.ts /tmp/mine
 */
import { openNode } from '../src/index.ts'

const [home] = process.argv.slice(2)
if (home === undefined) {
  process.stderr.write('usage: node examples/run-provider.ts HOME\n')
  process.exit(2)
}

const node = await openNode({ home, set: ['roles=provider'] })
await node.start()
await node.whenUsable()
const { provider, quotaBytes } = await node.api.providerStatus()
console.log(`provider ${provider} offers ${quotaBytes} bytes; Ctrl-C ends it`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void node.stop().then(() => process.exit(0)))
}
