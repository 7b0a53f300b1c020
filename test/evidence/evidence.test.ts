/** Bundles of evidence: what they show, to whom, and that nothing else is believed. */
import assert from 'node:assert/strict'
import { toHex } from '../../src/base/bytes.ts'
import { decodeDocument, encodeDocument } from '../../src/base/codec.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import { EVIDENCE_BYTES_MAX, verifyEvidence } from '../../src/evidence/browser.ts'
import { decodeBundle, encodeBundle } from '../../src/evidence/index.ts'
import type { ProofTrust } from '../../src/ledger/index.ts'
import { decodeLightBlock, trustedOf } from '../../src/ledger/index.ts'
import { suiteRandom } from '../storage/random.ts'
import { dealOf, type EvidenceWorld, makeEvidenceWorld } from './support.ts'

const MUTATIONS = Number(process.env['HOLDFAST_EVIDENCE_MUTATIONS'] ?? 2_000)
const YEAR_MS = 365n * 86_400_000n

describe('evidence', function () {
  this.timeout(1_800_000)
  const random = suiteRandom()
  let world: EvidenceWorld
  let ofDeal: Uint8Array
  let ofObject: Uint8Array
  before(async () => {
    world = await makeEvidenceWorld(random)
    ofDeal = await world.bundleOf({ deal: dealOf(world) })
    ofObject = await world.bundleOf({ repairMap: world.made.map().cid })
  })
  after(() => world.close())

  const verify = (
    bytes: Uint8Array,
    trust: ProofTrust = { genesisHash: world.genesisHash },
    nowMs = world.nowMs
  ): ReturnType<typeof verifyEvidence> => verifyEvidence(bytes, { trust, nowMs })

  function refuses(bytes: Uint8Array, trust?: ProofTrust): void {
    assert.throws(
      () => verify(bytes, trust),
      error => HoldfastError.is(error)
    )
  }

  it('shows who held which root until when, proofs and payments', () => {
    const report = verify(ofDeal)
    const { deal: opened, world: provider } = world.made
    const now = provider.replica.deal(opened.id)!
    assert.deepEqual([report.genesisHash, report.trustIsRecent], [toHex(world.genesisHash), true])
    const [deal] = report.deals
    assert.ok(deal !== undefined && report.deals.length === 1)
    assert.deepEqual(
      [deal.id, deal.peerKey, deal.endPeriod, deal.closed],
      [toHex(opened.id), toHex(provider.provider.net.peerKey), Number(now.endPeriod), false]
    )
    assert.equal(deal.provenPeriods, Number(now.provenPeriods))
    assert.ok(deal.provenPeriods >= 2, `${deal.provenPeriods} periods`)
    assert.deepEqual([deal.paidUnits, deal.escrowUnits], [now.paidUnits, now.escrowUnits])
    const held = deal.contents.at(-1)!
    assert.deepEqual(
      [held.root, held.leaves, held.bytes, held.revision],
      [toHex(now.root), Number(now.leaves), Number(now.bytes), 1]
    )
    assert.equal(held.provenPeriods, deal.provenPeriods)
    assert.equal(report.object, undefined)
  })

  it('shows the pieces of an object in their deals', () => {
    const { object, deals } = verify(ofObject)
    assert.deepEqual(object, {
      repairMap: world.made.map().cid,
      profile: '1/3',
      segments: 1,
      pieces: 3,
      heldPieces: 3,
      heldPerSegmentMin: 3
    })
    assert.equal(deals[0]!.pieces, 3)
  })

  it('is believed from a checkpoint, too, and says when the start of trust is old', () => {
    const { network } = world.made.world.replica
    const blocks = decodeBundle(ofDeal).blocks.map(decodeLightBlock)
    const { height, blockHash } = trustedOf(network, blocks.at(-1)!)
    const byCheckpoint = { network, checkpoint: { height, blockHash } }
    assert.equal(verify(ofDeal, byCheckpoint).deals.length, 1)
    const bare = encodeBundle({ ...decodeBundle(ofDeal), genesis: undefined })
    refuses(bare)
    assert.equal(blocks.length, 1, 'one set of validators: one step')
    assert.equal(verify(bare, byCheckpoint).deals.length, 1)
    const later = verify(ofDeal, undefined, world.nowMs + YEAR_MS)
    assert.equal(later.trustIsRecent, false)
    refuses(ofDeal, { genesisHash: random.bytes(32) })
    refuses(ofDeal, { network, checkpoint: { height, blockHash: random.bytes(32) } })
    refuses(ofDeal, { network, checkpoint: { height: height + 1n, blockHash } })
    assert.throws(() => verify(ofDeal, undefined, 0n), { code: 'PROOF_INVALID' })
  })

  it('of a deal is not that of another, and nothing rides along', () => {
    const deal = decodeBundle(ofDeal)
    const object = decodeBundle(ofObject)
    const other = { key: random.bytes(32) }
    const swapped = deal.records.map(record =>
      record.table === 'deals' ? { ...record, ...other } : record
    )
    const changes = [
      { records: swapped },
      { records: deal.records.toReversed() },
      { records: [...deal.records, deal.records.at(-1)!] },
      { records: deal.records.filter(({ table }) => table !== 'deals') },
      { records: deal.records.filter(({ table }) => table !== 'providers') },
      { records: deal.records.filter(({ table }) => table !== 'params') },
      { blocks: [] },
      { blocks: [...deal.blocks, ...deal.blocks] },
      { genesis: undefined }
    ]
    for (const change of changes) refuses(encodeBundle({ ...deal, ...change }))
    const [holding] = object.holdings
    assert.ok(holding !== undefined)
    const short = { ...holding, pieces: holding.pieces.slice(1) }
    for (const holdings of [
      [],
      [short],
      [holding, holding],
      [{ ...holding, deal: random.bytes(32) }]
    ]) {
      const bytes = encodeBundle({ ...object, holdings })
      // without any holding the bundle says of the object that nothing is shown
      if (holdings.length === 0) assert.equal(verify(bytes).object?.heldPieces, 0)
      else refuses(bytes)
    }
    refuses(encodeBundle({ ...object, map: undefined, holdings: [short] }))
  })

  it(`${MUTATIONS} mutated ones, and none is verified`, () => {
    for (let i = 0; i < MUTATIONS; i++) {
      const good = i % 2 === 0 ? ofDeal : ofObject
      const bad = mutated(good)
      if (Buffer.compare(good, bad) === 0) continue
      try {
        verify(bad)
      } catch (error) {
        assert.ok(HoldfastError.is(error), String(error))
        continue
      }
      assert.fail(`mutation ${i} is verified`)
    }
  })

  /** Bits, bytes, runs, cuts, and parts of the document in each other's place. */
  function mutated(good: Uint8Array): Uint8Array {
    const bytes = good.slice()
    const at = random.below(bytes.length)
    switch (random.below(7)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8)
        return bytes
      case 1:
        bytes[at] = random.below(256)
        return bytes
      case 2:
        return bytes.slice(0, at)
      case 3:
        return new Uint8Array([...bytes, ...random.bytes(1 + random.below(40))])
      case 4:
        bytes.set(random.bytes(1 + random.below(Math.min(64, bytes.length - at))), at)
        return bytes
      case 5: {
        const from = random.below(bytes.length - 32)
        bytes.copyWithin(Math.min(at, bytes.length - 32), from, from + 32)
        return bytes
      }
      default:
        return reshaped(good)
    }
  }

  function reshaped(good: Uint8Array): Uint8Array {
    const document = decodeDocument(good, EVIDENCE_BYTES_MAX) as Record<string, unknown[]>
    const records = document['records']!
    const [a, b] = [random.below(records.length), random.below(records.length)]
    const [first, second] = [records[a] as unknown[], records[b] as unknown[]]
    const field = random.below(4)
    ;[first[field], second[field]] = [second[field], first[field]]
    return encodeDocument(document)
  }
})
