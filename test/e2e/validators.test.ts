/**
 * Four validators as processes under transactions, killed and frozen one at a time:
 *
 *   client ── 20 transfers/s ──> v1 v2 v3 v4     each in turn ✗ SIGKILL, or held still
 *   the ledger goes on with three, every replica ends with the same hash, nobody is accused
 *
 * HOLDFAST_CHAOS_ROUNDS sets how many rounds; each takes some seconds. @default 4
 */
import assert from 'node:assert/strict'
import { HoldfastError } from '../../src/base/errors.ts'
import { assertOneLedger } from './audit.ts'
import { Network, type NetworkNode, until } from './network.ts'
import { testSeed } from './seed.ts'

const ROUNDS = Number(process.env['HOLDFAST_CHAOS_ROUNDS'] ?? 4)
const TRANSFERS_AT_ONCE = 20
/** Heights that have to follow while one validator is away: several of them led by it. */
const HEIGHTS_WITHOUT_ONE = 4n

describe('four validators, killed and held still', function () {
  this.timeout(120_000 + ROUNDS * 60_000)
  const seed = testSeed()
  let net: Network
  before(async () => {
    net = await Network.start({ providers: 0, validators: 4, period: '60s' })
  })
  after(() => net?.dispose())

  const heightOf = async ({ api }: NetworkNode): Promise<bigint> =>
    BigInt((await api.ledgerStatus()).height)

  /** Waits until a node has seen `count` more blocks. */
  async function advances(node: NetworkNode, count: bigint): Promise<void> {
    const goal = (await heightOf(node)) + count
    await until(`${node.name} reaches ${goal}`, async () => (await heightOf(node)) >= goal)
  }

  it(`go on, agree and accuse nobody (seed ${seed})`, async () => {
    const load = new Load(net)
    const { address: receiver } = await net.client.api.walletAddress()
    load.start(receiver)
    for (let round = 0; round < ROUNDS; round++) {
      const victim = net.validators[(seed + round) % net.validators.length]!
      const witness = net.validators.find(node => node !== victim)!
      if (round % 2 === 0) {
        await net.kill(victim)
        await advances(witness, HEIGHTS_WITHOUT_ONE)
        await net.restart(victim)
      } else {
        await net.freeze(victim, () => advances(witness, HEIGHTS_WITHOUT_ONE))
      }
      const goal = await heightOf(witness)
      await until(`${victim.name} is back at ${goal}`, async () => (await heightOf(victim)) >= goal)
      await advances(victim, 2n)
    }
    assert.ok((await load.stop()) > 0, 'transfers went through')
    await net.stop()
    await assertOneLedger(net.nodes.map(({ home }) => home))
    await net.resume()
    const set = await net.client.api.ledgerValidators()
    assert.equal(set.length, 4)
    await assertNoEvidence(net)
  })

  it('stops with two, and goes on from there with three', async () => {
    const [first, second, ...others] = net.validators
    await net.kill(first!)
    await net.kill(second!)
    const [witness] = others
    // what was under way may still be decided by votes that had left
    const stuck = await stillHeight(witness!)
    await net.restart(first!)
    await until('it goes on', async () => (await heightOf(witness!)) >= stuck + HEIGHTS_WITHOUT_ONE)
    await net.restart(second!)
    await advances(second!, 2n)
    await net.stop()
    await assertOneLedger(net.nodes.map(({ home }) => home))
  })

  /** The height that does not change for a hundred looks, a status apart each. */
  async function stillHeight(node: NetworkNode): Promise<bigint> {
    let height = await heightOf(node)
    for (let looks = 0; looks < 100; looks++) {
      const now = await heightOf(node)
      if (now !== height) looks = 0
      height = now
    }
    return height
  }
})

/** Transfers from the client to itself, some always under way. */
class Load {
  readonly #net: Network
  #isOn = false
  #sent = 0
  #running: Promise<unknown> = Promise.resolve()

  constructor(net: Network) {
    this.#net = net
  }

  start(receiver: string): void {
    this.#isOn = true
    this.#running = Promise.all(
      Array.from({ length: TRANSFERS_AT_ONCE }, () => this.#send(receiver))
    )
  }

  /** Transfers that took effect. */
  async stop(): Promise<number> {
    this.#isOn = false
    await this.#running
    return this.#sent
  }

  async #send(receiver: string): Promise<void> {
    const { api } = this.#net.client
    while (this.#isOn) {
      try {
        await api.walletSend(receiver, 1n)
        this.#sent++
      } catch (error) {
        // a validator that is gone took it along: said clearly, and nothing is lost
        if (!HoldfastError.is(error) || !error.retryable) throw error
      }
    }
  }
}

async function assertNoEvidence(net: Network): Promise<void> {
  const { api } = net.client
  const { height } = await api.ledgerStatus()
  for (let at = 1; at <= Number(height); at++) {
    const { txs } = await api.ledgerBlock(at)
    for (const { kind } of txs) assert.notEqual(kind, 'evidence', `accused at height ${at}`)
  }
}
