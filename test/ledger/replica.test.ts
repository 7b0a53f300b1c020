import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { sha256 } from '../../src/base/hash.ts'
import { nextMix } from '../../src/ledger/beacon.ts'
import { blockHashOf, decodeFinalized, encodeFinalized } from '../../src/ledger/block.ts'
import { genesisCertificate } from '../../src/ledger/certificate.ts'
import type { Head } from '../../src/ledger/replica.ts'
import { pageKey, stateKey } from '../../src/ledger/state/keys.ts'
import { ONLY, recordKey, totals } from '../../src/ledger/state/tables.ts'
import { verifyStateProof } from '../../src/ledger/state/tree-proof.ts'
import { decodeEntry, encodeEntry, treeKeyOf } from '../../src/ledger/state/view.ts'
import { txHash } from '../../src/ledger/transaction.ts'
import { totalsType } from '../../src/ledger/types/records.ts'
import {
  certify,
  newFolder,
  nextBlock,
  type OpenReplica,
  openReplica,
  txOf
} from './replica-support.ts'
import { keyOf, testGenesis } from './support.ts'

const alice = keyOf('alice')
const bob = keyOf('bob')
const NAMES = ['v0', 'v1', 'v2', 'v3']
const genesis = testGenesis({ alice: 1_000_000n, bob: 50n }, {}, { v0: 1n, v1: 1n, v2: 1n, v3: 1n })

