import assert from 'node:assert/strict'
import { utf8 } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { blockHashOf } from '../../src/ledger/block.ts'
import { createLightClient } from '../../src/ledger/light/client.ts'
import { type Trusted, trustCheckpoint, trustedOf } from '../../src/ledger/light/trust.ts'
import {
  decodeLightBlock,
  encodeLightBlock,
  type LightBlock
} from '../../src/ledger/light/types.ts'
import { type TimeRules, verifyAncestors, verifyStep } from '../../src/ledger/light/verify.ts'
import { type Header, VOTE_KINDS } from '../../src/ledger/types/block.ts'
import { validatorsType } from '../../src/ledger/types/records.ts'
import { BLOCK_MS, LightChain, NETWORK, START_MS, setOf, sourceOf } from './light-support.ts'

const FOUR = ['a', 'b', 'c', 'd']
const HEIGHTS = 12n
const signal = new AbortController().signal

function rulesAt(height: bigint, trustingPeriodMs = 1_000_000n): TimeRules {
  return { nowMs: START_MS + height * BLOCK_MS, trustingPeriodMs, clockDriftMs: 1_000n }
}

describe('one step of the light client', () => {
  const chain = new LightChain({ names: () => FOUR, heights: HEIGHTS })
  const { genesis } = chain
  const rules = rulesAt(HEIGHTS)

  /** What block 2 would be with another header, signed by whoever is asked. */
  function changed(
    changes: Partial<Header>,
    by: readonly string[] = FOUR,
    height = 2n
  ): LightBlock {
    return chain.sign({ ...chain.at(height).header, ...changes }, FOUR, by)
  }

  function refuses(from: Trusted, block: LightBlock, at = rules, code = 'BLOCK_INVALID'): void {
    assert.throws(() => verifyStep(from, block, at), { code })
  }

  it('goes from the genesis to every height, one by one and at once', () => {
    let trusted = genesis
    for (let height = 1n; height <= HEIGHTS; height++) {
      const step = verifyStep(trusted, chain.at(height), rules)
      assert.ok(step !== 'too-far' && step.height === height)
      assert.ok(verifyStep(genesis, chain.at(height), rules) !== 'too-far')
      trusted = step
    }
  })

  it('takes the quorum of the set, and no less', () => {
    assert.ok(verifyStep(genesis, changed({}, ['a', 'b', 'c'], 1n), rules) !== 'too-far')
    refuses(genesis, changed({}, ['a', 'b'], 1n))
    refuses(genesis, changed({}, ['a', 'b'], 5n))
  })

  it('takes nothing that does not follow', () => {
    const first = trustedOf(NETWORK, chain.at(1n))
    refuses(first, chain.at(1n))
    refuses(trustedOf(NETWORK, chain.at(5n)), chain.at(3n))
    refuses(first, changed({ parentHash: sha256(utf8('other')) }))
    refuses(first, changed({ timeMs: chain.at(1n).header.timeMs }))
    refuses(first, changed({ timeMs: 2n ** 60n }))
    refuses(first, changed({ chainId: 'light-2' }))
    refuses(first, changed({ version: 9 }))
    refuses(first, changed({ originView: 0n }))
    refuses(first, changed({ originView: 2n }))
    refuses(first, changed({ validatorsHash: sha256(utf8('other')) }))
  })

  it('takes no certificate of another kind, height, network or set', () => {
    const good = chain.at(4n)
    const other = new LightChain({
      names: () => FOUR,
      heights: 4n,
      network: { ...NETWORK, genesisHash: sha256(utf8('elsewhere')) }
    })
    for (const cert of [
      { ...good.cert, kind: VOTE_KINDS.notarize },
      { ...good.cert, height: 5n },
      { ...good.cert, view: 2n },
      chain.at(5n).cert,
      other.at(4n).cert,
      chain.sign(good.header, FOUR.slice(0, 3)).cert,
      { ...good.cert, signatures: good.cert.signatures.toReversed() },
      { ...good.cert, signatures: good.cert.signatures.slice(1) },
      { ...good.cert, signatures: good.cert.signatures.map(() => good.cert.signatures[0]!) }
    ]) {
      refuses(genesis, { ...good, cert })
    }
  })

  it('needs the set that was announced for the next height', () => {
    const first = trustedOf(NETWORK, chain.at(1n))
    const others = ['a', 'b', 'c', 'e']
    const validatorsHash = validatorsType.hashTreeRoot(setOf(others))
    refuses(first, chain.sign({ ...chain.at(2n).header, validatorsHash }, others))
  })

  it('skips with more than a third of the trusted power, and not with a third', () => {
    const trusted = (names: readonly string[]): Trusted => ({
      ...genesis,
      validators: setOf(names)
    })
    const skip = (names: readonly string[]): Trusted | 'too-far' =>
      verifyStep(trusted(names), chain.at(9n), rules)
    assert.equal(skip(['x', 'y', 'z']), 'too-far')
    assert.equal(skip(['a=10', 'x=20']), 'too-far')
    assert.ok(skip(['a=11', 'x=20']) !== 'too-far')
    // named by the certificate's set, but not a signer
    const without = chain.sign(chain.at(9n).header, FOUR, ['b', 'c', 'd'])
    assert.equal(verifyStep(trusted(['a=11', 'x=20']), without, rules), 'too-far')
  })

  it('does not count a validator twice that a forged set names twice', () => {
    const twice = ['a', 'a', 'x', 'y']
    const header = {
      ...chain.at(9n).header,
      validatorsHash: validatorsType.hashTreeRoot(setOf(twice))
    }
    const signed = chain.sign(header, ['a', 'x', 'y', 'z'], ['a', 'x', 'y'])
    refuses(genesis, { ...signed, validators: setOf(twice) })
  })

  it('takes no set without power', () => {
    for (const names of [[], ['a=0'], ['a', 'b=0'], [`a=${2n ** 63n}`]]) {
      const validatorsHash = validatorsType.hashTreeRoot(setOf(names))
      const header = { ...chain.at(9n).header, validatorsHash }
      const { cert } = chain.at(9n)
      refuses(genesis, { header, cert, validators: setOf(names) })
    }
  })

  it('trusts for the trusting period, and no block from the future', () => {
    const block = chain.at(9n)
    assert.ok(verifyStep(genesis, block, rulesAt(10n, 10n * BLOCK_MS + 1n)) !== 'too-far')
    refuses(genesis, block, rulesAt(10n, 10n * BLOCK_MS), 'TRUST_EXPIRED')
    assert.ok(verifyStep(genesis, block, { ...rulesAt(9n), clockDriftMs: 0n }) !== 'too-far')
    refuses(genesis, block, rulesAt(8n))
  })

  it('goes down along the hashes of parents', () => {
    const headers = [8n, 7n, 6n].map(height => chain.at(height).header)
    const trusted = trustedOf(NETWORK, chain.at(9n))
    verifyAncestors(trusted, headers)
    for (const bad of [
      headers.slice(1),
      headers.toReversed(),
      [...headers, chain.at(4n).header],
      headers.with(1, { ...headers[1]!, txRoot: headers[0]!.txRoot })
    ]) {
      assert.throws(() => verifyAncestors(trusted, bad), { code: 'BLOCK_INVALID' })
    }
  })

  it('starts from a checkpoint, and from no other block', () => {
    const block = chain.at(6n)
    const checkpoint = { height: 6n, blockHash: blockHashOf(block.header) }
    assert.equal(trustCheckpoint(NETWORK, checkpoint, block).height, 6n)
    const weak = { ...block, cert: chain.sign(block.header, FOUR, ['a']).cert }
    for (const other of [chain.at(5n), weak]) {
      assert.throws(() => trustCheckpoint(NETWORK, checkpoint, other), { code: 'BLOCK_INVALID' })
    }
  })

  it('has one encoding', () => {
    const bytes = encodeLightBlock(chain.at(3n))
    assert.deepEqual(encodeLightBlock(decodeLightBlock(bytes)), bytes)
    for (const bad of [bytes.subarray(1), new Uint8Array([...bytes, 0]), new Uint8Array(0)]) {
      assert.throws(() => decodeLightBlock(bad), { code: 'BLOCK_INVALID' })
    }
  })

  it('finds its way over sets that change', async () => {
    // every 4 heights one of seven is replaced
    const names = (height: bigint): string[] =>
      Array.from({ length: 7 }, (_, i) => `v${Number(height / 4n) + i}`)
    const moving = new LightChain({ names, heights: 60n })
    const primary = sourceOf('primary', moving, 60n)
    const client = createLightClient({ trusted: moving.genesis, witnessesMin: 0 })
    const nowMs = START_MS + 61n * BLOCK_MS
    const { path, trusted } = await client.update({ primary, witnesses: [], nowMs, signal })
    assert.equal(trusted.height, 60n)
    assert.equal(client.trusted.blockHash, trusted.blockHash)
    assert.ok(path.length > 2 && path.length < 40, `${path.length} blocks`)
    assert.ok(primary.asked.length < 60, `${primary.asked.length} asked`)
    assert.deepEqual(
      path.map(({ header }) => header.height),
      path.map(({ header }) => header.height).toSorted((a, b) => Number(a - b))
    )
  })
})
