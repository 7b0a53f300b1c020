import assert from 'node:assert/strict'
import type { Net, PeerInfo } from '../../../src/node/net/types.ts'
import { addressOf, testNets } from './support.ts'

describe('node/net/directory', function () {
  // a dozen handshaking nodes in one process are a lot for a busy machine
  this.timeout(60_000)
  const nets = testNets()
  afterEach(() => nets.stopAll())

  /** Providers that know one address, and a client that knows the same. */
  async function network(
    count: number,
    roles: string[]
  ): Promise<{ providers: Net[]; client: Net }> {
    const first = await nets.start()
    const bootstrap = [addressOf(first)]
    const starting = Array.from({ length: count }, () => nets.start({ bootstrap, roles }))
    const providers = await Promise.all(starting)
    for (const provider of providers) provider.announce('provider')
    return { providers, client: await nets.start({ bootstrap, roles: ['client'] }) }
  }

  it('finds ten providers from one bootstrap address', async () => {
    const { providers, client } = await network(10, ['provider'])
    const found = await findAll(client, 10)
    assert.deepEqual(
      [...found.keys()].sort(),
      providers.map(provider => provider.peerId).sort(),
      'each once, and nobody else'
    )
    for (const provider of providers) {
      assert.deepEqual(found.get(provider.peerId), provider.addresses())
    }
  })

  it('finds them by DHT records alone', async () => {
    const { providers, client } = await network(5, [])
    const found = await findAll(client, 5)
    assert.equal(found.size, 5)
    const among = await findAll(providers[0]!, 4)
    assert.ok(!among.has(providers[0]!.peerId), 'never itself')
    for await (const other of client.find('validator')) assert.fail(other.peerId)
  })

  it('ends at once without peers, and by signal', async () => {
    const net = await nets.start()
    net.announce('provider')
    for await (const peer of net.find('provider')) assert.fail(peer.peerId)
    const signal = AbortSignal.abort()
    await assert.rejects(net.find('provider', { signal })[Symbol.asyncIterator]().next())
  })
})

/** Searches until that many are found; the DHT needs a moment to spread the records. */
async function findAll(net: Net, count: number): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  while (found.size < count) {
    const round: PeerInfo[] = []
    for await (const peer of net.find('provider', { timeoutMs: 1_000 })) round.push(peer)
    assert.equal(new Set(round.map(peer => peer.peerId)).size, round.length, 'no duplicates')
    for (const { peerId, addresses } of round) found.set(peerId, addresses)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return found
}
