import assert from 'node:assert/strict'
import { equal, utf8 } from '../../src/base/bytes.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { sha256 } from '../../src/base/hash.ts'
import { blockHashOf } from '../../src/ledger/block.ts'
import { genesisHashOf } from '../../src/ledger/genesis.ts'
import { summaryOf } from '../../src/ledger/light/genesis-summary.ts'
import {
  decodeProofFile,
  encodeProofFile,
  type ProofFile,
  type ProofTrust,
  verifyProofFile
} from '../../src/ledger/light/proof-file.ts'
import { defaultParams } from '../../src/ledger/params.ts'
import type { Account } from '../../src/ledger/types/records.ts'
import { flipped, itRandom } from '../proofs/random.ts'
import { BLOCK_MS, LightChain, RECORDS, START_MS, setOf } from './light-support.ts'

const NAMES = ['a', 'b', 'c', 'd']
const HEIGHTS = 9n
const rules = {
  nowMs: START_MS + (HEIGHTS + 1n) * BLOCK_MS,
  trustingPeriodMs: 1_000_000n,
  clockDriftMs: 0n
}
const FUZZ = 400

describe('proof files', () => {
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
  const checkpoint = { height: 4n, blockHash: blockHashOf(chain.at(4n).header) }
  const byGenesis: ProofTrust = { genesisHash }
  const byCheckpoint: ProofTrust = { network, checkpoint }
  const trusts: readonly ProofTrust[] = [byGenesis, byCheckpoint]
  const { key } = RECORDS[7]!
  const file: ProofFile = {
    genesis: summaryOf(genesis),
    blocks: [chain.at(4n), chain.at(HEIGHTS)],
    record: chain.record(key)
  }

  function refuses(code: string, changes: Partial<ProofFile>, trust = byGenesis, at = rules): void {
    const bytes = encodeProofFile({ ...file, ...changes })
    assert.throws(() => verifyProofFile(bytes, trust, at), { code })
  }

  it('show a record from the genesis hash or from a checkpoint', () => {
    const bytes = encodeProofFile(file)
    for (const trust of trusts) {
      const found = verifyProofFile(bytes, trust, rules)
      assert.equal((found.value as Account).balanceUnits, 7n)
      // the header of a height carries the state of the one below
      assert.equal(found.headerHeight, HEIGHTS)
      assert.equal(found.height, HEIGHTS - 1n)
      assert.ok(equal(found.headerHash, blockHashOf(chain.at(HEIGHTS).header)))
      assert.ok(equal(found.key, key))
      assert.deepEqual([found.table, found.chainId], ['accounts', 'light-1'])
    }
    assert.deepEqual(encodeProofFile(decodeProofFile(bytes)), bytes)
  })

  it('show that there is no record', () => {
    const record = chain.record(sha256(utf8('nobody')))
    const { height, value } = verifyProofFile(
      encodeProofFile({ ...file, record }),
      byGenesis,
      rules
    )
    assert.deepEqual([height, value], [HEIGHTS - 1n, undefined])
    refuses('PROOF_INVALID', { record: { ...record, key } })
  })

  it('show nothing when a part is missing or another', () => {
    const { genesis: summary, ...without } = file
    const bytes = encodeProofFile(without)
    assert.throws(() => verifyProofFile(bytes, byGenesis, rules), { code: 'PROOF_INVALID' })
    assert.ok(verifyProofFile(bytes, byCheckpoint, rules))
    refuses('WRONG_NETWORK', { genesis: { ...summary!, genesisTimeMs: 1n } })
    refuses('WRONG_NETWORK', { genesis: { ...summary!, validators: setOf(['x']) } })
    refuses('PROOF_INVALID', { blocks: [] })
    refuses('PROOF_INVALID', { blocks: [] }, byCheckpoint)
    refuses('BLOCK_INVALID', { blocks: file.blocks.toReversed() })
    refuses('BLOCK_INVALID', { blocks: file.blocks.slice(1) }, byCheckpoint)
    const weak = chain.sign(chain.at(HEIGHTS).header, NAMES, ['a', 'b'])
    refuses('BLOCK_INVALID', { blocks: [weak] })
    refuses('TRUST_EXPIRED', {}, byGenesis, { ...rules, trustingPeriodMs: BLOCK_MS })
    refuses('PROOF_INVALID', { record: { ...file.record, table: 'deals' } })
    refuses('PROOF_INVALID', { record: { ...file.record, table: 'nothing' } })
    assert.throws(() => encodeProofFile({ ...file, blocks: Array(65).fill(chain.at(1n)) }), {
      code: 'INVALID_ARGUMENT'
    })
  })

  itRandom(`show nothing when a bit is another, ${FUZZ} times`, random => {
    const bytes = encodeProofFile(file)
    for (let i = 0; i < FUZZ; i++) {
      const bad = flipped(bytes, random.int(bytes.length * 8))
      for (const trust of trusts) {
        try {
          const found = verifyProofFile(bad, trust, rules)
          // from a checkpoint, nobody reads the genesis
          const { genesis: _, ...read } = decodeProofFile(bad)
          assert.ok(
            trust === byCheckpoint &&
              equal(
                encodeProofFile(read),
                encodeProofFile({ blocks: file.blocks, record: file.record })
              )
          )
          assert.equal((found.value as Account).balanceUnits, 7n)
        } catch (error) {
          if (!HoldfastError.is(error)) throw error
        }
      }
    }
  })
})
