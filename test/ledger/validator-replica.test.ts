import assert from 'node:assert/strict'
import { equal, toHex } from '../../src/base/bytes.ts'
import { paramChangeOf } from '../../src/ledger/governed-params.ts'
import { paramsType } from '../../src/ledger/params.ts'
import type { Replica } from '../../src/ledger/replica.ts'
import { type Validator, validatorsType } from '../../src/ledger/types/records.ts'
import {
  certify,
  newFolder,
  nextBlock,
  type OpenReplica,
  openReplica,
  txOf
} from './replica-support.ts'
import { keyOf, testGenesis } from './support.ts'
import { doubleNotarize, registration, TOKEN } from './validator-support.ts'

const EVERYBODY = ['v0', 'v1', 'v2', 'v3', 'new']
const EPOCH = 6n

const genesis = testGenesis(
  Object.fromEntries(EVERYBODY.map(name => [name, 100n * TOKEN])),
  { epochHeights: Number(EPOCH), revealEveryHeights: 10, downtimeHeights: 8 },
  { v0: 30n, v1: 30n, v2: 30n, v3: 30n }
)

/** A set by name and in its order. @default the one that decides the next height */
function namesOf(replica: Replica, set: Validator[] = replica.validators()): string[] {
  return set.map(
    ({ publicKey }) => EVERYBODY.find(name => equal(keyOf(`vote/${name}`).publicKey, publicKey))!
  )
}

