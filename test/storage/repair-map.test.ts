import assert from 'node:assert/strict'
import { encodeDocument } from '../../src/base/codec.ts'
import {
  decodeRepairMap,
  digestOfRepairMapCid,
  encodeRepairMap,
  type RepairMap,
  repairMapCid
} from '../../src/storage/index.ts'
import { suiteRandom } from './random.ts'

describe('repair map', () => {
  const random = suiteRandom()

  function someMap(): RepairMap {
    const deals = Array.from({ length: 4 }, () => random.bytes(32))
    return {
      version: 1,
      network: random.bytes(32),
      profile: { k: 2, n: 4 },
      segments: Array.from({ length: 3 }, () => ({
        pieceBytes: 1 + random.below(1_000_000),
        pieces: deals.map(deal => ({ root: random.bytes(32), deal, slot: random.below(1_000) }))
      }))
    }
  }

  it('comes back as it was, under one name', () => {
    const map = someMap()
    const bytes = encodeRepairMap(map)
    assert.deepEqual(decodeRepairMap(bytes), map)
    assert.deepEqual(encodeRepairMap(decodeRepairMap(bytes)), bytes)
    const cid = repairMapCid(bytes)
    assert.match(cid, /^bafyrei/)
    assert.equal(digestOfRepairMapCid(cid).length, 32)
    // per piece little more than its root
    assert.ok(bytes.length < 12 * 42 + 4 * 34 + 3 * 30 + 120, `${bytes.length}`)
  })

  it('of an object without pieces has no segments', () => {
    const map = { ...someMap(), segments: [] }
    assert.deepEqual(decodeRepairMap(encodeRepairMap(map)), map)
  })

  it('is refused in any other form', () => {
    const map = someMap()
    const root = random.bytes(32)
    const pieces = map.segments[0]!.pieces
    const deals = [random.bytes(32), random.bytes(32)].sort(Buffer.compare)
    const good = {
      version: 1,
      network: map.network,
      profile: [1, 2],
      deals,
      segments: [
        {
          pieceBytes: 5,
          pieces: [
            [root, 0, 1],
            [root, 1, 0]
          ]
        }
      ]
    }
    assert.ok(decodeRepairMap(encodeDocument(good)))
    const bad: unknown[] = [
      { ...good, version: 2 },
      { ...good, name: '/secret' },
      { ...good, network: root.subarray(1) },
      { ...good, profile: [2, 1] },
      { ...good, profile: [1, 3] },
      { ...good, deals: deals.toReversed() },
      { ...good, deals: [...deals, random.bytes(32)] },
      { ...good, deals: [deals[0]] },
      { ...good, segments: [{ pieceBytes: 0, pieces: good.segments[0]!.pieces }] },
      { ...good, segments: [{ pieceBytes: 5, pieces: [[root, 0, 1]] }] },
      {
        ...good,
        segments: [
          {
            pieceBytes: 5,
            pieces: [
              [root, 0, 1],
              [root, 1, -1]
            ]
          }
        ]
      },
      {
        ...good,
        segments: [
          {
            pieceBytes: 5,
            pieces: [
              [root, 0, 1],
              [root, 1, 2 ** 24]
            ]
          }
        ]
      },
      { ...good, segments: 'none' },
      [good],
      null
    ]
    for (const document of bad) {
      assert.throws(() => decodeRepairMap(encodeDocument(document)), { code: 'MANIFEST_INVALID' })
    }
    assert.throws(
      () => encodeRepairMap({ ...map, segments: [{ pieceBytes: 5, pieces: pieces.slice(1) }] }),
      {
        code: 'MANIFEST_INVALID'
      }
    )
    for (const text of [
      '',
      'bafkqaaa',
      'bafkr4iaqrauhae6lybcso5pq5ejc5dwrhhtlmb5fhfvasjsqhxvh4pzop4'
    ]) {
      assert.throws(() => digestOfRepairMapCid(text), { code: 'INVALID_ARGUMENT' })
    }
  })

  it('never breaks on noise', () => {
    const bytes = encodeRepairMap(someMap())
    for (let i = 0; i < 2_000; i++) {
      const bad = bytes.slice(0, random.below(4) === 0 ? random.below(bytes.length) : undefined)
      for (let n = random.below(3); n >= 0; n--)
        bad[random.below(bad.length)]! ^= 1 << random.below(8)
      try {
        decodeRepairMap(bad)
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'MANIFEST_INVALID')
      }
    }
  })
})
