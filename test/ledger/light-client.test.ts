import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import {
  createLightClient,
  type LightClient,
  type LightSource,
  type Update
} from '../../src/ledger/light/client.ts'
import { decodeFork, doubleFinalizers } from '../../src/ledger/light/fork.ts'
import type { LightBlock } from '../../src/ledger/light/types.ts'
import {
  BLOCK_MS,
  type ChainInit,
  LightChain,
  NETWORK,
  START_MS,
  sourceOf,
  voteKeyOf
} from './light-support.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const HEIGHTS = 20n
const nowMs = START_MS + (HEIGHTS + 1n) * BLOCK_MS
const { signal } = new AbortController()

function newChain(changes: Partial<ChainInit> = {}): LightChain {
  return new LightChain({ names: () => NAMES, heights: HEIGHTS, ...changes })
}

describe('the light client and its witnesses', () => {
  const chain = newChain()
  const honest = (id: string): LightSource => sourceOf(id, chain, HEIGHTS)
  const newClient = (): LightClient => createLightClient({ trusted: chain.genesis })

  async function update(
    client: LightClient,
    primary: LightSource,
    ...witnesses: LightSource[]
  ): Promise<Update> {
    return await client.update({ primary, witnesses, nowMs, signal })
  }

  async function refuses(code: string, run: Promise<unknown>): Promise<HoldfastError> {
    let found: unknown
    await assert.rejects(run, error => {
      found = error
      return HoldfastError.is(error) && error.code === code
    })
    return found as HoldfastError
  }

  it('believes what two witnesses confirm', async () => {
    const client = newClient()
    const { trusted, faulty } = await update(client, honest('p'), honest('w1'), honest('w2'))
    assert.equal(trusted.height, HEIGHTS)
    assert.deepEqual(faulty, [])
    // again, with nothing new
    const again = await update(client, honest('p'), honest('w1'), honest('w2'))
    assert.deepEqual(again.path, [])
  })

  it('believes nothing that one witness confirms, or one that comes under several names', async () => {
    const client = newClient()
    const few: LightSource[][] = [
      [honest('w1')],
      [honest('w1'), honest('w1')],
      [honest('w1'), honest('p')]
    ]
    for (const witnesses of few) {
      await refuses('TOO_FEW_WITNESSES', update(client, honest('p'), ...witnesses))
    }
    assert.equal(client.trusted.height, 0n)
  })

  it('leaves out witnesses that lie or say nothing, and names them', async () => {
    const liar = newChain({ forkAt: 3n, signers: () => NAMES.slice(0, 4) })
    const silent: LightSource = {
      id: 'silent',
      lightBlock: () => Promise.reject(new HoldfastError('UNREACHABLE', 'gone'))
    }
    const shifted = sourceOf('shifted', { at: height => chain.at(height - 1n) }, HEIGHTS)
    const { faulty } = await update(
      newClient(),
      honest('p'),
      sourceOf('liar', liar, HEIGHTS),
      silent,
      shifted,
      honest('w1'),
      honest('w2')
    )
    assert.deepEqual(
      faulty.map(({ id }) => id),
      ['liar', 'silent', 'shifted']
    )
  })

  it('believes no primary that has less than a quorum', async () => {
    const liar = newChain({ forkAt: 3n, signers: () => NAMES.slice(0, 4) })
    const client = newClient()
    const primary = sourceOf('liar', liar, HEIGHTS)
    await refuses('BLOCK_INVALID', update(client, primary, honest('w1'), honest('w2')))
    assert.equal(client.trusted.height, 0n)
  })

  it('finds a fork, and who signed both sides', async () => {
    // five of seven sign the fork: more than a third is dishonest
    const signers = NAMES.slice(2)
    const fork = newChain({
      forkAt: 9n,
      signers: height => (height >= 9n ? signers : NAMES)
    })
    const honestSide = newChain({ signers: () => NAMES.slice(0, 5) })
    const client = newClient()
    const error = await refuses(
      'LEDGER_FORK',
      update(
        client,
        sourceOf('p', honestSide, HEIGHTS),
        sourceOf('w1', honestSide, HEIGHTS),
        sourceOf('w2', fork, HEIGHTS)
      )
    )
    assert.equal(client.trusted.height, 0n)
    const evidence = decodeFork(fromHex(error.details['evidence'] as string))
    const found = doubleFinalizers(NETWORK, evidence)
    assert.deepEqual(
      found.map(({ publicKey }) => toHex(publicKey)),
      ['c', 'd', 'e'].map(name => toHex(voteKeyOf(name).publicKey))
    )
    assert.throws(
      () => doubleFinalizers(NETWORK, { first: evidence.first, second: evidence.first }),
      { code: 'BLOCK_INVALID' }
    )
    const forged = { ...evidence.second, cert: evidence.first.cert }
    assert.throws(() => doubleFinalizers(NETWORK, { ...evidence, second: forged }), {
      code: 'BLOCK_INVALID'
    })
  })

  it('stops when it is told to', async () => {
    const stop = new AbortController()
    stop.abort()
    const run = newClient().update({
      primary: honest('p'),
      witnesses: [],
      nowMs,
      signal: stop.signal
    })
    await assert.rejects(run, { name: 'AbortError' })
  })

  it('goes no way that has no end', async () => {
    // a source that says of every height but the first that others were in charge
    const strangers = newChain({ names: () => ['x', 'y', 'z'] })
    const at = (height: bigint): LightBlock => (height === 1n ? chain : strangers).at(height)
    const client = createLightClient({ trusted: chain.genesis, witnessesMin: 0 })
    const primary = sourceOf('p', { at }, HEIGHTS)
    await refuses('BLOCK_INVALID', update(client, primary))
    assert.ok(primary.asked.length < 10)
  })
})