describe('a replica whose validators change', () => {
  let cleanups: (() => unknown)[] = []

  async function start(path?: string): Promise<OpenReplica & { path: string }> {
    const folder = path === undefined ? newFolder() : { path, remove: () => {} }
    cleanups.unshift(folder.remove)
    const opened = await openReplica(folder.path, genesis)
    cleanups.unshift(opened.close)
    return { ...opened, path: folder.path }
  }

  afterEach(async () => {
    for (const cleanup of cleanups) await cleanup()
    cleanups = []
  })

  /** The next block, on all replicas; `absent` do not sign it. */
  async function advance(replicas: Replica[], txs: Uint8Array[] = [], absent: string[] = []) {
    const [replica] = replicas as [Replica]
    const names = namesOf(replica)
    const { block } = nextBlock(replica, names, txs)
    const signers = names.flatMap((name, i) => (absent.includes(name) ? [] : [i]))
    const cert = certify(replica, names, block.header, signers)
    for (const each of replicas) {
      const { txs: results } = await each.applyFinalized(block, cert)
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        txs.map(() => 'ok')
      )
    }
    return block.header
  }

  it('follows the set in force: certificates, leaders and headers', async () => {
    const replicas = [(await start()).replica, (await start()).replica]
    const [replica] = replicas as [Replica]
    const payload = registration(replica.network, 'new', 15n * TOKEN)
    const register = txOf(replica, keyOf('new'), { kind: 'validatorRegister', payload })
    const headers = [await advance(replicas, [register])]
    while (replica.height < 20n) headers.push(await advance(replicas))
    for (const [i, header] of headers.entries()) {
      const height = BigInt(i + 1)
      const size = height < EPOCH + 2n ? 4 : 5
      const set = replica.validatorsAt(height)!
      assert.equal(set.length, size, `${height}`)
      assert.equal(toHex(header.validatorsHash), toHex(validatorsType.hashTreeRoot(set)))
      const next = replica.validatorsAt(height + 1n)!
      assert.equal(toHex(header.nextValidatorsHash), toHex(validatorsType.hashTreeRoot(next)))
      assert.ok(set.some(({ publicKey }) => equal(publicKey, header.proposer)))
      assert.equal(replica.certificate(height)!.signers.bitLen, size)
    }
    assert.ok(
      headers.some(({ proposer }) => equal(proposer, keyOf('vote/new').publicKey)),
      'the newcomer leads in its turn'
    )
    assert.equal(toHex(replicas[0]!.head().appHash), toHex(replicas[1]!.head().appHash))
    assert.equal(replica.validator(keyOf('new').publicKey)!.bondUnits, 15n * TOKEN)
    await replica.audit()
  })

  it('refuses certificates of the old set, and carries the last of it at the border', async () => {
    const { replica } = await start()
    const payload = registration(replica.network, 'new', 15n * TOKEN)
    await advance([replica], [txOf(replica, keyOf('new'), { kind: 'validatorRegister', payload })])
    while (replica.height < EPOCH + 1n) await advance([replica])
    const old = namesOf(replica, replica.lastValidators())
    assert.deepEqual([old.length, namesOf(replica).length], [4, 5])
    const { block } = nextBlock(replica, namesOf(replica))
    const { cert } = nextBlock(replica, old)
    await assert.rejects(replica.applyFinalized(block, cert), { code: 'BLOCK_INVALID' })
    const last = replica.block(replica.height)!.header
    const lastCert = { ...certify(replica, namesOf(replica), last) }
    const bad = nextBlock(replica, namesOf(replica), [], { lastCert })
    await assert.rejects(replica.applyFinalized(bad.block, bad.cert), { code: 'BLOCK_INVALID' })
    const header = await advance([replica])
    assert.equal(header.height, EPOCH + 2n)
    const carried = replica.block(replica.height)!.lastCert
    assert.equal(carried.signers.bitLen, 4)
  })

  it('jails who is missing in the certificates that blocks carry', async () => {
    const { replica } = await start()
    const account = keyOf('v3').publicKey
    while (replica.height < 7n) await advance([replica], [], ['v3'])
    const { jailedUntil, bondUnits } = replica.validator(account)!
    assert.deepEqual([jailedUntil, bondUnits], [6n + 15n, 30n * TOKEN])
    assert.equal(namesOf(replica).length, 3)
    while (replica.height < 12n) await advance([replica])
    assert.equal(replica.validator(account)!.jailedUntil, 21n)
    await replica.audit()
  })

  it('convicts, and goes on from its state on disk', async () => {
    const first = await start()
    const { replica } = first
    while (replica.height < 4n) await advance([replica])
    const payload = doubleNotarize(replica.network, 'v1', { height: 3n, view: 1n })
    await advance([replica], [txOf(replica, keyOf('new'), { kind: 'evidence', payload })])
    while (replica.height < 9n) await advance([replica])
    assert.deepEqual(namesOf(replica).sort(), ['v0', 'v2', 'v3'])
    const { appHash } = replica.head()
    await cleanups.shift()!()
    const { replica: again } = await start(first.path)
    assert.equal(toHex(again.head().appHash), toHex(appHash))
    assert.deepEqual(namesOf(again).sort(), ['v0', 'v2', 'v3'])
    await advance([again])
    const { burntUnits, bondUnits } = await again.audit()
    assert.equal(bondUnits + burntUnits + 150_000_000n, 120n * TOKEN)
  })

  it('takes voted parameters into the next header', async () => {
    const { replica } = await start()
    const changes = [paramChangeOf('feeBaseUnits', 7n)]
    const names = ['v0', 'v1', 'v2']
    const propose = { kind: 'govPropose' as const, payload: { changes, expiryHeight: 50n } }
    await advance([replica], [txOf(replica, keyOf('v0'), propose)])
    const proposer = keyOf('v0').publicKey
    const { id: proposalId } = replica.proposal(proposer)!
    const votes = names
      .slice(1)
      .map(name =>
        txOf(replica, keyOf(name), { kind: 'govVote', payload: { proposer, proposalId } })
      )
    await advance([replica], votes)
    const [due] = replica.scheduledChanges()
    assert.equal(due!.height, 3n * EPOCH)
    while (replica.height < due!.height) await advance([replica])
    assert.equal(replica.params.feeBaseUnits, 7n)
    const header = await advance([replica])
    assert.equal(toHex(header.paramsHash), toHex(paramsType.hashTreeRoot(replica.params)))
    const before = replica.block(due!.height)!.header
    assert.notEqual(toHex(before.paramsHash), toHex(header.paramsHash))
  })
})