describe('Replica', () => {
  let cleanups: (() => void | Promise<void>)[] = []

  async function open(path?: string, of = genesis): Promise<OpenReplica & { path: string }> {
    const folder = path === undefined ? newFolder() : { path, remove: () => {} }
    cleanups.unshift(folder.remove)
    const opened = await openReplica(folder.path, of)
    cleanups.unshift(opened.close)
    return { ...opened, path: folder.path }
  }

  afterEach(async () => {
    for (const cleanup of cleanups) await cleanup()
    cleanups = []
  })

  function pay(amountUnits: bigint, nonce: bigint) {
    return {
      body: { kind: 'transfer' as const, payload: { to: bob.publicKey, amountUnits } },
      nonce
    }
  }

  it('starts at the genesis', async () => {
    const { replica } = await open()
    const { height, blockHash, appHash, timeMs } = replica.head()
    assert.equal(height, 0n)
    assert.equal(timeMs, 1_700_000_000_000)
    assert.equal(toHex(blockHash), toHex(replica.network.genesisHash))
    assert.equal(toHex(replica.stateHashAt(0n)!), toHex(appHash))
    assert.equal(replica.account(alice.publicKey).availableUnits, 1_000_000n)
    assert.equal(replica.validators().length, 4)
    await replica.audit()
  })

  it('executes blocks, and two replicas agree at every height', async () => {
    const [a, b] = [(await open()).replica, (await open()).replica]
    const seen: bigint[] = []
    b.onBlock(({ height }) => seen.push(height))
    const hashes: Uint8Array[] = []
    for (let i = 0n; i < 12n; i++) {
      const { body, nonce } = pay(i, i)
      const tx = txOf(a, alice, body, { nonce })
      hashes.push(txHash(tx))
      const finalized = nextBlock(a, NAMES, [tx])
      const wire = decodeFinalized(encodeFinalized(finalized))
      const first = await a.applyFinalized(finalized.block, finalized.cert)
      const second = await b.applyFinalized(wire.block, wire.cert)
      assert.equal(toHex(first.appHash), toHex(second.appHash))
      assert.equal(first.txs[0]!.outcome, i === 0n ? 'AmountInvalid' : 'ok')
    }
    assert.deepEqual(seen, [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n])
    assert.equal(b.account(bob.publicKey).availableUnits, 50n + 66n)
    assert.equal(b.block(10n)!.header.reveal.length, 96)
    const result = b.txResult(hashes[3]!)!
    assert.deepEqual([result.height, result.index, result.ok], [4n, 0, true])
    assert.equal(b.txResult(sha256(ONLY)), undefined)
    assert.equal(toHex(b.stateHashAt(5n)!), toHex(b.block(6n)!.header.appHash))
    await b.audit()
  })

  it('has the same state after it was closed, and goes on from there', async () => {
    const first = await open()
    const { body, nonce } = pay(5n, 0n)
    const finalized = nextBlock(first.replica, NAMES, [txOf(first.replica, alice, body, { nonce })])
    await first.replica.applyFinalized(finalized.block, finalized.cert)
    const hexes = ({ height, blockHash, appHash, timeMs }: Head) => [
      height,
      toHex(blockHash),
      toHex(appHash),
      timeMs
    ]
    const head = hexes(first.replica.head())
    await cleanups.shift()!()
    const again = await open(first.path)
    assert.deepEqual(hexes(again.replica.head()), head)
    const next = nextBlock(again.replica, NAMES)
    await again.replica.applyFinalized(next.block, next.cert)
    assert.equal(again.replica.height, 2n)
    assert.equal(blockHashOf(again.replica.block(1n)!.header).length, 32)
  })

  it('has the state of the last commit when a block was executed and not committed', async () => {
    const first = await open()
    const before = first.replica.head()
    const { header, txs } = nextBlock(first.replica, NAMES, [
      txOf(first.replica, alice, pay(5n, 0n).body)
    ]).block
    first.replica.app.finalizeBlock({ ...header, txs, lastSigners: [] })
    await cleanups.shift()!()
    const again = await open(first.path)
    assert.deepEqual(again.replica.head(), before)
    assert.equal(again.replica.account(bob.publicKey).availableUnits, 50n)
  })

  it('refuses the ledger of another network', async () => {
    const first = await open()
    await cleanups.shift()!()
    const other = { ...genesis, chainId: 'test-2' }
    await assert.rejects(openReplica(first.path, other), { code: 'WRONG_NETWORK' })
  })

  it('refuses a ledger that was damaged on disk', async () => {
    const first = await open()
    const root = Buffer.from(pageKey(new Uint8Array(32), 0))
    const bytes = (await first.db.get(root))!
    bytes[40]! ^= 1
    await first.db.put(root, bytes)
    await cleanups.shift()!()
    await assert.rejects(openReplica(first.path, genesis), { code: 'REPLICA_DIVERGED' })
  })

  describe('refuses, and stays able to take the right block,', () => {
    type Made = ReturnType<typeof nextBlock>
    const cases: [string, (replica: OpenReplica['replica'], good: Made) => Made][] = [
      [
        'a certificate below the quorum',
        (r, { block }) => ({ block, cert: certify(r, NAMES, block.header, [0, 1]) })
      ],
      [
        'a certificate of another block',
        (r, { cert }) => ({
          block: nextBlock(r, NAMES, [], { timeMs: r.head().timeMs + 9 }).block,
          cert
        })
      ],
      ['an older time', r => nextBlock(r, NAMES, [], { timeMs: r.head().timeMs })],
      ['no view', r => nextBlock(r, NAMES, [], { originView: 0n })],
      ['a view after its certificate', r => nextBlock(r, NAMES, [], { originView: 2n })],
      [
        'a proposer who does not lead',
        r => {
          const other = NAMES[(r.leader(1n) + 1) % 4]!
          return nextBlock(r, NAMES, [], { proposer: keyOf(`vote/${other}`).publicKey })
        }
      ],
      ['a reveal that is not due', r => nextBlock(r, NAMES, [], { reveal: new Uint8Array(96) })],
      [
        'the certificate of another height inside',
        r => nextBlock(r, NAMES, [], { lastCert: genesisCertificate(r.network.genesisHash) })
      ],
      [
        'a transaction that cannot be in a block',
        r => nextBlock(r, NAMES, [], { txs: [txOf(r, alice, pay(1n, 0n).body, { nonce: 9n })] })
      ],
      [
        'transactions that are not those of the header',
        (r, { block, cert }) => ({
          block: { ...block, txs: [txOf(r, alice, pay(1n, 0n).body)] },
          cert
        })
      ],
      [
        'another parameter hash',
        (r, { block }) => {
          const header = { ...block.header, paramsHash: new Uint8Array(32) }
          return { block: { ...block, header }, cert: certify(r, NAMES, header) }
        }
      ],
      [
        'a later height',
        (r, { block }) => {
          const header = { ...block.header, height: 3n }
          return { block: { ...block, header }, cert: certify(r, NAMES, header) }
        }
      ]
    ]
    for (const [what, make] of cases) {
      it(`a block with ${what}`, async () => {
        const { replica } = await open()
        const first = nextBlock(replica, NAMES)
        await replica.applyFinalized(first.block, first.cert)
        const good = nextBlock(replica, NAMES)
        const bad = make(replica, good)
        await assert.rejects(replica.applyFinalized(bad.block, bad.cert), { code: 'BLOCK_INVALID' })
        assert.equal(replica.height, 1n)
        await replica.applyFinalized(good.block, good.cert)
        assert.equal(replica.height, 2n)
      })
    }

    it('a due reveal that is missing or another key’s', async () => {
      const { replica } = await open()
      for (let i = 0; i < 9; i++) {
        const { block, cert } = nextBlock(replica, NAMES)
        await replica.applyFinalized(block, cert)
      }
      const { reveal } = nextBlock(replica, NAMES).block.header
      for (const bad of [new Uint8Array(0), new Uint8Array(96)]) {
        const { block, cert } = nextBlock(replica, NAMES, [], { reveal: bad })
        await assert.rejects(replica.applyFinalized(block, cert), { code: 'BLOCK_INVALID' })
      }
      const mix = replica.mix()
      const { block, cert } = nextBlock(replica, NAMES)
      await replica.applyFinalized(block, cert)
      assert.equal(toHex(replica.mix()), toHex(nextMix(mix, reveal)))
    })
  })

  it('takes another quorum of the block below than the one it saw', async () => {
    const { replica } = await open()
    const first = nextBlock(replica, NAMES)
    await replica.applyFinalized(first.block, first.cert)
    const lastCert = certify(replica, NAMES, first.block.header, [1, 2, 3])
    const second = nextBlock(replica, NAMES, [], { lastCert })
    await replica.applyFinalized(second.block, second.cert)
    const few = certify(replica, NAMES, second.block.header, [1, 2])
    const third = nextBlock(replica, NAMES, [], { lastCert: few })
    await assert.rejects(replica.applyFinalized(third.block, third.cert), { code: 'BLOCK_INVALID' })
  })

  it('stops when the others agreed on another state', async () => {
    const { replica } = await open()
    const good = nextBlock(replica, NAMES)
    const header = { ...good.block.header, appHash: new Uint8Array(32) }
    const bad = { ...good.block, header }
    await assert.rejects(replica.applyFinalized(bad, certify(replica, NAMES, header)), {
      code: 'REPLICA_DIVERGED'
    })
    await assert.rejects(replica.applyFinalized(good.block, good.cert), {
      code: 'REPLICA_DIVERGED'
    })
  })

  it('stops when money is not conserved', async () => {
    const first = await open()
    const record = recordKey(totals, ONLY)
    const key = Buffer.from(stateKey(treeKeyOf(record)))
    const kept = totalsType.deserialize(decodeEntry((await first.db.get(key))!).value)
    const value = totalsType.serialize({ ...kept, burntUnits: 1n })
    await first.db.put(key, Buffer.from(encodeEntry({ record, value })))
    await cleanups.shift()!()
    const { replica } = await open(first.path)
    const { block, cert } = nextBlock(replica, NAMES)
    await assert.rejects(replica.applyFinalized(block, cert), { name: 'AssertionError' })
    assert.equal(replica.height, 0n)
  })

  it('proves its records to light clients', async () => {
    const { replica } = await open()
    const { block, cert } = nextBlock(replica, NAMES)
    await replica.applyFinalized(block, cert)
    const found = replica.app.query('accounts', alice.publicKey, true)
    const keyInTree = (key: Uint8Array) => sha256(Uint8Array.of(1), key)
    assert.equal(toHex(found.appHash), toHex(replica.head().appHash))
    assert.ok(
      verifyStateProof(
        found.appHash,
        keyInTree(alice.publicKey),
        sha256(found.value!),
        found.proof!
      )
    )
    const absent = replica.app.query('accounts', sha256(ONLY), true)
    assert.equal(absent.value, undefined)
    assert.ok(verifyStateProof(absent.appHash, keyInTree(sha256(ONLY)), undefined, absent.proof!))
    assert.throws(() => replica.app.query('nothing', ONLY, false), { code: 'INVALID_ARGUMENT' })
  })

  it('answers votes and admissions through the seam', async () => {
    const { replica } = await open()
    const { block } = nextBlock(replica, NAMES, [txOf(replica, alice, pay(1n, 0n).body)])
    const request = { ...block.header, txs: block.txs }
    assert.ok(replica.app.processProposal(request))
    assert.ok(!replica.app.processProposal({ ...request, height: 2n }))
    assert.ok(!replica.app.processProposal({ ...request, txs: [new Uint8Array(3)] }))
    assert.deepEqual(replica.app.checkTx(block.txs[0]!), { ok: true })
    assert.equal(replica.app.checkTx(new Uint8Array(9)).ok, false)
    assert.equal(
      replica.simulate(txOf(replica, alice, pay(2_000_000n, 0n).body)),
      'InsufficientFunds'
    )
    assert.equal(replica.height, 0n)
  })
})
