import assert from 'node:assert/strict'
import { beaconKeyFromSecret } from '../../../src/ledger/beacon.ts'
import { decodeBlock, encodeBlock } from '../../../src/ledger/block.ts'
import {
  buildBlock,
  isFreshBlockValid,
  MESSAGE_DELAY_MS,
  MESSAGE_DELAY_MS_MAX,
  messageDelayMs,
  PRECISION_MS
} from '../../../src/ledger/consensus/proposer.ts'
import { Mempool } from '../../../src/ledger/mempool.ts'
import type { Block } from '../../../src/ledger/types/block.ts'
import { newFolder, nextBlock, type OpenReplica, openReplica, txOf } from '../replica-support.ts'
import { beaconSecretOf, keyOf, testGenesis } from '../support.ts'

const NAMES = ['v0', 'v1', 'v2', 'v3']
const alice = keyOf('alice')
const NOW = 1_700_000_100_000
const PAYMENT = { kind: 'transfer' as const, payload: { to: alice.publicKey, amountUnits: 1n } }

describe('fresh blocks', () => {
  const folder = newFolder()
  let opened: OpenReplica
  before(async () => {
    const powers = Object.fromEntries(NAMES.map(name => [name, 1n]))
    opened = await openReplica(folder.path, testGenesis({ alice: 1_000n }, {}, powers))
    const { block, cert } = nextBlock(opened.replica, NAMES)
    await opened.replica.applyFinalized(block, cert)
  })
  after(async () => {
    await opened.close()
    folder.remove()
  })

  function build(view = 1n, timeMs = NOW): Uint8Array {
    const { replica } = opened
    const name = NAMES[replica.leader(view)]!
    const mempool = new Mempool(replica)
    mempool.add(txOf(replica, alice, PAYMENT))
    const validatorKey = keyOf(`vote/${name}`)
    const beaconKey = beaconKeyFromSecret(beaconSecretOf(name))
    const lastCert = () => replica.certificate(replica.height)!
    const by = { replica, mempool, validatorKey, beaconKey, lastCert }
    const { block } = buildBlock(by, view, timeMs)
    mempool.close()
    return block
  }
  const isValid = (block: Uint8Array, view = 1n, nowMs = NOW): boolean =>
    isFreshBlockValid(opened.replica, { view, block }, nowMs)
  const changed = (change: (block: Block) => Block): boolean =>
    isValid(encodeBlock(change(decodeBlock(build()))))

  it('of the leader of the view may be voted for', () => {
    const block = build()
    assert.ok(isValid(block))
    assert.equal(decodeBlock(block).txs.length, 1)
    assert.ok(isValid(build(5n), 5n))
  })

  it('of another view, proposer, parent, certificate or content may not', () => {
    assert.ok(!isValid(build(), 2n))
    assert.ok(!isValid(new Uint8Array([1, 2, 3])))
    const { replica } = opened
    const other = keyOf(`vote/${NAMES[(replica.leader(1n) + 1) % 4]!}`).publicKey
    assert.ok(!changed(b => ({ ...b, header: { ...b.header, proposer: other } })))
    assert.ok(!changed(b => ({ ...b, header: { ...b.header, parentHash: new Uint8Array(32) } })))
    assert.ok(!changed(b => ({ ...b, header: { ...b.header, appHash: new Uint8Array(32) } })))
    assert.ok(!changed(b => ({ ...b, header: { ...b.header, height: 3n } })))
    assert.ok(!changed(b => ({ ...b, txs: [] })))
    assert.ok(!changed(b => ({ ...b, lastCert: { ...b.lastCert, view: 9n } })))
  })

  it('with a certificate below that does not hold may not, though the header names it', () => {
    const { replica } = opened
    const good = replica.certificate(1n)!
    const forged = { ...good, signatures: good.signatures.map(() => new Uint8Array(64)) }
    const { block } = nextBlock(replica, NAMES, [], { lastCert: forged, timeMs: NOW })
    assert.ok(!isValid(encodeBlock(block)))
    const { block: sound } = nextBlock(replica, NAMES, [], { timeMs: NOW })
    assert.ok(isValid(encodeBlock(sound)))
  })

  it('have to be of now: not from the future, and not older than a message may be', () => {
    const { timeMs: parentMs } = opened.replica.parent()
    assert.ok(isValid(build(1n, NOW + PRECISION_MS)))
    assert.ok(!isValid(build(1n, NOW + PRECISION_MS + 1)))
    assert.ok(isValid(build(1n, NOW - MESSAGE_DELAY_MS - PRECISION_MS)))
    assert.ok(!isValid(build(1n, NOW - MESSAGE_DELAY_MS - PRECISION_MS - 1)))
    const late = build(4n, NOW - MESSAGE_DELAY_MS - 2 * PRECISION_MS)
    assert.ok(isValid(late, 4n), 'later views allow for more')
    // a clock that was set back: the least step is in time
    assert.ok(isValid(build(1n, 0), 1n, parentMs - 60_000))
    assert.ok(!isValid(build(1n, parentMs + 2), 1n, parentMs - 60_000))
  })

  it('may be older the later the view, up to a maximum', () => {
    const delays = [1n, 2n, 3n, 100n].map(messageDelayMs)
    assert.deepEqual(delays.slice(0, 3), [4_000, 6_000, 9_000])
    assert.equal(delays[3], MESSAGE_DELAY_MS_MAX)
  })
})
