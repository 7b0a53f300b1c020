import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkProof, type ProofCheck } from '../../bin/proof-check.ts'
import { addressOf } from '../../src/base/address.ts'
import { toHex } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { blockHashOf } from '../../src/ledger/block.ts'
import { genesisHashOf } from '../../src/ledger/genesis.ts'
import { summaryOf } from '../../src/ledger/light/genesis-summary.ts'
import { encodeProofFile } from '../../src/ledger/light/proof-file.ts'
import { defaultParams } from '../../src/ledger/params.ts'
import { failureOf } from '../e2e/network.ts'
import { BLOCK_MS, LightChain, RECORDS, START_MS, setOf } from '../ledger/light-support.ts'
import { itRandom, type TestRandom } from '../proofs/random.ts'
import { runCli } from './run-cli.ts'

const NAMES = ['a', 'b', 'c', 'd']
const HEIGHTS = 9n
const MUTANTS = 1_000
/** The blocks of the test are old. */
const AGES = ['--trusting-period', '999999h']

describe('holdfast ledger verify', function () {
  this.timeout(60_000)
  const genesis = {
    chainId: 'light-1',
    genesisTimeMs: START_MS,
    params: defaultParams(),
    accounts: RECORDS.map(({ key }) => ({ account: key, units: 5n })),
    validators: setOf(NAMES)
  }
  const genesisHash = genesisHashOf(genesis)
  const network = { chainId: 'light-1', genesisHash }
  const chain = new LightChain({ names: () => NAMES, heights: HEIGHTS, network })
  const { key } = RECORDS[7]!
  const bytes = encodeProofFile({
    genesis: summaryOf(genesis),
    blocks: [chain.at(4n), chain.at(HEIGHTS)],
    record: chain.record(key)
  })
  const check: ProofCheck = {
    genesisHash: toHex(genesisHash),
    trustingPeriodMs: 1_000_000n,
    nowMs: START_MS + (HEIGHTS + 1n) * BLOCK_MS
  }
  const checkpoint = `4:${toHex(blockHashOf(chain.at(4n).header))}`
  let folder: string
  let file: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-proof-'))
    file = join(folder, 'balance.proof')
    await writeFile(file, bytes)
  })
  after(() => rm(folder, { recursive: true }))

  const verify = (...args: string[]): ReturnType<typeof runCli> =>
    runCli(['ledger', 'verify', file, '--json', ...args], { home: join(folder, 'no-home') })

  it('says what is proven, at what height and time, from a genesis hash or a block', async () => {
    for (const trust of [
      ['--genesis-hash', toHex(genesisHash)],
      ['--genesis-hash', toHex(genesisHash), '--checkpoint', checkpoint]
    ]) {
      const done = await verify(...trust, ...AGES)
      assert.equal(done.code, 0, done.stderr)
      assert.deepEqual(done.json(), {
        chainId: 'light-1',
        genesisHash: toHex(genesisHash),
        table: 'accounts',
        key: addressOf(key),
        exists: true,
        height: Number(HEIGHTS - 1n),
        headerHash: toHex(blockHashOf(chain.at(HEIGHTS).header)),
        time: new Date(Number(START_MS + HEIGHTS * BLOCK_MS)).toISOString(),
        trustingPeriodMs: 999_999 * 3_600_000,
        record: { balanceUnits: '7', nonce: '0', escrowUnits: '0', collateralUnits: '0' }
      })
    }
  })

  it('refuses with a code', async () => {
    failureOf(await verify('--genesis-hash', toHex(genesisHash)), 'TRUST_EXPIRED')
    failureOf(await verify('--genesis-hash', '00'.repeat(32), ...AGES), 'WRONG_NETWORK')
    const other = `4:${'00'.repeat(32)}`
    failureOf(
      await verify('--genesis-hash', toHex(genesisHash), '--checkpoint', other),
      'BLOCK_INVALID'
    )
    assert.equal((await verify()).code, 2)
    const wrong = bytes.slice()
    wrong[wrong.length - 1]! ^= 1
    await writeFile(join(folder, 'wrong.proof'), wrong)
    const args = ['ledger', 'verify', join(folder, 'wrong.proof'), '--json']
    const done = await runCli([...args, '--genesis-hash', toHex(genesisHash), ...AGES], {
      home: folder
    })
    failureOf(done, 'PROOF_INVALID')
  })

  itRandom(`refuses ${MUTANTS} mutated files`, random => {
    assert.ok(checkProof(bytes, check).exists)
    for (let i = 0; i < MUTANTS; i++) {
      const mutant = mutate(random)
      assert.throws(
        () => checkProof(mutant, check),
        (error: unknown) =>
          HoldfastError.is(error) &&
          ['PROOF_INVALID', 'BLOCK_INVALID', 'WRONG_NETWORK', 'TRUST_EXPIRED'].includes(error.code),
        `mutant ${i}`
      )
    }
  })

  function mutate(random: TestRandom): Uint8Array {
    const at = random.int(bytes.length)
    const kind = random.int(4)
    if (kind === 0) return bytes.slice(0, at)
    if (kind === 1) return Uint8Array.from([...bytes, random.int(256)])
    const mutant = bytes.slice()
    const count = kind === 2 ? 1 : 1 + random.int(8)
    for (let i = 0; i < count; i++) {
      mutant[(at + i) % bytes.length]! ^= 1 + random.int(255)
    }
    return mutant
  }
})
