/**
 * Checks a storage proof from a replica on disk, with no network and without trust in its provider: the newest proof
 * transaction of the current or the last period is taken apart and verified by pure functions.
 *
 *   holdfast --home /tmp/net/provider-1 stop          a replica is read by one process at a time
 *   node examples/verify-proof-offline.ts /tmp/net/provider-1
 *
 * Exit code 0: it verifies, and no longer does when one bit is flipped. 1: it does not, or there is no proof to check.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { addressOf } from '../src/base/address.ts'
import { concat, equal, toHex, u64be } from '../src/base/bytes.ts'
import { sha256 } from '../src/base/hash.ts'
import { silentLogger } from '../src/base/ports.ts'
import {
  type Block,
  blockHashOf,
  type Challenge,
  createReplica,
  decodeTx,
  openLedgerDb,
  type ProofPayload,
  parseGenesis,
  proofPayloadType,
  type Replica,
  txHash,
  txKindName,
  verifyCertificate,
  verifyStateProof
} from '../src/ledger/index.ts'
import { lockingErrors } from '../src/node/open-database.ts'
import { challengeSeed, verifyOpening } from '../src/proofs/index.ts'

/** Of docs/SPEC.md: the kind of vote that makes a block final, and the table with the beacon's mix of each period. */
const FINALIZE = 3
const PERIOD_MIXES_TABLE = 11

interface FoundProof {
  block: Block
  /** 32-byte account of the provider. */
  provider: Uint8Array
  payload: ProofPayload
}

const [home] = process.argv.slice(2)
if (home === undefined) {
  process.stderr.write('usage: node examples/verify-proof-offline.ts HOME\n')
  process.exit(2)
}
const replica = await openReplica(home)
const found = newestProof(replica)
if (found === undefined) {
  process.stderr.write(
    'no proof of this or the last period in the replica: store something, wait a period\n'
  )
  process.exit(1)
}
const { block, provider, payload } = found
const { period, openings } = payload
console.log(`period ${period}, provider ${addressOf(provider)}, block ${block.header.height}`)

verifyCertificate(
  replica.certificate(block.header.height)!,
  replica.genesis.validators,
  replica.network,
  { kind: FINALIZE, height: block.header.height, blockHash: blockHashOf(block.header) }
)
console.log(
  `the block is final: its certificate carries a quorum of ${replica.genesis.validators.length}`
)

const mix = provenMix(replica, period)
console.log(
  `the beacon's mix ${toHex(mix).slice(0, 16)}… is in the state ${toHex(replica.head().appHash).slice(0, 16)}…`
)

const challenge = replica.challenge(provider, period)!
must(equal(challenge.seed, challengeSeed(mix, period, provider)), 'the seed follows from the mix')
must(openings.length === challenge.leaves.length, 'the proof has one opening per drawn leaf')
must(
  verifies(challenge, payload),
  'every opening leads from the drawn leaf to the root of its deal'
)
const bytes = openings.reduce((sum, { leaf }) => sum + leaf.length, 0)
console.log(
  `all ${openings.length} leaves drawn by the seed are there: ${bytes} bytes of stored data, each with its path`
)

openings[0]!.leaf[0]! ^= 1
must(!verifies(challenge, payload), 'a flipped bit is noticed')
console.log('with one bit flipped it no longer verifies')

async function openReplica(folder: string): Promise<Replica> {
  const genesis = parseGenesis(JSON.parse(await readFile(join(folder, 'genesis.json'), 'utf8')))
  const location = join(folder, 'ledger')
  const db = await lockingErrors(location, () => openLedgerDb(location))
  const opened = createReplica({ db, genesis, logger: silentLogger })
  await opened.open()
  return opened
}

/** The newest accepted proof whose challenge the state can still draw: of this period or the one before. */
function newestProof(ledger: Replica): FoundProof | undefined {
  const oldestPeriod = ledger.period() - 1n
  const oldestHeight = oldestPeriod * BigInt(ledger.params.periodHeights)
  for (let height = ledger.height; height >= oldestHeight && height > 0n; height--) {
    const candidate = ledger.block(height)!
    for (const bytes of candidate.txs) {
      const { tx } = decodeTx(bytes)
      if (txKindName(tx.kind) !== 'proof' || ledger.txResult(txHash(bytes))?.ok !== true) continue
      const proof = proofPayloadType.deserialize(tx.payload)
      if (proof.period >= oldestPeriod)
        return { block: candidate, provider: tx.sender, payload: proof }
    }
  }
  return undefined
}

/** The mix that seeds a period, with its path to the state hash checked. */
function provenMix(ledger: Replica, of: bigint): Uint8Array {
  const { appHash, value, proof } = ledger.app.query('periodMixes', u64be(of), true)
  const key = sha256(concat(Uint8Array.of(PERIOD_MIXES_TABLE), u64be(of)))
  const holds =
    value !== undefined &&
    proof !== undefined &&
    verifyStateProof(appHash, key, sha256(value), proof)
  must(holds, 'the mix is part of the state')
  return value!
}

function verifies({ leaves }: Challenge, proof: ProofPayload): boolean {
  return leaves.every(({ dealRoot, dealLeaves, leafIndex }, i) =>
    verifyOpening({ opening: proof.openings[i]!, dealRoot, dealLeaves, leafIndex })
  )
}

function must(condition: boolean, expectation: string): void {
  if (condition) return
  process.stderr.write(`this does not hold: ${expectation}\n`)
  process.exit(1)
}
